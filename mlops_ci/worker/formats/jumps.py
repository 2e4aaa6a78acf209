"""Where a model jumps, found by asking it: thresholds of trees and edges of bins, behind any preprocessing.

Between two values of a column that are answered differently, in a row of the table, the distance is halved until no
float32 is between them. A smooth model has no such places: its answers there differ by less than is told apart.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from ..failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

_BASES, _VALUES = 6, 9
_MOST = 400
_HALVINGS = 60


class Jumps:
    """Pairs of values of a column, in one row of the table each, that close in on jumps."""

    def __init__(self, score: Callable[[Any], Any], frame: Any, kinds: dict[str, str]) -> None:
        self._score = score
        self._frame = frame
        self._whole = {name: kind == "integer" for name, kind in kinds.items() if kind in ("integer", "float")}
        self.refused: list[str] = []
        """Columns the model cannot be asked about with values that the table does not hold."""
        self._take([cell for column in self._whole for cell in self._pairs(column)])
        self._leave_out_refused()

    def _pairs(self, column: str) -> list[tuple[int, str, float, float]]:
        values = np.unique(self._frame[column].to_numpy(dtype=np.float64, na_value=np.nan))
        values = values[np.isfinite(values)].astype(np.float64 if self._whole[column] else np.float32)
        chosen = [float(value) for value in values[places(len(values), _VALUES)]]
        bases = [int(base) for base in places(len(self._frame), _BASES)]
        return [(base, column, low, high) for base in bases for low, high in itertools.pairwise(chosen)]

    def _take(self, pairs: list[tuple[int, str, float, float]]) -> None:
        self._bases = np.array([pair[0] for pair in pairs], int)
        self._columns = np.array([pair[1] for pair in pairs], object)
        self._low, self._high = (np.array([pair[place] for pair in pairs], float) for place in (2, 3))

    def _keep(self, chosen: Any) -> None:
        self._bases, self._columns = self._bases[chosen], self._columns[chosen]
        self._low, self._high = self._low[chosen], self._high[chosen]

    def _leave_out_refused(self) -> None:
        names = list(self._whole)
        self.refused = [] if self._answers(names) else [name for name in names if not self._answers([name])]
        self._keep(~np.isin(self._columns, np.array(self.refused, object)))
        self._keep(places(len(self._columns), _MOST))

    def _answers(self, columns: list[str]) -> bool:
        here = np.flatnonzero(np.isin(self._columns, np.array(columns, object)))[:: _BASES + 1]
        try:
            self._asked(here, self._middle()[here])
        except Failure:
            return False
        return True

    def _middle(self) -> Any:
        middle = self._low + (self._high - self._low) / 2
        whole = np.array([self._whole[column] for column in self._columns], bool)
        return np.where(whole, np.floor(middle), middle.astype(np.float32))

    def _asked(self, chosen: Any, values: Any) -> Any:
        """The model's scores for some pairs with these values in their columns."""
        return self._score(self._table(self._bases[chosen], self._columns[chosen], values))

    def _table(self, bases: Any, columns: Any, values: Any) -> Any:
        table = self._frame.iloc[bases].reset_index(drop=True)
        for column in dict.fromkeys(columns):
            numbers = table[column].to_numpy(dtype=np.float64, na_value=np.nan).copy()
            numbers[columns == column] = values[columns == column]
            whole = self._whole[column] and not np.isnan(numbers).any()
            table[column] = numbers.astype(np.int64) if whole else numbers
        return table

    def close_in(self, allowed: float) -> None:
        """Halve until nothing is between; pairs that do not enclose a jump are dropped."""
        everywhere = np.arange(len(self._low))
        if not len(everywhere):
            return
        at_low, at_high = self._asked(everywhere, self._low), self._asked(everywhere, self._high)
        for _ in range(_HALVINGS):
            apart = _apart(at_low, at_high) > allowed
            self._keep(apart)
            at_low, at_high, middle = at_low[apart], at_high[apart], self._middle()
            open_ = np.flatnonzero((middle > self._low) & (middle < self._high))
            if not len(open_):
                return
            between = self._asked(open_, middle[open_])
            # Of a slope with a jump in it, the half with the jump changes more.
            before = _apart(at_low[open_], between) >= _apart(between, at_high[open_])
            first, second = open_[before], open_[~before]
            self._high[first], at_high[first] = middle[first], between[before]
            self._low[second], at_low[second] = middle[second], between[~before]

    def rows(self) -> tuple[Any, list[str]]:
        """Rows on both sides of every jump, with the columns whose values were chosen."""
        bases, columns = np.repeat(self._bases, 2), np.repeat(self._columns, 2)
        values = np.column_stack([self._low, self._high]).ravel()
        return self._table(bases, columns, values), list(columns)


def _apart(first: Any, second: Any) -> Any:
    return np.abs(first - second).max(axis=1)


def places(length: int, most: int) -> Any:
    """At most so many places from 0 to length, evenly, with the first and the last."""
    return np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(int)) if length else np.arange(0)
