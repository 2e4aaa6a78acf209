"""The rows that nothing but one answer leaves: what `@` gates are asked about there, and the look that this is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec.structs import replace

from mlops_ci.gates.histories import budget, histories
from mlops_ci.gates.question import Wear
from mlops_ci.gates.verdict_only import passes
from mlops_ci.gates.wear import settle_apart
from mlops_ci.ledger.holdouts import ids_file
from mlops_ci.records.decisions import Promise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_ci.config.judging import Guarantee
    from mlops_ci.gates.gate import Gate
    from mlops_ci.gates.question import Question
    from mlops_ci.records.decisions import Look
    from mlops_ci.steps.looks import Among, Exposure

_SHOWN = "numbers of these rows stood in earlier reports, or were told when nothing counted them"


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """The one answer, and what it was given on."""

    look: Look
    ids: NDArray[np.uint64]
    """Of the rows that were judged, shape (rows,)."""
    promise: Promise
    wear: Wear


def retire_at(promised: Guarantee) -> int | None:
    """The passes that wear the rows out; None where models are taken not to follow earlier answers."""
    return None if promised.adaptivity == "none" else budget(promised.adaptivity, promised.decisions)


def bound(promised: Guarantee, seen: Exposure) -> tuple[int, int | None, int]:
    """Decisions, passes and K: the fewest ever promised for a row bind."""
    decisions = min(promised.decisions, seen.promised or promised.decisions)
    passed = retire_at(promised)
    if passed is not None:
        passed = min(passed, decisions, seen.retire_at or passed)
    return decisions, passed, histories(decisions, passed or 1)


def judge_apart(
    lists: Sequence[tuple[Gate, ...]], question: Question, promised: Guarantee, *, look: Look, seen: Exposure
) -> Apart:
    """Judge all `@` gates of a decision on the gate part at α / K. `look`: without its rows; lists: base's, head's."""
    part = question.gate_part
    if part is None:
        raise ValueError("there is no gate part")
    decisions, passed, many = bound(promised, seen)
    gates = [gate for listed in lists for gate in listed]
    at_level = replace(question, histories=many)
    for chosen in settle_apart(gates, at_level, seen.used(decisions, passed), decisions=decisions):
        among = seen.among(chosen)
        spent = _spent(among, passed)
        wear = Wear(decisions=decisions, looks=among.looks, histories=many, anywhere=seen.anywhere, spent=spent)
        asked = replace(question, gate_part=replace(part.cut(chosen), wear=wear))
        if not wear.worn:
            break
    ids = asked.gate_part.holdout.ids if asked.gate_part else part.holdout.ids
    unset = msgspec.UNSET
    return Apart(
        look=replace(
            look,
            rows=ids_file(ids)[0],
            decisions=decisions,
            retire_at=passed or unset,
            passed=passes(lists, asked),
        ),
        ids=ids,
        wear=wear,
        promise=Promise(
            adaptivity=str(promised.adaptivity),
            decisions=decisions,
            histories=many,
            looks=among.looks,
            rows=len(ids),
            seen=among.looks,
            anywhere=seen.anywhere,
            disclose="verdict",
            retire_at=passed or unset,
            passes=among.passes,
            numbers_shown=True if passed and among.numbers_shown else unset,
        ),
    )


def left(promised: Guarantee, seen: Exposure) -> Wear:
    """What is left of all rows of a gate part, its own last look among those seen."""
    decisions, passed, many = bound(promised, seen)
    among = seen.among(np.ones(len(seen.looks), dtype=np.bool_))
    return Wear(decisions=decisions, looks=among.looks, histories=many, spent=_spent(among, passed))


def _spent(among: Among, retired: int | None) -> str:
    if retired is None:
        return ""
    if among.numbers_shown:
        return _SHOWN
    if among.passes < retired:
        return ""
    return f"passed {among.passes:,} of {retired:,} times the guarantee allows"
