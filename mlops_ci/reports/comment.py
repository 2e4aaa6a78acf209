"""The one comment on a pull request: the report, or of several projects what became of each, and the last runs.

The first line is a mark that people do not see: by it the comment is found again, and it holds which run wrote it.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.records.judged import State
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.reports import markdown, numbers, words
from mlops_ci.reports.document import Document, Strong
from mlops_ci.reports.visible import clip

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = markdown.LIMIT
MOST_RUNS = 5
_MARK = re.compile(r"<!-- mlops-ci:report (\{[^\n<>]{0,20000}\}) -->")
_MOST_DECISIONS = 20
_MOST_NOTES = 5
_LONGEST_NOTE = 2_000
_SHORT = 300
WORST_FIRST = (Outcome.ERRORED, Outcome.FAILED, Outcome.UNDECIDED, Outcome.PASSED)
_FEWEST = 3_000
"""Characters below which a project's report is not begun."""


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
        # What is read back from a comment has its ids cut.
        same_answer = (self.commit, _short(self.decisions)) == (new.commit, _short(new.decisions))
        others = self.earlier if same_run or same_answer else (mine, *self.earlier)
        return others[:MOST_RUNS]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One project in the comment.

    `decided`, `document`: the outcome and the report where it was judged; `report`: the report's address in the
    ledger, where it is known, and `command` what reads it at a desk; `files`, `charts`: see markdown.
    """

    name: str
    state: State
    reason: str = ""
    decided: Outcome | None = None
    decision: str = ""
    document: Document | None = None
    report: str = ""
    command: str = ""
    files: str = ""
    charts: str | None = None

    @property
    def outcome(self) -> Outcome:
        return self.decided or _OUTCOMES[self.state]


_OUTCOMES = {
    State.JUDGED: Outcome.ERRORED,
    State.UNAFFECTED: Outcome.PASSED,
    State.NO_EVIDENCE: Outcome.ERRORED,
    State.MOVED: Outcome.ERRORED,
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


def body(mark: Mark, parts: Sequence[Part], *, run_address: str, notes: Sequence[str] = (), reason: str = "") -> str:
    """The comment, at most LIMIT characters: whole sections are left out where there is more to say.

    `reason`: why nothing holds of the commit, whatever was found of its projects; it is then the verdict.
    """
    head = _refusal(reason, parts) if reason else ""
    end = [*_noted(notes), _earlier(mark), _links(parts, run_address)]
    around = f"{_hidden(mark)}\n{_paragraphs(head, *end)}\n"
    middle = _middle(parts, LIMIT - len(around) - 4) if parts or not reason else ""
    return f"{_hidden(mark)}\n{_paragraphs(head, middle.strip(), *end)}\n"


def _paragraphs(*told: str) -> str:
    return "\n\n".join(part for part in told if part)


def _hidden(mark: Mark) -> str:
    """The mark, which no value in it can end."""
    short = msgspec.structs.replace(mark, decisions=_short(mark.decisions), earlier=tuple(map(_brief, mark.earlier)))
    encoded = msgspec.json.encode(short).decode()
    for sign, reference in (("<", "\\u003c"), (">", "\\u003e"), ("--", "-\\u002d")):
        encoded = encoded.replace(sign, reference)
    return f"<!-- mlops-ci:report {encoded} -->"


def _brief(run: EarlierRun) -> EarlierRun:
    return EarlierRun(commit=run.commit[:64], outcome=run.outcome[:20], decisions=_short(run.decisions))


def _short(decisions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each[:12] for each in decisions[:_MOST_DECISIONS])


def _refusal(reason: str, parts: Sequence[Part]) -> str:
    told = f"### **{words.OUTCOMES[Outcome.ERRORED]}**: {markdown.brief(reason, _LONGEST_NOTE)}"
    return f"{told}\n\nWhat was found, none of which counts:" if parts else told


def _middle(parts: Sequence[Part], room: int) -> str:
    told = [part for part in parts if part.state is not State.UNAFFECTED]
    if not told and len(parts) != 1:
        return f"### **{words.OUTCOMES[Outcome.PASSED]}**. Nothing that is judged has changed"
    told = told or [*parts]
    beside = _beside([part for part in parts if part not in told])
    one = len(told) == 1
    middle = _one(told[0], room - len(beside)) if one else _several(told, room - len(beside))
    return f"{middle.rstrip()}\n\n{beside}"


def _one(part: Part, room: int) -> str:
    heading = f"### {_sentence(part)}"
    if part.document is None:
        return heading
    below = markdown.sections(part.document, files=part.files, charts=part.charts, limit=room - len(heading) - 2)
    return f"{heading}\n\n{below}"


def _several(parts: Sequence[Part], room: int) -> str:
    """A line for each, the worst first, then the reports folded away while there is room."""
    passed = sum(part.outcome is Outcome.PASSED for part in parts)
    parts = sorted(parts, key=lambda part: WORST_FIRST.index(part.outcome))
    noun = counted(parts)
    count = f"all {len(parts)} {noun}" if passed == len(parts) else f"{passed} of {len(parts)} {noun} passed"
    lines = [f"### **{words.OUTCOMES[parts[0].outcome]}**: {count}", "", *_list(parts, room // 2)]
    left = room - sum(len(line) + 1 for line in lines)
    folded = [part for part in parts if part.document is not None][: max(left // _FEWEST, 0)]
    whole = [_folded(part, LIMIT) for part in folded]
    for part, full, share in zip(folded, whole, shares([len(one) + 1 for one in whole], left), strict=True):
        lines.append(full if len(full) < share else _folded(part, share - 1))
    return "\n".join(lines)


def counted(parts: Sequence[Part]) -> str:
    """What there are several of: one project has two verdicts where its environments change too."""
    moved = {part.name for part in parts if part.state is State.MOVED}
    return "verdicts" if any(part.name in moved for part in parts if part.state is not State.MOVED) else "projects"


def _list(parts: Sequence[Part], room: int) -> list[str]:
    """The verdict of every project, in fewer words where there are many."""
    lines = [_line(part, _sentence(part)) for part in parts]
    if sum(map(len, lines)) + len(lines) > room:
        lines = [_line(part, f"{_name(part)}: **{words.OUTCOMES[part.outcome]}**") for part in parts]
    fits = [place for place, size in enumerate(accumulate(len(line) + 1 for line in lines), 1) if size <= room - _SHORT]
    rest = len(lines) - len(fits)
    return [*lines[: len(fits)], f"- and {rest} more, on the page of the run"] if rest else lines


def _line(part: Part, told: str) -> str:
    return f"- {words.SYMBOLS[Status(part.outcome.value)]} {told}"


def _folded(part: Part, room: int) -> str:
    """A project's report below a line that opens it; open where it did not pass."""
    if part.document is None:
        return ""
    opened = "" if part.outcome is Outcome.PASSED else " open"
    name = markdown.summary(Strong(clip(part.name, 60)))
    start = f"\n<details{opened}><summary>{name}: {words.OUTCOMES[part.outcome]}</summary>\n\n"
    end = f"\n{_sub(_reads(part))}\n\n</details>"
    limit = room - len(start) - len(end)
    return f"{start}{markdown.sections(part.document, files=part.files, charts=part.charts, limit=limit)}{end}"


def shares(needs: Sequence[int], room: int) -> list[int]:
    """What each may have of the room: what it needs, or as much as any other that needs more (max-min fairness)."""
    given = [0] * len(needs)
    waiting = sorted(range(len(needs)), key=lambda place: needs[place])
    while waiting:
        share = room // len(waiting)
        given[waiting[0]] = min(needs[waiting[0]], share)
        room -= given[waiting.pop(0)]
    return given


def _sentence(part: Part) -> str:
    if part.document is not None:
        return markdown.title(part.document)
    if part.state is State.UNAFFECTED:
        return f"{_name(part)}: **{words.OUTCOMES[Outcome.PASSED]}**. Nothing that is judged has changed"
    reason = markdown.brief(words.begun(part.reason), _LONGEST_NOTE // 2)
    return f"{_name(part)}: **{words.OUTCOMES[part.outcome]}**. {reason}"


def _name(part: Part) -> str:
    return markdown.brief(part.name, _SHORT)


def _beside(parts: Sequence[Part]) -> str:
    """The projects that the commit does not reach."""
    names = [_name(part) for part in parts[:20]]
    more = f" and {len(parts) - len(names)} more" if len(parts) > len(names) else ""
    return f"Nothing that is judged has changed in {', '.join(names)}{more}." if names else ""


def _noted(notes: Sequence[str]) -> list[str]:
    """What could not be done, each a quotation."""
    told = [f"> {markdown.brief(note, _LONGEST_NOTE)}" for note in notes[:_MOST_NOTES]]
    rest = len(notes) - len(told)
    return [*told, f"> and {numbers.plural(rest, 'more note')} in the log of the run"] if rest > 0 else told


def _links(parts: Sequence[Part], run_address: str) -> str:
    """The run; of one project also its decision, and what reads it."""
    judged = [part for part in parts if part.document is not None]
    told = [part for part in parts if part.state is not State.UNAFFECTED]
    return _sub(f"[the run and its log]({run_address})", *([_reads(judged[0])] if judged and len(told) == 1 else []))


def _reads(part: Part) -> str:
    kept = f"[report in the ledger]({part.report}) · " if part.report else ""
    return f"{kept}decision `{part.decision[:12]}`, at your desk {markdown.code(part.command)}"


def _sub(*told: str) -> str:
    return f"<sub>{' · '.join(told)}</sub>"


def _earlier(mark: Mark) -> str:
    lines = [
        f"- {_word(one.outcome)} at `{one.commit[:7]}`"
        + (f", decision {', '.join(f'`{each[:12]}`' for each in one.decisions)}" if one.decisions else "")
        for one in mark.earlier[:MOST_RUNS]
        if re.fullmatch(r"[0-9a-f]{7,64}", one.commit) and all(re.fullmatch(r"[0-9a-f]+", d) for d in one.decisions)
    ]
    if not lines:
        return ""
    listed, last = "\n".join(lines), _word(mark.earlier[0].outcome)
    told = f"<b>Earlier: </b>{numbers.plural(len(lines), 'run')} of this pull request, the last one {last}"
    return f"<details><summary>{told}</summary>\n\n{listed}\n\n</details>"


def _word(outcome: str) -> str:
    return words.OUTCOMES[Outcome(outcome)] if outcome in {*Outcome} else "unknown"
