"""A column read as another kind: however a value is written, it is one id or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_ci.data.canonical import id_digests, missing
from mlops_ci.data.kinds import as_kind
from mlops_ci.records.tables import Column, Kind, Table


def text(*values: str) -> Column:
    names = tuple(sorted(set(values)))
    codes = np.array([names.index(value) for value in values], dtype=np.int32)
    return Column(name="key", kind=Kind.TEXT, values=codes, categories=names)


def plain(kind: Kind, *values: Any) -> Column:
    types = {Kind.DATE: "datetime64[D]", Kind.TIMESTAMP: "datetime64[us]", Kind.FLOAT: "float64"}
    return Column(name="key", kind=kind, values=np.array(values, dtype=types.get(kind)))


def digests(column: Column) -> list[int]:
    ids = id_digests(Table(rows=len(column.values), columns=(column,)), ("key",), "salt")
    return [int(one) for one in ids]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (text("2012/01/01", "2012-1-2", "2012-01-03 00:00:00", "2012-01-04T00:00:00Z"), "date"),
        (plain(Kind.TIMESTAMP, "2012-01-01", "2012-01-02", "2012-01-03", "2012-01-04"), "date"),
        (text("2012-01-01", "2012/01/02 00:00", "2012-01-03T01:00+01:00", "2012-01-04"), "timestamp"),
        (plain(Kind.DATE, "2012-01-01", "2012-01-02", "2012-01-03", "2012-01-04"), "timestamp"),
        (text("1.0", "2", " 3 ", "4e0"), "integer"),
        (plain(Kind.INTEGER, 1, 2, 3, 4), "text"),
        (plain(Kind.FLOAT, 1.0, 2.0, 3.0, 4.0), "text"),
        (text("1", "2.0", "3", "4"), "float"),
    ],
)
def test_one_id_written_in_two_ways_is_one_id(given: Column, wanted: str) -> None:
    days = ("2012-01-01", "2012-01-02", "2012-01-03", "2012-01-04")
    data = {
        "date": plain(Kind.DATE, *days),
        "timestamp": plain(Kind.TIMESTAMP, *days),
        "integer": plain(Kind.INTEGER, 1, 2, 3, 4),
        "float": plain(Kind.FLOAT, 1.0, 2.0, 3.0, 4.0),
        "text": text("1", "2", "3", "4"),
    }[wanted]
    read = as_kind(given, data.kind)
    assert read.kind is data.kind
    assert read.missing is None
    assert digests(read) == digests(data)


def test_what_cannot_be_read_is_missing_and_nothing_is_guessed() -> None:
    dates = as_kind(text("01/02/2012", "2012-01-01 12:00", "2012-13-01", "2012-01-01"), Kind.DATE)
    assert missing(dates).tolist() == [True, True, True, False]
    integers = as_kind(text("1.5", "x", "1e400", "99999999999999999999", "nan", "-7"), Kind.INTEGER)
    assert missing(integers).tolist() == [True, True, True, True, True, False]
    booleans = as_kind(text("True", "0", "maybe"), Kind.BOOLEAN)
    assert (booleans.values.tolist(), missing(booleans).tolist()) == ([True, False, False], [False, False, True])


def test_a_column_of_the_kind_is_itself_and_missing_values_stay_missing() -> None:
    same = text("007", "7")
    assert as_kind(same, Kind.TEXT) is same
    gap = Column(name="key", kind=Kind.INTEGER, values=np.array([7, 0]), missing=np.array([False, True]))
    read = as_kind(gap, Kind.TEXT)
    assert (read.categories, read.values.tolist(), missing(read).tolist()) == (("7",), [0, -1], [False, True])
    assert missing(as_kind(gap, Kind.DATE)).tolist() == [True, True]
