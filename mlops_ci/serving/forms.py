"""The forms of a request that MLflow's scoring server knows: four of JSON, and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from .described import Cell, Input
from .errors import Refused
from .exact import Exact
from .validate import Table, by_column, check_rows

_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_BOOLEANS = {"true": True, "false": False}
_Rows = list[dict[str, Cell] | list[Cell]]
_NAMED = 1_000
NAMES = ("dataframe_split", "dataframe_records", "instances", "inputs")


class Expected(NamedTuple):
    """What keeps a table in bounds while it is made: rows without names are in the order of `names`.

    `known` are these and the ids; `most` rows are allowed. `exact` reads what is sent as expected.
    """

    names: tuple[str, ...]
    known: frozenset[str]
    most: int
    exact: Exact


class _Split(msgspec.Struct, forbid_unknown_fields=True):
    columns: tuple[str, ...]
    data: list[list[Cell]]
    index: list[Cell] | None = None


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    dataframe_split: _Split | None = None
    dataframe_records: list[dict[str, Cell]] | None = None
    instances: dict[str, list[Cell]] | _Rows | None = None
    inputs: dict[str, list[Cell]] | _Rows | None = None
    params: dict[str, Cell] | None = None


_decoder = msgspec.json.Decoder(_Body)


def decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """JSON of the decoder's type. Raises Refused: not JSON, nested too deeply, or of another form."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise Refused("wrong_form", message, where=path.removeprefix(".").removesuffix("`")) from None
    except RecursionError:
        raise Refused("wrong_form", "nested too deeply; a table has two levels") from None
    except (msgspec.DecodeError, ValueError) as error:
        hint = "; NaN and Infinity are no JSON: null is missing" if b"NaN" in body or b"Infinity" in body else ""
        raise Refused("not_json", f"{str(error)[:200]}{hint}") from None


def from_json(body: bytes, expected: Expected) -> Table:
    """The table in one of the four forms. Raises Refused."""
    rows = expected.exact.rows(body)
    if rows is not None:
        return Table(expected.names, rows, exact=True)
    found = decoded(_decoder, body)
    if found.params:
        raise Refused("wrong_form", "params: this model takes none", where="params")
    given = [name for name in NAMES if getattr(found, name) is not None]
    if len(given) != 1:
        raise Refused("wrong_form", f"exactly one of {', '.join(NAMES)} is needed; found {', '.join(given) or 'none'}")
    form, value = given[0], getattr(found, given[0])
    if type(value) is _Split:
        check_rows(len(value.data), expected.most)
        return _from_rows(value.columns, value.data, form)
    if type(value) is dict:
        return _from_columns(value, form)
    return _from_records(value, expected, form)


def _from_rows(names: tuple[str, ...], rows: Sequence[Sequence[Any]], form: str) -> Table:
    width = len(names)
    for row, values in enumerate(rows):
        if len(values) != width:
            raise Refused("wrong_form", f"{len(values)} values; there are {width} columns", where=f"{form}, row {row}")
    return Table(names, rows)


def _from_columns(columns: dict[str, list[Any]], form: str) -> Table:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise Refused("wrong_form", f"columns of {min(lengths)} and of {max(lengths)} values", where=form)
    return by_column(columns)


def _from_records(rows: Sequence[Any], expected: Expected, form: str) -> Table:
    """Rows by name; what some rows lack is missing there, as in a DataFrame. Or rows without names."""
    check_rows(len(rows), expected.most)
    if rows and all(type(row) is list for row in rows):
        return _from_rows(expected.names, rows, form)
    if not all(type(row) is dict for row in rows):
        raise Refused("wrong_form", "rows with names and rows without are mixed", where=form)
    names = tuple(rows[0]) if rows else ()
    if all(tuple(row) == names for row in rows):
        return Table(names, [tuple(row.values()) for row in rows])
    found = dict.fromkeys(name for row in rows for name in row)
    if not found.keys() <= expected.known:  # it is refused for these names: other names in each row would be a square
        unknown = [name for name in found if name not in expected.known]
        return Table((*(found.keys() & expected.known), *unknown[:_NAMED]), rows)
    return Table(tuple(found), [[row.get(name) for name in found] for row in rows])


def from_csv(body: bytes, inputs: Sequence[Input], most: int) -> Table:
    """The table of a CSV with a line of names; an empty field is missing. Raises Refused."""
    lines: list[list[str]] = []
    rows = -1
    try:
        text = io.StringIO(body.decode("utf-8-sig"), newline="")
        for line in csv.reader(text, strict=True):
            if line:
                rows += 1
                if rows <= most:
                    lines.append(line)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused("not_csv", str(error)[:200]) from None
    if not lines:
        raise Refused("not_csv", "there is no line of names")
    check_rows(rows, most)
    table = _from_rows(tuple(lines[0]), lines[1:], "csv")
    kinds = {each.name: each.kind for each in inputs}
    readers = [reader(kinds.get(name, "text")) for name in table.names]
    return Table(table.names, [[read(field) for read, field in zip(readers, row, strict=True)] for row in table.rows])


def reader(kind: str) -> Callable[[str], Cell]:
    """What reads a field of CSV in a column of this kind; what is of another stays text."""
    return _READERS.get(kind, _text)


def _text(field: str) -> str | None:
    return field or None


def _integer(field: str) -> Cell:
    return int(field) if _INTEGER.fullmatch(field) else _float(field)


def _float(field: str) -> Cell:
    return float(field) if _FLOAT.fullmatch(field) else field or None


def _boolean(field: str) -> Cell:
    return _BOOLEANS.get(field.lower(), field or None)


_READERS: dict[str, Callable[[str], Cell]] = {"integer": _integer, "float": _float, "boolean": _boolean}
