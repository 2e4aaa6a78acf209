"""What init guesses of a table's columns, from their names and values."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_ci.data.profile import profile
from mlops_ci.records.tables import Column, Kind, Table
from mlops_ci.steps.findings import Findings, find

ROWS = 200


def numbers(name: str, distinct: int) -> Column:
    return Column(name=name, kind=Kind.INTEGER, values=np.arange(ROWS, dtype=np.int64) % distinct)


def words(name: str, distinct: int) -> Column:
    categories = tuple(f"w{number:03}" for number in range(distinct))
    return Column(
        name=name, kind=Kind.TEXT, values=(np.arange(ROWS) % distinct).astype(np.int32), categories=categories
    )


def days(name: str, distinct: int = ROWS) -> Column:
    values = np.datetime64("2024-01-01") + (np.arange(ROWS) % distinct).astype("timedelta64[D]")
    return Column(name=name, kind=Kind.DATE, values=values)


def found(*columns: Column) -> Findings:
    table = Table(rows=ROWS, columns=(*columns, numbers("y", 2)))
    return find(table, profile(table), target="y")


@pytest.mark.parametrize(
    "name", ["customer_id", "Customer ID", "customerId", "Sample Number", "ID", "id", "id_of_row", "row.key", "index"]
)
def test_a_column_named_like_an_id_is_one(name: str) -> None:
    assert found(numbers("amount", ROWS), numbers(name, ROWS)).id == (name,)


@pytest.mark.parametrize("name", ["idle", "ideal_weight", "humid", "IDLE", "paid"])
def test_a_column_that_only_begins_or_ends_like_an_id_is_none(name: str) -> None:
    assert found(words(name, 40), words("plan", 7)).group is None


def test_a_time_that_never_repeats_is_told_apart_and_is_no_id() -> None:
    seen = found(days("date"), numbers("wind", 9))
    assert (seen.id, seen.time, seen.own_time) == ((), "date", "date")
    assert found(days("date", 50), numbers("wind", 9)).own_time is None


def test_of_columns_that_repeat_an_id_is_the_group_before_a_number() -> None:
    assert found(numbers("Sample Number", 90), words("Individual ID", 100)).group == "Individual ID"
    assert found(numbers("Sample Number", 90), words("plan", 4)).group == "Sample Number"
