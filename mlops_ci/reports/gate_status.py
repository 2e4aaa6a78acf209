"""The status of a commit that a merge waits for: one word of GitHub's and a sentence of at most 140 characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from mlops_ci.records.judged import State
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports import document, words
from mlops_ci.reports.comment import WORST_FIRST, Part, counted
from mlops_ci.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTEXT = "mlops / gate"
LONGEST = 140
_STATES: dict[Outcome, Literal["error", "failure", "success"]] = {
    Outcome.PASSED: "success",
    Outcome.FAILED: "failure",
    Outcome.UNDECIDED: "failure",
    Outcome.ERRORED: "error",
}


class GateStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is GitHub's word, `outcome` ours."""

    state: Literal["error", "failure", "success"]
    outcome: Outcome
    description: str


def of_parts(parts: Sequence[Part]) -> GateStatus:
    """All projects must pass; of several the worst is told."""
    if not parts:
        return _status(Outcome.PASSED, "there is no project here")
    judged = [part for part in parts if part.state is not State.UNAFFECTED]
    worst = min(judged or parts, key=lambda part: WORST_FIRST.index(part.outcome))
    told = _told(worst)
    if len(judged) > 1:
        passed = sum(part.outcome is Outcome.PASSED for part in judged)
        told = f"{passed} of {len(judged)} {counted(judged)} passed. {told}"
    return _status(worst.outcome, told)


def errored(reason: str) -> GateStatus:
    """Nothing could be said of the commit."""
    return _status(Outcome.ERRORED, f"{words.OUTCOMES[Outcome.ERRORED]}: {reason}")


def _told(part: Part) -> str:
    if part.document is not None:
        return document.plain(part.document.title)
    if part.state is State.UNAFFECTED:
        return "nothing that is judged has changed"
    return f"{part.name}: {words.OUTCOMES[part.outcome]}. {words.begun(part.reason)}"


def _status(outcome: Outcome, description: str) -> GateStatus:
    return GateStatus(state=_STATES[outcome], outcome=outcome, description=_cut(visible(description)))


def _cut(text: str) -> str:
    """As many whole words as there is room for; a word that is too long by itself is cut."""
    if len(text) <= LONGEST:
        return text
    room = text[:LONGEST]
    words_, space, _ = room.rpartition(" ")
    return f"{words_.rstrip(' ,;:.') if space and len(words_) > LONGEST // 2 else room[: LONGEST - 1]}…"
