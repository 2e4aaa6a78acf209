"""Bounds of sums over n, o and d with factors: `n - 1.1 * o`, `n - o + 0.5 * d`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.gates.bounds import groups
from mlops_ci.gates.bounds.dirichlet_sum import WorthByCell
from mlops_ci.gates.bounds.estimate import Estimate
from mlops_ci.gates.by_group import FINITE_ONLY, by_group, compact, no_bound
from mlops_ci.gates.gate import Gate, TermKind, Whose
from mlops_ci.gates.values import differing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.gates.sample import Sample

_CELLS = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [0, 0, 0], [0, 0, 1]])
"""Rows that are in each cell: right in the candidate, right in the champion, answered differently."""
_WRONG = 3
_APART = 4
_LACKING = "the {who} could not be asked about some rows, and a sum with factors allows no bound then"


def sum_of(gate: Gate, sample: Sample, *, alpha: float) -> Estimate:
    """What the gate adds up, on the rows of `sample`; alpha: level of the pass side. Its form is Form.SUM."""
    asked = sample if sample.unanswered is None else sample.cut(~sample.unanswered)
    cells, worth = _cells(gate, asked), _worth(gate)
    table = np.bincount(cells, minlength=len(_CELLS))
    # Of two classes, two wrong answers are alike.
    there = np.ones(len(_CELLS), dtype=bool)
    there[_APART] = table[_APART] > 0 or (_counts_changes(gate) and len(asked.holdout.classes) > 2)
    by_row = WorthByCell(table=tuple(table[there].tolist()), worth=tuple(worth[there].tolist()))
    if asked.holdout.rows < sample.holdout.rows:
        return no_bound(by_row, _LACKING.format(who=sample.against))
    if alpha < FINITE_ONLY:
        return no_bound(by_row)
    if asked.holdout.group is None:
        return by_row
    return _by_group(by_row, worth[cells], asked, alpha)


def _cells(gate: Gate, sample: Sample) -> NDArray[np.int64]:
    """The cell of each row, shape (n,)."""
    if sample.rival is None:
        raise ValueError("a sum over two models on a sample with one")
    truth = sample.holdout.truth
    ours, theirs = sample.candidate.labels == truth, sample.rival.labels == truth
    wrong = _WRONG + (differing(sample) if _counts_changes(gate) else np.zeros(len(truth), dtype=bool))
    return np.select([ours & theirs, ours, theirs], [0, 1, 2], wrong)


def _worth(gate: Gate) -> NDArray[np.float64]:
    """What a row of each cell adds to the sum."""
    factors = np.zeros(3)
    for term in gate.terms:
        factors[2 if term.kind is TermKind.CHANGED else int(term.whose is not Whose.CANDIDATE)] += term.coefficient
    found: NDArray[np.float64] = _CELLS @ factors
    return found


def _counts_changes(gate: Gate) -> bool:
    return any(term.kind is TermKind.CHANGED for term in gate.terms)


def _by_group(by_row: WorthByCell, worth: NDArray[np.float64], sample: Sample, alpha: float) -> Estimate:
    """worth: of each row. Where few groups hold rows that are worth less than the usual, their share bounds the sum."""
    group, usual = sample.holdout.group, by_row.worth[int(np.argmax(by_row.table))]
    if group is None:
        raise ValueError("a holdout without groups")
    every = np.ones(len(worth), dtype=bool)
    codes, number = compact(group, every)
    sizes = groups.sums(codes, number, every)
    less, more = (int((groups.sums(codes, number, rows) > 0).sum()) for rows in (worth < usual, worth > usual))
    return by_group(
        by_row,
        alpha,
        left_out=groups.ratio_left_out(groups.sums(codes, number, worth), sizes),
        sizes=sizes,
        differing=(less, more),
        extremes=(usual, usual),
        by_day=sample.holdout.by_day,
    )
