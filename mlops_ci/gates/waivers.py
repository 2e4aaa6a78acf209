"""Waivers over verdicts: a failed or undecided gate that is knowingly overridden keeps its word and does not block."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Idle, IdleWaiver, Verdict, Waiver

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_DAYS = 90
"""No waiver ends more days than these after the commit it is applied to: what lasts longer is a change of the gate."""
_WAIVABLE = (Status.FAILED, Status.UNDECIDED)


def last_day(day: str) -> str:
    """The latest day a waiver may end that is applied on `day`."""
    return (date.fromisoformat(day) + timedelta(days=LONGEST_DAYS)).isoformat()


def waive(
    verdicts: Sequence[Verdict], waivers: Sequence[Waiver], *, day: str
) -> tuple[tuple[Verdict, ...], tuple[IdleWaiver, ...]]:
    """The verdicts with the waivers that count on `day` (ISO 8601), and the waivers that changed nothing."""
    answers = list(verdicts)
    idle: list[IdleWaiver] = []
    for waiver in waivers:
        places = [place for place, verdict in enumerate(answers) if waiver.is_for(verdict.gate)]
        why = _idle(waiver, [answers[place] for place in places], day)
        if why is not None:
            idle.append(IdleWaiver(waiver=waiver, why=why))
            continue
        for place in places:
            if answers[place].blocking and answers[place].verdict in _WAIVABLE:
                answers[place] = msgspec.structs.replace(answers[place], blocking=False, waived=waiver)
    return tuple(answers), tuple(idle)


def _idle(waiver: Waiver, verdicts: Sequence[Verdict], day: str) -> Idle | None:
    """Why a waiver changes nothing; None where it counts, or where its gate was not asked."""
    found = {verdict.verdict for verdict in verdicts}
    if not found:
        return Idle.NO_SUCH_GATE
    if found == {Status.PASSED}:
        return Idle.NOT_NEEDED
    if Status.ERRORED in found:
        return Idle.ERRORED
    if found.isdisjoint(_WAIVABLE):
        return None
    if waiver.until < day:
        return Idle.EXPIRED
    return Idle.TOO_LONG if waiver.until > last_day(day) else None
