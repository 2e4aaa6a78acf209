"""Holds a request against the signature: one validator for JSON, CSV, the Open Inference Protocol and pyfunc.

There is a fast look at all values of columns that are held to the same, and a slow one at each value: the fast look
only lets through what the slow one would return unchanged; the rest the slow one converts, or refuses by row.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from .columns import Column, column
from .described import Serving
from .errors import Refused

_SHOWN = 20
_REMEMBERED = 64  # orders of columns; clients keep to theirs

Row = Sequence[Any]
_Pick = Callable[[Row], Row]


class Table(msgspec.Struct, frozen=True, gc=False):
    """What was sent: rows of a JSON value for each of `names`; `None` is missing.

    exact: they are in the order of the signature, and values that a type tells are known to need no look.
    """

    names: tuple[str, ...]
    rows: Sequence[Row]
    exact: bool = False


class Checked(msgspec.Struct, frozen=True, gc=False):
    """Rows in the order of the signature, values in the kinds of the signature; ids as they were sent, by column."""

    rows: Sequence[Row]
    ids: Mapping[str, Sequence[Any]]


class Signature:
    """The checks of all columns, made once."""

    def __init__(self, serving: Serving) -> None:
        self.inputs = serving.inputs
        self.names = tuple(each.name for each in serving.inputs)
        self.columns = [column(each) for each in serving.inputs]
        self.exact = [each.exact for each in self.columns]
        self._alike = _alike(self.columns, range(len(self.columns)))
        self._untold = _alike(self.columns, [place for place, told in enumerate(self.exact) if told is None])
        self._set = frozenset(self.names)
        self._ids = frozenset(serving.ids)
        self.known = self._set | self._ids
        self._order = lru_cache(_REMEMBERED)(self._ordered)

    def checked(self, table: Table, most: int | None = None) -> Checked:
        """The values in their kinds, at most `most` rows. Raises Refused naming row, column and what is allowed."""
        names, rows = table.names, table.rows
        if most is not None:
            check_rows(len(rows), most)
        if not rows:
            raise Refused("no_rows", "there is no row; at least one is needed")
        if table.exact:
            return Checked(self._seen(rows, self._untold), {})
        ids = {}
        if names != self.names:
            pick, places = self._order(names)
            ids = {name: [row[place] for row in rows] for name, place in places}
            rows = [pick(row) for row in rows]
        return Checked(self._seen(rows, self._alike), ids)

    def problems(self, table: Table) -> dict[int, Refused]:
        """What is wrong with each row that `checked` would refuse, by row; names are as they should be."""
        found: dict[int, Refused] = {}
        columns = dict(zip(table.names, zip(*table.rows, strict=True), strict=bool(table.rows)))
        for name, each in zip(self.names, self.columns, strict=True):
            for row, refused in each.problems(columns.get(name, ())):
                found.setdefault(row, refused)
        return found

    def check_missing(self, sent: Iterable[str]) -> None:
        """Raises Refused naming the first input that is not among the names."""
        there = set(sent)
        missing = [name for name in self.names if name not in there]
        if missing:
            extra = sorted(there - self._set - self._ids)
            raise Refused(
                "missing_column",
                f"column {missing[0]!r} is missing{_near(missing[0], extra, 'instead there is')}",
                where=f"column {missing[0]}",
            )

    def _seen(self, rows: Sequence[Row], columns: Iterable[_Alike]) -> Sequence[Row]:
        for alike in columns:
            if not alike.fast(rows):
                rows = self._slow(rows, alike.places)
        return rows

    def _slow(self, rows: Sequence[Row], places: Iterable[int]) -> list[Row]:
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for place in places:
            columns[place] = self.columns[place].slow(columns[place])
        return list(zip(*columns, strict=True))

    def _ordered(self, names: tuple[str, ...]) -> tuple[_Pick, list[tuple[str, int]]]:
        """What brings rows of these columns into the order of the signature, and where ids are. Raises Refused."""
        places = {name: place for place, name in enumerate(names)}
        if len(places) < len(names):
            twice = next(name for name in names if names.count(name) > 1)[:100]
            raise Refused("wrong_form", f"column {twice!r} is named twice", where=f"column {twice}")
        ids = [(name, place) for name, place in places.items() if name in self._ids]
        self._check_names(places.keys() - self._ids)
        return picker([places[name] for name in self.names]), ids

    def _check_names(self, sent: set[str]) -> None:
        self.check_missing(sent)
        extra = sorted(sent - self._set)
        if extra:
            known = [*self.names, *sorted(self._ids)]
            raise Refused(
                "unknown_column",
                f"column {extra[0][:100]!r} is not known{_near(extra[0], known, 'did you mean')};"
                f" allowed: {', '.join(known[:_SHOWN])}{', …' if len(known) > _SHOWN else ''}",
                where=f"column {extra[0][:100]}",
            )


class _Alike(NamedTuple):
    """Columns that are held to the same: their values are looked at together."""

    places: list[int]
    pick: _Pick
    check: Column

    def fast(self, rows: Sequence[Row]) -> bool:
        return self.check.fast(list(chain.from_iterable(map(self.pick, rows))))


def _alike(columns: Sequence[Column], among: Iterable[int]) -> list[_Alike]:
    places: dict[object, list[int]] = {}
    for place in among:
        places.setdefault(columns[place].held_to, []).append(place)
    return [_Alike(those, picker(those), columns[those[0]]) for those in places.values()]


def by_column(columns: Mapping[str, Sequence[Any]]) -> Table:
    """The table of columns, all of one length."""
    return Table(tuple(columns), list(zip(*columns.values(), strict=True)))


def picker(places: Sequence[int]) -> _Pick:
    """What takes the values at these places out of a row."""
    first, count = places[0], len(places)
    if list(places) == list(range(first, first + count)):
        return itemgetter(slice(first, first + count))
    return itemgetter(*places)


def check_rows(rows: int, most: int) -> None:
    """Raises Refused where there are more."""
    if rows > most:
        raise Refused("too_many_rows", f"{rows} rows; at most {most} a request are allowed", status=413)


def _near(name: str, known: list[str], words: str) -> str:
    near = difflib.get_close_matches(name[:100], known[:1000], n=1)
    return f"; {words} {near[0]!r}?" if near and words.startswith("did") else f"; {words} {near[0]!r}" if near else ""
