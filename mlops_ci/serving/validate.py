"""Holds a request's columns against the signature: one validator for JSON, CSV, the Open Inference Protocol and pyfunc.

There is a fast look at all values of columns that are held to the same, and a slow one at each value: the fast look
only lets through what the slow one would return unchanged; the rest the slow one converts, or refuses by row.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from .columns import column
from .described import Serving
from .errors import Refused

_SHOWN = 20


class Table(NamedTuple):
    """What was sent, by column: JSON values as they are, `None` is missing. All columns have `rows` values."""

    columns: Mapping[str, Sequence[Any]]
    rows: int


class Checked(NamedTuple):
    """Inputs in the order of the signature, values in the kinds of the signature; ids as they were sent."""

    inputs: list[Sequence[Any]]
    ids: dict[str, Sequence[Any]]
    rows: int


class Signature:
    """The checks of all columns, made once."""

    def __init__(self, serving: Serving) -> None:
        self.inputs = serving.inputs
        self.names = tuple(each.name for each in serving.inputs)
        self.columns = [column(each) for each in serving.inputs]
        self._alike: dict[object, list[int]] = {}
        for place, each in enumerate(self.columns):
            self._alike.setdefault(each.held_to, []).append(place)
        self._set = frozenset(self.names)
        self._ids = frozenset(serving.ids)
        self.known = self._set | self._ids

    def checked(self, table: Table, most: int | None = None) -> Checked:
        """The values in their kinds, at most `most` rows. Raises Refused naming row, column and what is allowed."""
        columns = table.columns
        if most is not None:
            check_rows(table.rows, most)
        if table.rows == 0:
            raise Refused("no_rows", "there is no row; at least one is needed")
        ids = {}
        if columns.keys() != self._set:
            ids = {name: values for name, values in columns.items() if name in self._ids}
            self._check_names(columns.keys() - ids.keys())
        inputs = [columns[name] for name in self.names]
        for places in self._alike.values():
            values = list(chain.from_iterable([inputs[place] for place in places]))
            if not self.columns[places[0]].fast(values):
                for place in places:
                    inputs[place] = self.columns[place].slow(inputs[place])
        return Checked(inputs, ids, table.rows)

    def problems(self, table: Table) -> dict[int, Refused]:
        """What is wrong with each row that `checked` would refuse, by row; names are as they should be."""
        found: dict[int, Refused] = {}
        for name, each in zip(self.names, self.columns, strict=True):
            for row, refused in each.problems(table.columns[name]):
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

    def _check_names(self, sent: Iterable[str]) -> None:
        sent = set(sent)
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


def check_rows(rows: int, most: int) -> None:
    """Raises Refused where there are more."""
    if rows > most:
        raise Refused("too_many_rows", f"{rows} rows; at most {most} a request are allowed", status=413)


def _near(name: str, known: list[str], words: str) -> str:
    near = difflib.get_close_matches(name[:100], known[:1000], n=1)
    return f"; {words} {near[0]!r}?" if near and words.startswith("did") else f"; {words} {near[0]!r}" if near else ""
