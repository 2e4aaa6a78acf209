"""SQL of somebody nobody has looked at yet: a process of its own, that ends when its time or memory does."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from mlops_ci.edge import tables, tables_apart
from mlops_ci.edge.processes import Limits
from mlops_ci.errors import MlopsCiError, OutsideError, SourceError
from mlops_ci.records.tables import Table

MB = 1024 * 1024
CSV = 'id,name,day,x\n1,é,2024-01-02,0.5\n2,,2024-01-03,\n3,"a,b",,1e300\n'
LIMITS = Limits(seconds=60, memory_bytes=1024 * MB)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "s.csv").write_text(CSV)
    return tmp_path / "s.csv"


def read(source: Path, sql: str, *, limits: Limits = LIMITS, most_bytes: int = 100 * MB) -> Table:
    return tables_apart.read(
        {"s": (source,)}, sql, sql_file="prepare.sql", root=source.parent, limits=limits, most_bytes=most_bytes
    )


def test_the_table_is_the_same_as_in_this_process(source: Path) -> None:
    sql = "SELECT *, id * 2 AS twice, day > DATE '2024-01-02' AS late FROM s"
    found, expected = read(source, sql), tables.read({"s": (source,)}, sql, root=source.parent)
    assert found.names == expected.names
    for one, other in zip(found.columns, expected.columns, strict=True):
        assert (one.kind, one.categories) == (other.kind, other.categories)
        assert one.values.tobytes() == other.values.tobytes()
        assert np.array_equal(one.missing, other.missing)  # type: ignore[arg-type]


@pytest.mark.parametrize("sql", ["SELECT nothing FROM s", "SELECT 1;\nCOPY s TO 'x.csv'", "SELECT * FROM 'other.csv'"])
def test_what_is_wrong_with_the_sql_is_said_as_in_this_process(source: Path, sql: str) -> None:
    with pytest.raises(MlopsCiError) as expected:
        tables.read({"s": (source,)}, sql, sql_file="prepare.sql", root=source.parent)
    with pytest.raises(type(expected.value)) as told:
        read(source, sql)
    assert (told.value.message, told.value.where) == (expected.value.message, expected.value.where)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT * FROM n",
        "SELECT levenshtein(repeat('ab', 200000), repeat('ba', 200000)) AS d FROM s",  # in one call of a function
    ],
)
def test_what_never_ends_is_stopped(source: Path, sql: str) -> None:
    began = time.monotonic()
    with pytest.raises(SourceError) as told:
        read(source, sql, limits=Limits(seconds=4, memory_bytes=1024 * MB))
    assert time.monotonic() - began < 20
    assert told.value.message == "prepare.sql was stopped after 4 s: it had no more time here"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT list(i) AS l FROM range(2000000000) r(i)",
        "SELECT repeat('abcdefgh', 200000000) AS t FROM range(20)",  # DuckDB does not count that
    ],
)
def test_what_eats_memory_is_stopped(source: Path, sql: str) -> None:
    with pytest.raises((SourceError, OutsideError)) as told:
        read(source, sql)
    assert "memory" in told.value.message
    assert not list(source.parent.glob("mlops-ci*"))


def test_a_table_that_is_larger_than_what_is_judged_is_refused(source: Path) -> None:
    with pytest.raises(SourceError, match=r"prepare.sql makes a table of 0\.0 GB; at most 0\.0 GB are judged here"):
        read(source, "SELECT i FROM range(100000) r(i)", most_bytes=400_000)
    assert read(source, "SELECT i FROM range(100000) r(i)", most_bytes=900_000).rows == 100_000


def test_it_sees_no_variables_but_those_of_the_machine(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    with pytest.raises(SourceError):  # a function of DuckDB's shell alone
        read(source, "SELECT getenv('GITHUB_TOKEN') AS token FROM s")
