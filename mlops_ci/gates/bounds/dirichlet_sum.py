"""A sum of accuracies and shares of changed answers, with factors: draws from the Dirichlet posterior of the table.

Every row is in one cell: right in both models, in one of them, or in none, and there alike or not. The sum is the mean
of what a row of its cell is worth, so bounds of the cells' shares give its bound; wins and losses alone (tango) do not,
as rows where both are right count too. As in `dirichlet/2` every cell has one row more than seen, so that harm nobody
has seen is possible, and the draws are moved where that would draw the bound nearer (statistics.md 5). And it is asked
again with one row more in the cell alone that speaks against the bound, as the exact bound of a proportion has it; the
farther holds. Without that 20 rows with one kind of change missed it .089 times at a nominal .05.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.gates.bounds import dirichlet
from mlops_ci.gates.bounds.estimate import unseen

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "dirichlet-sum/1"


@lru_cache(maxsize=16)
def _draws(
    table: tuple[int, ...], worth: tuple[float, ...], prior: tuple[int, ...], number: int
) -> NDArray[np.float64]:
    """Sums, sorted, shape (number,)."""
    generator = np.random.Generator(np.random.PCG64(dirichlet.SEED))
    shares = generator.standard_gamma(np.add(table, prior).astype(np.float64), size=(number, len(table)))
    drawn: NDArray[np.float64] = np.sort((shares * worth).sum(axis=1) / shares.sum(axis=1))
    drawn.setflags(write=False)
    return drawn


@dataclass(frozen=True, kw_only=True)
class WorthByCell:
    """`table`: rows in each cell that there can be; `worth`: what a row there adds to the sum."""

    table: tuple[int, ...]
    worth: tuple[float, ...]
    method: str = NAME
    groups: int | None = None
    note: str = ""

    @property
    def value(self) -> float:
        return sum(rows * worth for rows, worth in zip(self.table, self.worth, strict=True)) / self.rows

    @property
    def rows(self) -> int:
        return sum(self.table)

    @property
    def reach(self) -> float:
        return max(self.worth) - min(self.worth)

    def low(self, alpha: float, *, passing: bool) -> float | None:  # noqa: ARG002 - the same bound on both sides
        number = dirichlet.draws_for(alpha)
        if number is None:
            return None
        every, against = self._every(number), self._only(min(self.worth), number)
        at = dirichlet.tail(every, alpha) - 1
        return min(float(every[at]) - max(float(every.mean()) - self.value, 0.0), float(against[at]))

    def high(self, alpha: float, *, passing: bool) -> float | None:  # noqa: ARG002
        number = dirichlet.draws_for(alpha)
        if number is None:
            return None
        every, against = self._every(number), self._only(max(self.worth), number)
        at = -dirichlet.tail(every, alpha)
        return max(float(every[at]) + max(self.value - float(every.mean()), 0.0), float(against[at]))

    def error(self, at: float) -> float:  # noqa: ARG002 - the prior keeps it above 0
        return float(self._every(dirichlet.DRAWS).std(ddof=1))

    def still(self, alpha: float) -> float:
        return self.reach * unseen(self.rows, alpha)

    def _every(self, number: int) -> NDArray[np.float64]:
        return _draws(self.table, self.worth, (1,) * len(self.table), number)

    def _only(self, worth: float, number: int) -> NDArray[np.float64]:
        """One row more where it speaks against the bound, as in the exact bound of a proportion."""
        place = self.worth.index(worth)
        return _draws(self.table, self.worth, tuple(int(cell == place) for cell in range(len(self.table))), number)
