"""Draws a cell's world again and again and counts the answers: ours through `judge`, and those of the rivals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from bench.verdicts.cells import Cell, Counted
from bench.verdicts.rivals import Rival
from bench.verdicts.worlds import Drawn
from mlops_ci.gates import verdict_only
from mlops_ci.gates.gate import Gate
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict

_FEW_RUNS = 2_000
"""Of the rivals: none of their rates is near a limit."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One line of the table. rivals: rate by name, None where the rule says nothing."""

    cell: Cell
    counted: Counted
    runs: int
    ours: float
    rivals: Mapping[str, float | None]

    @property
    def limits(self) -> tuple[float, float]:
        return self.cell.limits(self.counted, self.runs)

    @property
    def holds(self) -> bool:
        low, high = self.limits
        return low <= self.ours <= high


def simulate(cell: Cell, *, runs: int | None = None, rivals: Mapping[str, Rival] | None = None) -> list[Rate]:
    """The rates of one cell. The seed is that of its name."""
    number = runs or cell.runs
    gates = [parse(text) for text in cell.gates]
    generator = np.random.default_rng(crc32(cell.name.encode()))
    ours: Counter[Status] = Counter()
    theirs: dict[str, Counter[Status | None]] = {name: Counter() for name in rivals or {}}
    known: dict[Drawn, Status] = {}
    for run in range(number):
        attempts = [world(generator) for world in cell.worlds]
        ours[_any(_judged(gates, drawn, known) for drawn in attempts)] += 1
        if run < _FEW_RUNS:
            for name, rival in (rivals or {}).items():
                theirs[name][_any(_all(rival(gate, drawn) for gate in gates) for drawn in attempts)] += 1
    return [
        Rate(
            cell=cell,
            counted=one,
            runs=number,
            ours=ours[one.answer] / number,
            rivals={name: _rate(found, one.answer) for name, found in theirs.items()},
        )
        for one in cell.counted
    ]


def _judged(gates: list[Gate], drawn: Drawn, known: dict[Drawn, Status]) -> Status:
    if drawn not in known:
        known[drawn] = _all(found.verdict for found in _verdicts(gates, drawn.question())) or Status.ERRORED
    return known[drawn]


def _verdicts(gates: list[Gate], question: Question) -> Iterable[Verdict]:
    """Where the rows tell one answer alone, that answer."""
    if question.gate_part is None:
        return judge(gates, question)
    return verdict_only.verdicts(gates, question, passed=verdict_only.passes([gates], question))


def _all(verdicts: Iterable[Status | None]) -> Status | None:
    """Passed if every gate passed, failed if any failed; None if no rule says anything."""
    found = set(verdicts)
    if None in found:
        return None
    return next((one for one in (Status.ERRORED, Status.FAILED, Status.UNDECIDED) if one in found), Status.PASSED)


def _any(verdicts: Iterable[Status | None]) -> Status | None:
    """Passed if any candidate passed; of one candidate its verdict."""
    found = list(verdicts)
    return Status.PASSED if Status.PASSED in found else found[-1]


def _rate(found: Counter[Status | None], answer: Status) -> float | None:
    total = found.total()
    return None if found[None] == total else found[answer] / total
