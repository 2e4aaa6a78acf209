# ruff: noqa: S608 - names of columns never enter the SQL: fields are c0, c1, …
"""From the columns of a DuckDB table to ours: exact, without pandas or Arrow, one column at a time.

Every query names its values `v` and what is missing `m`; they come in the order the table was written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlops_ci.errors import SourceError
from mlops_ci.records.tables import Column, Kind, Table

Fetch: TypeAlias = Callable[[str], dict[str, NDArray[Any]]]
"""A query and its result by column name."""

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_WIDE = {"UBIGINT", "HUGEINT", "UHUGEINT"}
_NESTED = ("STRUCT", "MAP", "UNION")


def table(fetch: Fetch, source: str, names: list[str]) -> Table:
    """The DuckDB table `source`, whose columns are c0, c1, …, as a Table with `names`. SourceError as `read` says."""
    types = [str(type_) for type_ in fetch(f"DESCRIBE {source}")["column_type"]]
    rows = int(fetch(f"SELECT count(*) AS v FROM {source}")["v"][0])
    columns = tuple(
        _column(fetch, source, f"c{position}", name=name, type_=type_)
        for position, (name, type_) in enumerate(zip(names, types, strict=True))
    )
    return Table(rows=rows, columns=columns)


def _column(fetch: Fetch, source: str, field: str, *, name: str, type_: str) -> Column:
    kind = _kind(fetch, source, field, type_)
    if kind is Kind.TEXT:
        return _text(fetch, source, _as_text(field, type_), name)
    if kind in {Kind.DATE, Kind.TIMESTAMP}:
        _refuse_infinite_times(fetch, source, field, name)
    found = fetch(f"SELECT {_as_value(field, kind)} AS v, {field} IS NULL AS m FROM {source}")
    values, missing = found["v"], found["m"]
    if kind is Kind.FLOAT:
        missing = np.isnan(values)
    if kind in {Kind.DATE, Kind.TIMESTAMP}:
        values = values.astype("datetime64[D]" if kind is Kind.DATE else "datetime64[us]")
        values[missing] = np.datetime64("NaT")
    return Column(name=name, kind=kind, values=values, missing=missing if missing.any() else None)


def _kind(fetch: Fetch, source: str, field: str, type_: str) -> Kind:
    if type_ == "BOOLEAN":
        return Kind.BOOLEAN
    if type_ in _INTEGERS:
        return Kind.INTEGER
    if type_ in _WIDE or (type_.startswith("DECIMAL") and type_.endswith(",0)")):
        return Kind.INTEGER if _fits(fetch, source, field) else Kind.TEXT
    if type_ in {"FLOAT", "DOUBLE"} or (type_.startswith("DECIMAL") and not type_.endswith("]")):
        return Kind.FLOAT
    if type_ == "DATE":
        return Kind.DATE
    return Kind.TIMESTAMP if type_.startswith("TIMESTAMP") and not type_.endswith("]") else Kind.TEXT


def _fits(fetch: Fetch, source: str, field: str) -> bool:
    """Whether every value is an int64. Keys beyond it stay exact as text; as doubles they would become equal."""
    fits = f"{field} IS NULL OR TRY_CAST({field} AS BIGINT) IS NOT NULL"
    return bool(fetch(f"SELECT coalesce(bool_and({fits}), true) AS v FROM {source}")["v"][0])


def _as_value(field: str, kind: Kind) -> str:
    return {
        Kind.BOOLEAN: f"coalesce({field}, false)",
        Kind.INTEGER: f"coalesce({field}::BIGINT, 0)",
        Kind.FLOAT: f"coalesce({field}::DOUBLE, 'NaN'::DOUBLE)",
        Kind.DATE: f"coalesce({field} - DATE '1970-01-01', 0)::BIGINT",
        Kind.TIMESTAMP: f"coalesce(epoch_us({field}), 0)::BIGINT",
    }[kind]


def _as_text(field: str, type_: str) -> str:
    if type_ == "BLOB":
        return f"lower(hex({field}))"
    if type_.endswith("]") or type_.startswith(_NESTED):
        return f"to_json({field})::VARCHAR"
    return f"{field}::VARCHAR"


def _refuse_infinite_times(fetch: Fetch, source: str, field: str, name: str) -> None:
    count = int(fetch(f"SELECT count(*) AS v FROM {source} WHERE NOT isfinite({field})")["v"][0])
    if count:
        raise SourceError(
            f"column {name!r} has {count:,} infinite times", "Write NULL where a time is open-ended, in prepare.sql."
        )


def _text(fetch: Fetch, source: str, value: str, name: str) -> Column:
    """Sorted categories and codes, joined in DuckDB: a hundred times fewer Python strings than rows.

    DuckDB compares text by its UTF-8 bytes, which is the order of code points.
    """
    distinct = f"SELECT DISTINCT {value} AS v FROM {source} WHERE {value} IS NOT NULL"
    numbered = f"SELECT v, row_number() OVER (ORDER BY v) - 1 AS code FROM ({distinct})"
    fetch(f"CREATE OR REPLACE TEMP TABLE mlops_ci_categories AS {numbered}")
    categories = fetch("SELECT v FROM mlops_ci_categories ORDER BY code")["v"]
    codes = fetch(
        f"SELECT coalesce(k.code, -1)::INTEGER AS v FROM (SELECT rowid AS r, {value} AS v FROM {source}) p"
        " LEFT JOIN mlops_ci_categories k ON p.v = k.v ORDER BY p.r"
    )["v"]
    missing = codes == -1
    return Column(
        name=name,
        kind=Kind.TEXT,
        values=codes,
        missing=missing if missing.any() else None,
        categories=tuple(categories.tolist()),
    )


def masked(column: Column) -> NDArray[Any]:
    """A column as DuckDB reads it back: texts as objects, missing values masked."""
    if column.kind is Kind.TEXT:
        texts: NDArray[Any] = np.array([*column.categories, None], dtype=object)
        return np.take(texts, column.values.astype(np.intp))
    if column.missing is None or column.kind in {Kind.DATE, Kind.TIMESTAMP}:
        return column.values
    values: NDArray[Any] = np.ma.masked_array(column.values, mask=column.missing)
    return values
