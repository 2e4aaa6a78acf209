"""Reading sources with a real DuckDB: what is read, what is refused, and what the message says."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pytest

from mlops_ci.data.canonical import snapshot_digest
from mlops_ci.edge import database, sources, tables
from mlops_ci.errors import ConfigError, OutsideError, SourceError
from mlops_ci.records.tables import Kind, Table


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet(folder: Path, name: str, select: str) -> Path:
    path = folder / name
    relation = duckdb.sql(select)
    assert relation is not None
    relation.write_parquet(str(path))
    return path


def one(path: Path, sql: str | None = None) -> Table:
    return tables.read({"s": (path,)}, sql, sql_file="pipeline/prepare.sql", root=path.parent)


def values(table: Table, name: str) -> list[object]:
    column = table.column(name)
    lost = column.missing if column.missing is not None else np.zeros(table.rows, dtype=bool)
    plain = column.values.tolist()
    if column.kind is Kind.TEXT:
        plain = [column.categories[code] if code >= 0 else None for code in plain]
    return [None if gone else value for value, gone in zip(plain, lost, strict=True)]


def refused(path: Path, sql: str | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        one(path, sql)
    assert caught.value.advice
    assert "/tmp/mlops-ci-" not in str(caught.value)
    return caught.value


# what is read


def test_a_csv_becomes_columns_of_every_kind(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "a.csv",
        "flag,count,share,word,day,moment,zoned,clock\n"
        "true,1,0.5,b,2013-01-02,2013-01-02 03:04:05.000006,2013-01-02T03:04:05+02:00,10:00:00\n"
        "false,2,1.5,a,1969-12-31,1969-12-31 23:59:59,2013-01-02T03:04:05Z,11:00:00\n",
    )
    table = one(path)
    assert [str(column.kind) for column in table.columns] == [
        "boolean", "integer", "float", "text", "date", "timestamp", "timestamp", "text",
    ]  # fmt: skip
    assert values(table, "word") == ["b", "a"]
    assert table.column("word").categories == ("a", "b")
    assert table.column("day").values.tolist() == np.array(["2013-01-02", "1969-12-31"], "M8[D]").tolist()
    assert table.column("moment").values[0] == np.datetime64("2013-01-02T03:04:05.000006")
    assert table.column("zoned").values.astype(str).tolist() == [
        "2013-01-02T01:04:05.000000",
        "2013-01-02T03:04:05.000000",
    ]


def test_na_null_and_nothing_are_missing_and_do_not_change_the_kind(tmp_path: Path) -> None:
    table = one(put(tmp_path, "a.csv", "i,t\n1,x\nNA,NULL\n3,\n"))
    assert table.column("i").kind is Kind.INTEGER
    assert values(table, "i") == [1, None, 3]
    assert values(table, "t") == ["x", None, None]


def test_nan_is_missing_and_infinities_are_kept(tmp_path: Path) -> None:
    table = one(put(tmp_path, "a.csv", "x,y\ninf,nan\n-Infinity,1\n1.5,2\n"))
    assert values(table, "x") == [float("inf"), float("-inf"), 1.5]
    assert values(table, "y") == [None, 1.0, 2.0]


def test_integers_past_two_to_the_53_are_exact(tmp_path: Path) -> None:
    table = one(put(tmp_path, "a.csv", "i\n9007199254740993\n9223372036854775807\n-9223372036854775808\n"))
    assert table.column("i").values.tolist() == [2**53 + 1, 2**63 - 1, -(2**63)]


@pytest.mark.parametrize("type_", ["UBIGINT", "HUGEINT", "DECIMAL(38,0)"])
def test_wide_integers_that_fit_are_integers_and_others_stay_exact_as_text(tmp_path: Path, type_: str) -> None:
    path = put(tmp_path, "a.csv", "x\n1\n")
    assert values(one(path, f"select 9223372036854775807::{type_} as x"), "x") == [2**63 - 1]
    table = one(path, f"select unnest([1, 18446744073709551615::{type_}]) as x")
    assert values(table, "x") == ["1", "18446744073709551615"]


def test_decimals_are_floats(tmp_path: Path) -> None:
    table = one(parquet(tmp_path, "a.parquet", "select 12.34::decimal(10,2) x"))
    assert table.column("x").kind is Kind.FLOAT
    assert values(table, "x") == [12.34]


def test_types_without_a_kind_become_text(tmp_path: Path) -> None:
    table = one(
        put(tmp_path, "a.csv", "x\n1\n"),
        "select [1, 2] l, {'a': 'ü'} st, 'ab'::blob b, time '10:00' t, 'u'::enum('u') e, interval 1 day i from s",
    )
    assert [values(table, name) for name in table.names] == [
        ["[1,2]"], ['{"a":"ü"}'], ["6162"], ["10:00:00"], ["u"], ["1 day"],
    ]  # fmt: skip


def test_ten_thousand_categories_are_sorted_by_code_point(tmp_path: Path) -> None:
    words = [f"w{i}" for i in range(10_000)] + ["\uffff", "\U0001f389", "Z", "a", "ä"]
    table = one(put(tmp_path, "a.csv", "w\n" + "\n".join(words) + "\n"))
    assert table.column("w").categories == tuple(sorted(words))
    assert values(table, "w") == words


HOSTILE = ['x"y', "a b|c", "<script>", "${{ github.token }}", "🎉", "'; DROP TABLE s; --", "select"]


def test_hostile_column_names_are_names(tmp_path: Path) -> None:
    head = ",".join('"' + name.replace('"', '""') + '"' for name in HOSTILE)
    table = one(
        put(tmp_path, "a.csv", head + "\n" + ",".join("1" * len(HOSTILE)) + "\ninf" + ",2" * (len(HOSTILE) - 1) + "\n")
    )
    assert list(table.names) == HOSTILE
    assert values(table, 'x"y') == [1.0, float("inf")]


def test_hostile_file_and_source_names_are_names(tmp_path: Path) -> None:
    star = put(tmp_path, "a*'[1]\n🎉.csv", "x\n1\n")
    put(tmp_path, "ab'1\n🎉.csv", "x\n2\n")
    table = tables.read({'s" --': (star,)}, 'select * from "s"" --"')
    assert values(table, "x") == [1]


def test_repeated_and_empty_names_are_made_unique(tmp_path: Path) -> None:
    assert one(put(tmp_path, "a.csv", "a,a,\n1,2,3\n")).names == ("a", "a_1", "column2")
    path = put(tmp_path, "b.csv", "x\n1\n")
    assert one(path, "select 1 as a, 2 as a_1, 3 as a from s").names == ("a", "a_1", "a_2")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(tmp_path: Path, delimiter: str) -> None:
    table = one(put(tmp_path, "a.csv", f"a{delimiter}b\n1{delimiter}x\n"))
    assert values(table, "b") == ["x"]


def test_dates_in_an_ambiguous_order_stay_text(tmp_path: Path) -> None:
    assert one(put(tmp_path, "a.csv", "d\n13/02/2013\n14/02/2013\n")).column("d").kind is Kind.TEXT


def test_json_lines_parquet_and_gzip_give_the_same_content(tmp_path: Path) -> None:
    digests = {
        snapshot_digest(one(path))
        for path in (
            put(tmp_path, "a.csv", "a,b\n1,x\n2,\n"),
            put(tmp_path, "a.csv.gz", gzip.compress(b"b,a\n,2\nx,1\n")),
            put(tmp_path, "a.jsonl", '{"a": 1, "b": "x"}\n{"a": 2, "b": null}\n'),
            put(tmp_path, "a.json", '[{"a": 1, "b": "x"}, {"a": 2}]'),
            parquet(tmp_path, "a.parquet", "select * from (values (1, 'x'), (2, null)) t(a, b)"),
        )
    }
    assert len(digests) == 1


def test_a_sqlite_table_is_read_by_name_or_when_it_is_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (i integer, r real, t text, d date, b boolean, mixed)")
        connection.execute(
            "insert into t values (9007199254740993, 1.5, 'ü', '2013-01-02', 1, 1), (null, 2, null, null, 0, 'x')"
        )
    table = one(path)
    kinds = [str(column.kind) for column in table.columns]
    assert kinds == ["integer", "float", "text", "date", "boolean", "text"]
    assert values(table, "i") == [2**53 + 1, None]
    assert values(table, "mixed") == ["1", "x"]
    with sqlite3.connect(path) as connection:
        connection.execute('create table "o""x" (a)')
        connection.execute('insert into "o""x" values (7)')
    assert 'o"x, t' in refused(path).advice
    (named,) = tables.expand(tmp_path, 's.db#o"x')
    assert sources.file_of(named) == path
    assert values(one(named), "a") == [7]
    assert "no table 'nope'" in refused(Path(f"{path}#nope")).message


def test_files_of_one_source_are_united_by_name(tmp_path: Path) -> None:
    first, second = put(tmp_path, "1.csv", "a,b\n1,\n"), put(tmp_path, "2.csv", "b,a,c\n2.5,2,x\n")
    table = tables.read({"s": (first, second)}, "select * from s order by a")
    assert (values(table, "b"), values(table, "c")) == ([None, 2.5], [None, "x"])


def test_partitions_in_folder_names_add_no_columns(tmp_path: Path) -> None:
    (tmp_path / "year=2013").mkdir()
    assert one(parquet(tmp_path / "year=2013", "a.parquet", "select 1 x")).names == ("x",)


def test_sql_may_create_before_its_select_and_end_in_a_comment(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "a\n1\n2\n")
    before = "-- first; with a semicolon\ncreate macro double(x) as x * 2;\ncreate view v as from s;\n"
    sql = before + "select double(a) as b from v; -- end\n"
    assert sorted(map(str, values(one(path, sql), "b"))) == ["2", "4"]


def test_time_zones_do_not_depend_on_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    table = one(put(tmp_path, "a.csv", "x\n1\n"), "select (timestamp '2013-01-01 00:00:00')::timestamptz as t from s")
    assert table.column("t").values.astype(str).tolist() == ["2013-01-01T00:00:00.000000"]


# what is refused


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path / "gone.csv")
    assert (error.where, error.message) == ("gone.csv", "the file is not there")


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"


@pytest.mark.parametrize(
    ("name", "content", "where", "says"),
    [
        ("e.csv", "", "e.csv", "the file is empty"),
        ("e.parquet", b"", "e.parquet", "the file is empty"),
        ("h.csv", "a,b\n", "h.csv", "there are no rows"),
        ("c.parquet", b"PAR1" + b"x" * 100 + b"PAR1", "c.parquet", "Footer"),
        ("cut.parquet", b"PAR1" + b"x" * 100, "cut.parquet", "not a whole Parquet file"),
        ("long.csv", "a,b\n1,x\n2,y,z\n", "long.csv:3", "this row has 3 fields, the header has 2"),
        ("short.csv", "a,b\n1,x\n2\n", "short.csv:3", "this row has 1 fields, the header has 2"),
        ("late.csv", "a,b\n" + "1,2\n" * 40_000 + "1\n", "late.csv:40002", "this row has 1 fields"),
        ("quote.csv", 'a,b\n1,x\n2,"y\n', "quote.csv:3", "a quote is opened and not closed"),
        ("latin.csv", "a,b\n1,x\n2,café\n".encode("latin-1"), "latin.csv:3", "not UTF-8"),
        ("latinhead.csv", "café,b\n1,x\n".encode("latin-1"), "latinhead.csv:1", "not UTF-8"),
        ("utf16.csv", "a,b\n1,x\n".encode("utf-16"), "utf16.csv", "UTF-16"),
        ("lfs.parquet", LFS, "lfs.parquet", "Git LFS pointer"),
        ("bad.jsonl", '{"a": 1}\n{"a": \n', "bad.jsonl:3", "Malformed JSON"),
        ("bad.db", b"not a database, but long enough to be looked at" * 20, "bad.db", "SQLite cannot read"),
        ("bad.csv.gz", b"\x1f\x8bgarbage", "bad.csv.gz", "cannot be unpacked"),
        ("a.xlsx", b"PK", "a.xlsx", "no data format"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, where: str, says: str
) -> None:
    error = refused(put(tmp_path, name, content))
    assert error.where == where
    assert says in error.message


def test_the_broken_file_among_many_is_named(tmp_path: Path) -> None:
    good, bad = put(tmp_path, "1.csv", "a,b\n1,2\n"), put(tmp_path, "2.csv", "a,b\n1,2\n1,2,3\n")
    with pytest.raises(SourceError) as caught:
        tables.read({"s": (good, bad)}, None, root=tmp_path)
    assert caught.value.where == "2.csv:3"


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select 1 as a; select 2 as b", "kind SELECT (refused)"),
        ("insert into s values (1); select 1", "kind INSERT (refused)"),
        ("copy s to 'out.csv'", "kind COPY (refused)"),
        ("install httpfs; from s", "kind LOAD (refused)"),
        ("attach 'x.db'; from s", "kind ATTACH (refused)"),
        ("set enable_external_access = true; from s", "kind SET (refused)"),
        ("select * from read_csv('/etc/passwd')", "(refused)"),
        ("select * from read_text('secret.txt')", "(refused)"),
        ("select * from 'secret.txt'", "secret.txt"),
        ("select * from glob('*')", "(refused)"),
        ("select * from sources", "sources"),
        ("select * from read_csv('https://example.org/a.csv')", ""),
        ("select * from enable_logging(storage = 'file', storage_config = {'path': 'log'})", "locked"),
        ("", "the SQL is empty"),
        ("-- only this", "the SQL is empty"),
        ("create table t as select 1", "ends in a statement of kind CREATE"),
        ("select * from s where false", "no rows"),
    ],
)
def test_sql_beyond_one_select_over_the_sources_is_refused(
    tmp_path: Path, sql: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "secret.txt", "x\n1\n")
    error = refused(put(tmp_path, "a.csv", "x\n1\n"), sql)
    assert says in error.message
    assert error.where.startswith("pipeline/prepare.sql")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "secret.txt"]


def test_sql_cannot_write_over_the_sources(tmp_path: Path) -> None:
    path = parquet(tmp_path, "a.parquet", "select 1 x")
    before = path.read_bytes()
    refused(path, "copy (select 2 as x) to 'a.parquet'; from s")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("select x,\n  nope\nfrom s", "pipeline/prepare.sql:2"),
        ("-- lead\n\nselect x,\n  nope\nfrom s", "pipeline/prepare.sql:4"),
        ("create view v as from s;\n\n-- then\nselect x,\n  nope\nfrom v;\n", "pipeline/prepare.sql:5"),
        ("create view v as\nselect nope from s;\nfrom v", "pipeline/prepare.sql:2"),
        ("\n\nselect x\nfrom s\nwhere where", "pipeline/prepare.sql:5"),
        ("select x,\n  ('x' || x)::int as y\nfrom s", "pipeline/prepare.sql:2"),
    ],
)
def test_an_error_in_the_sql_has_its_line(tmp_path: Path, sql: str, where: str) -> None:
    assert refused(put(tmp_path, "a.csv", "x\n1\n"), sql).where == where


def test_an_unknown_column_is_named_with_the_candidates(tmp_path: Path) -> None:
    error = refused(put(tmp_path, "a.csv", "colour\n1\n"), "select color from s")
    assert '"color" not found' in error.message
    assert "colour" in error.advice


def test_two_sources_need_sql(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "x\n1\n")
    with pytest.raises(ConfigError, match="2 sources"):
        tables.read({"a": (path,), "b": (path,)}, None)


# expanding patterns


def test_a_pattern_gives_sorted_files(tmp_path: Path) -> None:
    for name in ("d/2.csv", "d/1.csv", "d/deep/3.csv", "d/x.txt"):
        put(tmp_path, name, "x\n1\n")
    found = tables.expand(tmp_path, "d/**/*.csv")
    assert [str(path.relative_to(tmp_path)) for path in found] == ["d/1.csv", "d/2.csv", "d/deep/3.csv"]
    assert tables.expand(tmp_path, "d/none*.csv") == ()


@pytest.mark.parametrize("pattern", ["../a.csv", "/etc/passwd", "d/../../a.csv", ""])
def test_a_pattern_stays_in_the_project(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(ConfigError, match="not a path inside"):
        tables.expand(tmp_path, pattern)


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    outside = put(tmp_path, "outside.csv", "x\n1\n")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "in.csv").symlink_to(outside)
    with pytest.raises(ConfigError, match="leads out of the project"):
        tables.expand(tmp_path / "project", "*.csv")


def test_what_is_spilled_takes_half_of_the_free_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of 96 MB with 50 MB of memory: the disk decides."""
    path = tmp_path / "s.csv"
    path.write_text("a\n1\n")
    monkeypatch.setattr(database, "default_memory", lambda: 100_000_000)
    sql = "SELECT (hash(i) // 4)::BIGINT AS h FROM range(12000000) r(i)"
    monkeypatch.setattr(database.shutil, "disk_usage", lambda _: SimpleNamespace(free=2_000_000_000))
    assert tables.read({"s": (path,)}, sql).rows == 12_000_000
    monkeypatch.setattr(database.shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000_000))
    with pytest.raises(OutsideError, match="not enough memory or disk"):
        tables.read({"s": (path,)}, sql)
