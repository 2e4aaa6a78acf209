"""The one comment on a pull request: the report, or of several projects what became of each, and the last runs.

The first line is a mark that people do not see: by it the comment is found again, and it holds which run wrote it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.records.judged import State
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports import markdown, words
from mlops_ci.reports.document import Document, Text
from mlops_ci.reports.markdown import text

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = markdown.LIMIT
MOST_RUNS = 5
_MARK = re.compile(r"<!-- mlops-ci:report (\{[^\n<>]{0,4000}\}) -->")
_ROOM = 4_000
_FEWEST = 3_000


class EarlierRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run whose report the comment showed before."""

    commit: str
    outcome: str
    decisions: tuple[str, ...] = ()


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Which run wrote a comment, of which commit, and the runs before it, newest first."""

    run: int
    attempt: int
    commit: str
    outcome: str
    decisions: tuple[str, ...] = ()
    earlier: tuple[EarlierRun, ...] = ()

    def is_newer_than(self, run: int, attempt: int) -> bool:
        return (self.run, self.attempt) > (run, attempt)

    def followed_by(self, new: Mark) -> tuple[EarlierRun, ...]:
        """What the comment of the next run lists as earlier ones: not what it says itself once more."""
        mine = EarlierRun(commit=self.commit, outcome=self.outcome, decisions=self.decisions)
        same_run = (self.run, self.commit) == (new.run, new.commit)
        same_answer = (self.commit, self.decisions) == (new.commit, new.decisions)
        others = self.earlier if same_run or same_answer else (mine, *self.earlier)
        return others[:MOST_RUNS]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One project in the comment. `document`: its report, where it was judged; `files`, `charts`: see markdown."""

    name: str
    state: State
    reason: str = ""
    decision: str = ""
    document: Document | None = None
    files: str = ""
    charts: str | None = None

    @property
    def outcome(self) -> Outcome:
        return self.document.outcome if self.document else _OUTCOMES[self.state]


_OUTCOMES = {
    State.JUDGED: Outcome.ERRORED,
    State.UNAFFECTED: Outcome.PASSED,
    State.NO_EVIDENCE: Outcome.ERRORED,
    State.REMOVED: Outcome.UNDECIDED,
}


def read_mark(body: str) -> Mark | None:
    """The mark of a comment; None for a comment of somebody else's."""
    found = _MARK.match(body)
    if found is None:
        return None
    try:
        return msgspec.json.decode(found[1], type=Mark)
    except msgspec.MsgspecError:
        return None


def body(mark: Mark, parts: Sequence[Part], *, run_address: str, notes: Sequence[str] = ()) -> str:
    """The comment, at most LIMIT characters: whole sections are left out where there is more to say."""
    told = [part for part in parts if part.state is not State.UNAFFECTED] or [*parts]
    head = f"<!-- mlops-ci:report {msgspec.json.encode(mark).decode()} -->"
    foot = [*(f"> {text(note)}" for note in notes), _earlier(mark), f"<sub>[run]({run_address})</sub>"]
    end = "\n\n".join(part for part in foot if part)
    room = LIMIT - len(head) - len(end) - _ROOM
    middle = _one(told[0], room) if len(told) == 1 else _several(told, room)
    return f"{head}\n{middle.rstrip()}\n\n{end}\n"


def _one(part: Part, room: int) -> str:
    if part.document is not None:
        return markdown.render(part.document, files=part.files, charts=part.charts, limit=room)
    return f"### {_sentence(part)}"


def _several(parts: Sequence[Part], room: int) -> str:
    """A line for each, then the reports folded away while there is room, those that did not pass first."""
    passed = sum(part.outcome is Outcome.PASSED for part in parts)
    lines = [f"### {passed} of {len(parts)} projects passed", "", *(f"- {_sentence(part)}" for part in parts)]
    left = room - sum(len(line) + 1 for line in lines)
    for part in sorted(parts, key=lambda part: part.outcome is Outcome.PASSED):
        if part.document is None or left < _FEWEST:
            continue
        share = max(_FEWEST, left // 2)
        inner = markdown.render(part.document, files=part.files, charts=part.charts, limit=share)
        opened = " open" if part.outcome is not Outcome.PASSED else ""
        block = f"\n<details{opened}><summary>{markdown.summary(Text(part.name))}</summary>\n\n{inner}\n</details>"
        left -= len(block)
        lines.append(block)
    return "\n".join(lines)


def _sentence(part: Part) -> str:
    if part.document is not None:
        return markdown.title(part.document)
    if part.state is State.UNAFFECTED:
        return f"{text(part.name)}: nothing that is judged has changed"
    return f"{text(part.name)}: **{words.OUTCOMES[part.outcome]}**. {text(part.reason)}"


def _earlier(mark: Mark) -> str:
    if not mark.earlier:
        return ""
    lines = [
        f"- {_word(one.outcome)} at `{one.commit[:7]}`"
        + (f", decision {', '.join(f'`{each[:12]}`' for each in one.decisions)}" if one.decisions else "")
        for one in mark.earlier
        if re.fullmatch(r"[0-9a-f]{7,64}", one.commit) and all(re.fullmatch(r"[0-9a-f]+", d) for d in one.decisions)
    ]
    listed = "\n".join(lines)
    return f"<details><summary>Earlier runs</summary>\n\n{listed}\n\n</details>"


def _word(outcome: str) -> str:
    return words.OUTCOMES[Outcome(outcome)] if outcome in {*Outcome} else "unknown"
