"""Sources and columns that cannot be used: what cannot be judged is 11, what must not be is 10, and why is said."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from mlops_ci.edge import frames
from tests.e2e.bad_input import COLUMNS, SETTINGS, Golden, Project, bad, csv_text, project, recovers, rows

LFS = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


def _with(column: str, values: list[str]) -> str:
    """The data with other values in one column, taken in turn."""
    lines, at = rows(), COLUMNS.index(column)
    return csv_text([[*line[:at], values[trip % len(values)], *line[at + 1 :]] for trip, line in enumerate(lines)])


def _with_cell(column: str, trip: int, value: str) -> str:
    lines = rows()
    lines[trip][COLUMNS.index(column)] = value
    return csv_text(lines)


def _plus(name: str, values: list[str]) -> str:
    """The data with one column more."""
    return csv_text([[*line, values[trip % len(values)]] for trip, line in enumerate(rows())], (*COLUMNS, name))


def _parquet(folder: Path) -> bytes:
    (folder / "rows.csv").write_text(csv_text(rows()), encoding="utf-8")
    duckdb.connect().execute(f"COPY (FROM read_csv('{folder}/rows.csv')) TO '{folder}/rows.parquet'")
    return (folder / "rows.parquet").read_bytes()


def _source(name: str) -> str:
    return SETTINGS.replace("data/trains.csv", name)


def _judge(made: Project, golden: Golden, name: str, code: int) -> None:
    told = bad(made, f"data-{name}", golden, code=code)
    if code == 11:
        assert "traceback" not in made.report(told).lower()
    recovers(made)


UNREADABLE: dict[str, str | bytes | None] = {
    "empty": "",
    "only-a-header": csv_text([]),
    "ragged": csv_text([line if trip != 40 else [*line, "extra"] for trip, line in enumerate(rows())]),
    "short-row": csv_text([line if trip != 40 else line[:3] for trip, line in enumerate(rows())]),
    "open-quote": csv_text(rows()[:60]) + '60,"Bonn,1.0,3,0\n' + csv_text(rows()[61:]),
    "other-encoding": _with("town", ["Köln", "Zürich"]).encode("latin-1"),
    "other-encoding-late": csv_text(rows()[:80]).encode() + "80,Köln,1.0,3,0\n".encode("latin-1"),
    "utf-16": csv_text(rows()).encode("utf-16"),
    "binary": bytes(range(256)) * 40,
    "lfs-pointer": LFS,
    "target-all-null": _with("late", [""]),
    "target-some-null": _with_cell("late", 5, ""),
    "target-constant": _with("late", ["1"]),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_source_that_cannot_be_judged_is_a_decision_that_names_the_file(
    tmp_path: Path, golden: Golden, name: str
) -> None:
    made = project(tmp_path)
    made.commit({"data/trains.csv": UNREADABLE[name]})
    _judge(made, golden, name, 11)


def test_a_source_that_is_missing_is_a_decision_too(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    made.commit({"data/trains.csv": None})
    _judge(made, golden, "missing", 11)


@pytest.mark.parametrize("damage", ["cut", "middle", "footer", "text"])
def test_a_corrupt_parquet_file_is_named(tmp_path: Path, golden: Golden, damage: str) -> None:
    made = project(tmp_path)
    whole = _parquet(tmp_path)
    middle = len(whole) // 3
    content = {
        "cut": whole[:-100],
        "middle": whole[:8] + os.urandom(0) + b"\x00" * (middle - 8) + whole[middle:],
        "footer": whole[:-60] + b"\xff" * 40 + whole[-20:],
        "text": csv_text(rows()).encode(),
    }[damage]
    made.commit({"data/trains.csv": None, "data/trains.parquet": content, "mlops.yaml": _source("data/trains.parquet")})
    _judge(made, golden, f"parquet-{damage}", 11)


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("json-broken", "data/trains.jsonl", '{"trip": 1, "late": 0}\n{"trip": 2,\n'),
        ("sqlite-broken", "data/trains.sqlite", b"SQLite format 3\0" + b"\xff" * 2000),
        ("gzip-broken", "data/trains.csv.gz", b"\x1f\x8b\x08\0" + b"\xff" * 200),
        ("unknown-format", "data/trains.xlsx", b"PK\x03\x04"),
        ("directory", "data/trains.csv/inside.txt", "x"),
    ],
)
def test_other_kinds_of_files_that_cannot_be_read_are_named(
    tmp_path: Path, golden: Golden, name: str, file: str, content: str | bytes
) -> None:
    made = project(tmp_path)
    (made.root / "data/trains.csv").unlink()
    made.commit({file: content, "mlops.yaml": _source(file.removesuffix("/inside.txt"))})
    _judge(made, golden, name, 11)


def test_a_source_that_is_a_link_out_of_the_project_is_refused(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    outside = tmp_path / "secret.csv"
    outside.write_text(csv_text(rows()), encoding="utf-8")
    (made.root / "data/trains.csv").unlink()
    (made.root / "data/trains.csv").symlink_to(outside)
    made.commit({})
    bad(made, "data-link-outside", golden, code=2)
    recovers(made)


def test_a_table_without_the_target_names_the_columns_it_has(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    made.commit({"data/trains.csv": csv_text([line[:4] for line in rows()], COLUMNS[:4])})
    bad(made, "data-target-missing", golden, code=2)
    recovers(made)


def test_a_target_that_is_renamed_with_its_settings_is_another_question(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    renamed = csv_text(rows(), (*COLUMNS[:4], "delayed"))
    made.commit({"data/trains.csv": renamed, "mlops.yaml": SETTINGS.replace("target: late", "target: delayed")})
    bad(made, "data-target-renamed", golden, code=10)
    recovers(made)


REFUSED = {
    "id-duplicated": _with("trip", [str(trip // 2) for trip in range(120)]),
    "id-null": _with_cell("trip", 7, ""),
    "infinite": _with_cell("wind", 9, "inf"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_must_not_be_judged_is_refused_by_a_check(tmp_path: Path, golden: Golden, name: str) -> None:
    made = project(tmp_path)
    made.commit({"data/trains.csv": REFUSED[name]})
    _judge(made, golden, name, 10)


def test_a_holdout_with_one_class_is_not_taken_for_an_answer(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    [held] = made.root.glob(".mlops-ci/cache/snapshot/*/holdout")
    trips = {int(trip) for trip in frames.read(held).column("trip").values}
    lines = [[*line[:4], "0" if int(line[0]) in trips else line[4]] for line in rows()]
    made.commit({"data/trains.csv": csv_text(lines)})
    _judge(made, golden, "one-class-in-holdout", 10)


ACCEPTED = {
    "many-categories": csv_text([[*line, f"station {line[0]}"] for line in rows(10_000)], (*COLUMNS, "station")),
    "ids-past-2-53": _with("trip", [str(2**53 + trip) for trip in range(120)]),
    "ids-past-2-64": _with("trip", [str(2**64 + trip) for trip in range(120)]),
    "numbers-past-2-53": _plus("serial", [str(2**53 + 1 + trip) for trip in range(120)]),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_data_that_is_only_unusual_is_judged(tmp_path: Path, golden: Golden, name: str) -> None:
    made = project(tmp_path)
    made.commit({"data/trains.csv": ACCEPTED[name]})
    told = bad(made, f"data-{name}", golden, code=0)
    assert {found["status"] for found in told.document["checks"] if found["check"] == "uniqueness"} == {"passed"}
    recovers(made)
