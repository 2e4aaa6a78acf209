"""What a commit does to the file of an environment, held against the decision that the file names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.records.decisions import Decision, DecisionKind
from mlops_ci.records.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_ci.records.environments import EnvironmentFile, Move, Quarantined, Stay


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """What is not as it was decided. `key`: of the file, where it stands."""

    key: str
    told: str


def lifted(before: EnvironmentFile, after: EnvironmentFile) -> tuple[Quarantined, ...] | None:
    """The entries of the quarantine that a change takes away and nothing beside; None where it changes anything else.

    Empty where only remarks are others.
    """
    kept = tuple(one for one in before.quarantine if one in after.quarantine)
    if (before.runs, before.decision, kept) != (after.runs, after.decision, after.quarantine):
        return None
    return tuple(one for one in before.quarantine if one not in after.quarantine)


def differences(
    before: EnvironmentFile,
    after: EnvironmentFile,
    *,
    decision: Decision,
    move: Move | None,
    project: str,
    environment: str,
) -> Iterator[Wrong]:
    """Where a file is not what the decision that it names makes of the one before."""
    name = f"decision {after.decision[:12]}"
    if decision.kind not in (DecisionKind.PROMOTION, DecisionKind.ROLLBACK) or move is None:
        yield Wrong(key="decision", told=f"{name} is a {decision.kind}, and moves nothing")
        return
    if (decision.project, move.environment) != (project, environment):
        yield Wrong(key="decision", told=f"{name} moves {move.environment} of {decision.project}")
        return
    if decision.outcome is not Outcome.PASSED:
        yield Wrong(key="decision", told=f"{name} did not let {move.after.release} through")
        return
    for key in ("release", "bundle", "image"):
        says, found = (getattr(ref, key) if ref else "" for ref in (move.after, after.runs))
        if says != found:
            yield Wrong(key=key, told=f"{name} says {says or 'none'}, the file {found or 'none'}")
    if (move.before, move.replaced) != (before.runs, before.decision):
        runs = before.runs.release if before.runs else "nothing"
        planned = move.before.release if move.before else "nothing"
        told = f"{name} was made when {planned} ran there by another one, and {runs} runs there now: run it again"
        yield Wrong(key="decision", told=told)
    yield from _quarantine(before, after, move, name)


def _quarantine(before: EnvironmentFile, after: EnvironmentFile, move: Move, name: str) -> Iterator[Wrong]:
    made = move.quarantined or None
    known = made is None or before.quarantined(made.bundle) is not None
    expected = before.quarantine if known or made is None else (*before.quarantine, made)
    if gone := next((one for one in expected if one not in after.quarantine), None):
        told = f"the entry of {gone.release} is taken away by a change that moves something: lift it by a commit alone"
        yield Wrong(key="quarantine", told=told)
    elif after.quarantine != expected:
        yield Wrong(key="quarantine", told=f"{name} does not make these entries")


def goes_back(stays: Sequence[Stay], after: EnvironmentFile) -> bool:
    """Whether what `after` runs ran there before what runs now, which the first of `stays` says, ever did.

    Undoing a rollback goes forward: that is a promotion.
    """
    if not stays:
        return False
    order = [stay.runs.bundle for stay in reversed(stays)]
    now = order.index(stays[0].runs.bundle)
    return after.runs is None or after.runs.bundle in order[:now]
