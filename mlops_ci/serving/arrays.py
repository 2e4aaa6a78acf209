"""Whole columns as arrays, for files of many rows: the checks and the session of the server, asked once a column.

A column is looked at by what stands for it: its smallest and largest number, or its distinct values. What passes so
would pass row by row, unchanged; for everything else there are the lists that requests are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .columns import Column
from .described import Feed, Serving
from .engine_onnx import DTYPES, OnnxEngine, tensor_of
from .errors import Refused
from .labels import labelled
from .model import Model

_EXACT = 2.0**53


class Numbers(NamedTuple):
    """A column of numbers: float64 or int64; what is missing is NaN, of integers nothing is."""

    values: Any


class Distinct(NamedTuple):
    """A column of anything: its distinct values as JSON has them, and of each row the place in them, -1 for missing."""

    cells: list[Any]
    codes: Any


Array = Numbers | Distinct


def checked(check: Column, column: Array) -> Array | None:
    """The column in the kind of the signature; None where only a look at each value can tell."""
    if isinstance(column, Numbers):
        return _numbers(check, column.values) if check.kind in ("integer", "float") else None
    if not check.nullable and (column.codes < 0).any():
        return None
    if check.fast(column.cells) if column.cells else True:
        return column
    try:
        return Distinct(check.slow(column.cells), column.codes)
    except Refused:
        return None


def _numbers(check: Column, values: Any) -> Array | None:
    known = values
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        known = values[~missing] if missing.any() else values
        if known.size < values.size and not check.nullable:
            return None
        if check.kind == "integer":
            if not _whole(known):
                return None
            known = known.astype(np.int64)
            values = known if known.size == values.size else values
    seen = known if check.categories is None else np.unique(known)
    stands = [seen.min().item(), seen.max().item()] if check.categories is None and known.size else seen.tolist()
    return Numbers(values) if not stands or check.fast(stands) else None


def _whole(values: Any) -> bool:
    """Whether these floats are whole numbers, each of which is the only integer near it."""
    return bool((np.abs(values) < _EXACT).all() and (values == np.floor(values)).all())


class ArrayModel:
    """An ONNX model that is asked with arrays."""

    def __init__(self, model: Model, engine: OnnxEngine) -> None:
        wiring = model.serving.onnx
        assert wiring is not None  # noqa: S101 - described.check
        self._engine = engine
        self._checks = model.signature.columns
        places = {name: place for place, name in enumerate(model.signature.names)}
        self._feeds = [(feed, [places[name] for name in feed.columns]) for feed in wiring.feeds]
        self._missing_text = wiring.missing_text
        self._label = _label(model.serving)

    def checked(self, columns: Sequence[Array]) -> list[Array] | None:
        """The columns in their kinds; None where each value has to be looked at."""
        found = []
        for check, column in zip(self._checks, columns, strict=True):
            passed = checked(check, column)
            if passed is None:
                return None
            found.append(passed)
        return found

    def ask(self, columns: Sequence[Array]) -> list[Any]:
        """Checked columns in, columns of answers out: arrays, or lists of labels."""
        tensors = {feed.name: self._tensor(feed, columns, places) for feed, places in self._feeds}
        found = self._engine.run(self._engine.wanted, tensors)
        answers = [self._label(found[0].reshape(-1))]
        return answers if len(found) == 1 else [*answers, *found[1].T.astype(np.float64)]

    def _tensor(self, feed: Feed, columns: Sequence[Array], places: list[int]) -> Any:
        tensor = np.empty((_rows(columns[0]), len(places)), dtype=DTYPES.get(feed.type, object))
        for at, place in enumerate(places):
            column = columns[place]
            if isinstance(column, Numbers) and feed.type == "string":
                column = _distinct(column.values, whole=self._checks[place].kind == "integer")
            if isinstance(column, Distinct):
                tensor[:, at] = self._taken(feed, column)
            else:  # by way of float64, as Python's numbers go
                tensor[:, at] = column.values.astype(np.float64) if feed.type == "float32" else column.values
        return tensor

    def _taken(self, feed: Feed, column: Distinct) -> Any:
        """Distinct values become what the server makes of them; the last one stands for what is missing."""
        missing = [None] if (column.codes < 0).any() else []
        rows = [(cell,) for cell in (*column.cells, *missing)]
        return tensor_of(feed, [0], self._missing_text)(rows)[column.codes, 0]


def _distinct(values: Any, *, whole: bool) -> Distinct:
    found, codes = np.unique(values, return_inverse=True)
    cells = [None if cell != cell else int(cell) if whole else cell for cell in found.tolist()]
    return Distinct(cells, codes)


def _rows(column: Array) -> int:
    return len(column.values if isinstance(column, Numbers) else column.codes)


def _label(serving: Serving) -> Any:
    """Labels as `labelled` makes them, of numbers at once."""
    dtypes = {"boolean": np.bool_, "integer": np.int64, "float": np.float64}
    kind, each = serving.outputs[0].kind, labelled(serving)

    def labels(found: Any) -> Any:
        plain = kind in dtypes and found.dtype.kind in "bif"
        return found.astype(dtypes[kind]) if plain else each(found.tolist())

    return labels
