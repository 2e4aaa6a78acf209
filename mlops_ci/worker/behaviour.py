"""The fixture `behaviour`: how often the model behaves as people expect, counted row by row.

Nothing is judged here: what held and how many rows there were goes to mlops-ci, which asks whether the share is high
enough (gates/behaviour.py). After M. T. Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with
CheckList" (ACL 2020): minimum functionality, invariance, direction.
"""

from __future__ import annotations

import difflib
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from . import classes
from .failures import Failure, in_project, relative

_THEN: dict[str, Callable[[Any, Any, float], Any]] = {
    "higher": lambda before, after, tolerance: after > before + tolerance,
    "not lower": lambda before, after, tolerance: after >= before - tolerance,
    "lower": lambda before, after, tolerance: after < before - tolerance,
    "not higher": lambda before, after, tolerance: after <= before + tolerance,
}
_UNDECIDED = ("refuse", "warn", "accept")


class Counted(NamedTuple):
    """Of `of` rows it held for `held`."""

    held: int
    of: int

    @property
    def rate(self) -> float:
        return self.held / self.of


class Behaviour:
    """One for each test. Every call counts and hands the counts over; a call that cannot count raises."""

    def __init__(self, predict: Any, request: dict[str, Any], write: Callable[[dict[str, Any]], None]) -> None:
        self._predict = predict
        self._request = request
        self._write = write

    def minimum(self, rows: Any, expected: Any, *, at_least: Any, tolerance: float = 0.0, **how: Any) -> Counted:
        """The plain cases: the answer for `rows` is `expected`, one value for all or one a row.

        tolerance: for numbers, how far away still counts. how: confidence, when_undecided.
        """
        __tracebackhide__ = True
        if self._is_number:
            answers, wanted = np.asarray(self._predict(rows), dtype=float), np.asarray(expected, dtype=float)
        else:
            answers, wanted = self._predict.codes(rows), self._codes(expected)
        held = np.abs(answers - np.broadcast_to(wanted, answers.shape)) <= tolerance
        return self._count("minimum", rows, held, at_least, **how)

    def invariant(
        self, frame: Any, *, change: Any, at_least: Any, tolerance: float | None = None, of: Any = None, **how: Any
    ) -> Counted:
        """Another value in some columns, and the answer stays: `change={"name": "Eve"}`.

        change: column -> value, values, or function of the column; or a function of the frame. Only rows that it
        changes are counted. tolerance: how far the score (of: of which class) or the number may move; left out, the
        label, or the number, stays the same.
        """
        __tracebackhide__ = True
        before, after = _changed(frame, change)
        if tolerance is None and not self._is_number:
            held = self._predict.codes(before) == self._predict.codes(after)
        else:
            held = np.abs(self._level(before, of) - self._level(after, of)) <= (tolerance or 0.0)
        return self._count("invariance", before, held, at_least, **how)

    def direction(
        self,
        frame: Any,
        *,
        then: str,
        at_least: Any,
        change: Any = None,
        raise_by: Mapping[str, float] | None = None,
        of: Any = None,
        tolerance: float = 0.0,
        **how: Any,
    ) -> Counted:
        """Some columns are changed, or raised by a number, and the score (or the number) moves as expected.

        then: higher, not lower, lower, not higher; tolerance: a movement that counts as none. of: the class whose
        score is meant, needed where there are more than two.
        """
        __tracebackhide__ = True
        if then not in _THEN:
            raise ValueError(f"then={then!r}: allowed are {', '.join(map(repr, _THEN))}")
        if (change is None) == (raise_by is None):
            raise ValueError("say what happens: change={column: value} or raise_by={column: number}, one of the two")
        if raise_by is not None:
            change = {column: _raised(by) for column, by in raise_by.items()}
        before, after = _changed(frame, change)
        held = _THEN[then](self._level(before, of), self._level(after, of), tolerance)
        return self._count("direction", before, held, at_least, **how)

    @property
    def _is_number(self) -> bool:
        return bool(self._request["task"] == "regression")

    def _codes(self, expected: Any) -> Any:
        """The classes people expect, as their places among the target's."""
        __tracebackhide__ = True
        known = self._request["classes"]
        try:
            found, unseen = classes.codes(np.atleast_1d(np.asarray(expected, dtype=object)), known)
        except Failure:
            found, unseen = None, list(np.atleast_1d(expected))
        if unseen:
            raise ValueError(f"expected {str(unseen[0])!r}: the classes are {', '.join(known)}")
        return found

    def _level(self, frame: Any, of: Any) -> Any:
        """What rises and falls: the prediction, the positive class's score, or that of the class `of`."""
        __tracebackhide__ = True
        if self._is_number:
            return np.asarray(self._predict(frame), dtype=float)
        scores = np.asarray(self._predict.proba(frame), dtype=float)
        if scores.ndim == 1:
            return scores
        if of is None:
            raise ValueError(f"name the class that is meant: of= one of {', '.join(self._request['classes'])}")
        return scores[:, int(self._codes(of)[0])]

    def _count(
        self, kind: str, rows: Any, held: Any, at_least: Any, *, confidence: Any = 0.95, when_undecided: str = "refuse"
    ) -> Counted:
        __tracebackhide__ = True
        held = np.asarray(held, dtype=bool)
        if not len(held):
            raise ValueError("there are no rows to count")
        if when_undecided not in _UNDECIDED:
            raise ValueError(f"when_undecided={when_undecided!r}: allowed are {', '.join(map(repr, _UNDECIDED))}")
        file, line = _caller()
        self._write(
            {
                "kind": kind,
                "held": int(held.sum()),
                "of": len(held),
                "needed": _share("at_least", at_least),
                "confidence": _share("confidence", confidence),
                "when_undecided": when_undecided,
                "groups": self._by_group(rows, held),
                "file": file,
                "line": line,
            }
        )
        return Counted(int(held.sum()), len(held))

    def _by_group(self, rows: Any, held: Any) -> list[list[int]] | None:
        """[held, rows, how many groups are so], where rows of a group or day belong together and still say theirs."""
        columns, day = self._request.get("group") or [], self._request.get("day")
        if day in rows.columns and pd.api.types.is_datetime64_any_dtype(rows[day]):
            keys = [rows[day].dt.normalize()]
        elif columns and all(column in rows.columns for column in columns):
            keys = list(columns)
        else:
            return None
        codes = rows.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
        right, all_of = np.bincount(codes, held), np.bincount(codes)
        return [[int(one), int(of), many] for (one, of), many in sorted(Counter(zip(right, all_of)).items())]  # noqa: B905


def _share(name: str, value: Any) -> float:
    """`"95%"` or 0.95, strictly between 0 and 1."""
    __tracebackhide__ = True
    try:
        share = float(value[:-1]) / 100 if isinstance(value, str) and value.endswith("%") else float(value)
    except (TypeError, ValueError):
        share = -1.0
    if not 0.0 < share < 1.0:
        more = ": what must hold for every row is an assert" if share == 1.0 else ""
        raise ValueError(f'{name}={value!r}: allowed is a share such as "95%" or 0.95, below 100 %{more}')
    return round(share, 12)


def _changed(frame: Any, change: Any) -> tuple[Any, Any]:
    """The rows that the change makes others of, before and after it."""
    __tracebackhide__ = True
    after = frame.copy()
    if callable(change):
        after = change(after)
        if not isinstance(after, pd.DataFrame) or len(after) != len(frame):
            raise ValueError("the function of change= must return a DataFrame with the same rows")
    else:
        for column, value in change.items():
            if column not in frame.columns:
                near = difflib.get_close_matches(str(column), [str(name) for name in frame.columns], 1)
                raise ValueError(f"there is no column {column!r}" + (f": did you mean {near[0]!r}?" if near else ""))
            after[column] = value(frame[column]) if callable(value) else value
    moved = np.zeros(len(frame), dtype=bool)
    for column in after.columns:
        moved |= _moved(frame[column], after[column]) if column in frame.columns else True
    if not moved.any():
        raise ValueError("the change changes no row: there is nothing to see")
    return frame[moved], after[moved]


def _moved(before: Any, after: Any) -> Any:
    """Row by row; two gaps are the same, and pandas' NA is compared with nothing."""
    old, new = before.to_numpy(dtype=object), after.to_numpy(dtype=object)
    moved = np.asarray(pd.isna(old) != pd.isna(new))
    there = ~(pd.isna(old) | pd.isna(new))
    moved[there] = np.asarray(old[there] != new[there], dtype=bool)
    return moved


def _raised(by: float) -> Callable[[Any], Any]:
    return lambda column: column + by


def _caller() -> tuple[str, int]:
    """The line of the test that asked."""
    frame = sys._getframe(1)  # noqa: SLF001 - the only way to a caller without its locals
    while frame.f_back is not None and not in_project(frame.f_code.co_filename):
        frame = frame.f_back
    return relative(frame.f_code.co_filename), frame.f_lineno
