"""Paired differences of precision and F1 (two classes): draws from the Dirichlet posterior of the joint table.

Table: truth x candidate x champion, 8 cells; prior 1 in each, so that a harmful cell nobody has seen yet is possible
(a bootstrap never draws it: statistics.md 5). The cost does not depend on the rows.

The prior draws the difference towards 0, which version 1 let pass: with 10 positives of which the candidate misses six
that the champion finds, .26 false passes at a nominal .05. Version 2 moves the draws back where their mean is nearer to
0 than what was seen. With fewer than 100 rows in the denominators it also asks a prior of rows that speak against the
bound only, as the exact bound of a proportion does, and the farther bound holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlops_ci.gates.bounds.estimate import unseen

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "dirichlet/2"
FIRST = "dirichlet/1"
DRAWS = 40_000
SEED = 20_130_107
"""Of numpy's PCG64. Draws and seed belong to the versions of the method."""
_FEW = 100
_MOST_DRAWS = 1_000_000
_IN_TAIL = 100

Kind = Literal["precision", "f1"]
Cells = tuple[int, int, int, int, int, int, int, int]
_EVERY: Cells = (1, 1, 1, 1, 1, 1, 1, 1)
_WORSE: Cells = (0, 0, 1, 0, 0, 1, 0, 0)
"""Where only the candidate is wrong."""
_BETTER: Cells = (0, 1, 0, 0, 0, 0, 1, 0)


def cells(truth: NDArray[np.bool_], candidate: NDArray[np.bool_], champion: NDArray[np.bool_]) -> Cells:
    """Rows of each combination, at index 4·truth + 2·candidate + champion. Arrays: shape (n,)."""
    index = 4 * truth.astype(np.int64) + 2 * candidate + champion
    a, b, c, d, e, f, g, h = (int(rows) for rows in np.bincount(index, minlength=8))
    return a, b, c, d, e, f, g, h


def difference(kind: Kind, table: NDArray[np.float64]) -> Any:
    """Candidate minus champion. table: shape (..., 8), counts or shares."""
    return _score(kind, table, (2, 3, 6, 7)) - _score(kind, table, (1, 3, 5, 7))


def _score(kind: Kind, table: NDArray[np.float64], flagged: tuple[int, int, int, int]) -> Any:
    hits = table[..., flagged[2]] + table[..., flagged[3]]
    predicted = table[..., flagged].sum(axis=-1)
    if kind == "precision":
        return hits / predicted
    return 2.0 * hits / (predicted + table[..., 4:].sum(axis=-1))


@lru_cache(maxsize=16)
def _draws(kind: Kind, table: Cells, number: int, prior: Cells = _EVERY) -> NDArray[np.float64]:
    """Differences, sorted, shape (number,)."""
    generator = np.random.Generator(np.random.PCG64(SEED))
    shares = generator.standard_gamma(np.add(table, prior).astype(np.float64), size=(number, 8))
    drawn: NDArray[np.float64] = np.sort(difference(kind, shares))
    drawn.setflags(write=False)
    return drawn


@dataclass(frozen=True, kw_only=True)
class PairedTable:
    """The joint table of two models with two classes; both must flag some row."""

    kind: Kind
    table: Cells
    groups: int | None = None
    reach: float = 1.0
    note: str = ""
    version: Literal[1, 2] = 2

    @property
    def method(self) -> str:
        return {1: FIRST, 2: NAME}[self.version]

    @property
    def value(self) -> float:
        return float(difference(self.kind, np.asarray(self.table, dtype=np.float64)))

    @property
    def rows(self) -> int:
        """Rows in the denominator of either model."""
        return sum(self.table) - (sum(self.table[i] for i in (0, 4)) if self.kind == "precision" else self.table[0])

    def low(self, alpha: float, *, passing: bool) -> float | None:  # noqa: ARG002
        drawn = self._drawn(alpha, _EVERY)
        if drawn is None:
            return None
        at = tail(drawn, alpha) - 1
        bound = float(drawn[at])
        if self.version == 1:
            return bound
        bound -= max(float(drawn.mean()) - self.value, 0.0)
        few = self._drawn(alpha, _WORSE) if self.rows < _FEW else None
        return bound if few is None else min(bound, float(few[at]))

    def high(self, alpha: float, *, passing: bool) -> float | None:  # noqa: ARG002
        drawn = self._drawn(alpha, _EVERY)
        if drawn is None:
            return None
        at = -tail(drawn, alpha)
        bound = float(drawn[at])
        if self.version == 1:
            return bound
        bound += max(self.value - float(drawn.mean()), 0.0)
        few = self._drawn(alpha, _BETTER) if self.rows < _FEW else None
        return bound if few is None else max(bound, float(few[at]))

    def error(self, at: float) -> float:  # noqa: ARG002 - the prior keeps it above 0
        return float(_draws(self.kind, self.table, DRAWS).std(ddof=1))

    def still(self, alpha: float) -> float:
        return unseen(self.rows, alpha)

    def _drawn(self, alpha: float, prior: Cells) -> NDArray[np.float64] | None:
        """None where too few draws would lie in the tail."""
        number = draws_for(alpha)
        return None if number is None else _draws(self.kind, self.table, number, prior)


def draws_for(alpha: float) -> int | None:
    """How many draws a bound at that level takes; None where that is too many."""
    needed = max(DRAWS, ceil(_IN_TAIL / alpha))
    return needed if needed <= _MOST_DRAWS else None


def tail(drawn: NDArray[np.float64], alpha: float) -> int:
    """How many of the draws lie in a tail of that share."""
    return max(floor(alpha * len(drawn)), 1)
