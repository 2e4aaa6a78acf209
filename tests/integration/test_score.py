"""`mlops-ci score`: files in, files out, answered as the server answers; bad rows, bad files and killed runs."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mlops_ci.edge import beside, environment, runtime
from mlops_ci.serving.app import App
from mlops_ci.serving.bundle import opened
from mlops_ci.serving.model import Model
from tests import serving_bundles
from tests.environments import required
from tests.serving_client import post, until

ROWS = [
    {"flight": "AA 1", "carrier": "AA", "hour": 18, "distance": 300.5, "remark": None},
    {"flight": "B6 2", "carrier": "B6", "hour": 3, "distance": 1.0, "remark": "snow"},
    {"flight": "007", "carrier": "UA", "hour": 23, "distance": 2e3, "remark": "late"},
]


@pytest.fixture(autouse=True)
def installed() -> None:
    """pyarrow, laid beside the environment of the tests; where it cannot be had, the tests are skipped."""
    with required("pyarrow"):
        here = environment.resolve(Path("/nowhere"), Path("/nowhere"), say=lambda text: None)
        beside.lay(runtime.kit("batch"), "batch", here, lambda: None)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_bundles.write(tmp_path_factory.mktemp("score") / "bundle", serving_bundles.multiclass())


def score(folder: Path, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
    command = [sys.executable, "-m", "mlops_ci", "score", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def refused(folder: Path, *arguments: str | Path, code: int = 10) -> dict[str, Any]:
    return dict(score(folder, *arguments, code=code)["error"])


def write(path: Path, rows: list[dict[str, Any]], times: int = 1) -> Path:
    """The rows as CSV or Parquet, so many times over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows * times)
    else:
        lines = path.with_suffix(".jsonl")
        lines.write_text("\n".join(map(json.dumps, rows)))
        duckdb.sql(f"copy (select j.* from '{lines}' j, range({times})) to '{path}' (row_group_size 2048)")
        lines.unlink()
    return path


def read(path: Path) -> list[dict[str, Any]]:
    found = duckdb.sql(f"from {'read_csv' if path.suffix == '.csv' else 'read_parquet'}('{path}')")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def served(bundle: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(post(App(Model(opened(bundle))), {"dataframe_records": rows}).json()["predictions"])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_are_answered_as_requests_are(tmp_path: Path, bundle: Path, ending: str) -> None:
    write(tmp_path / f"in.{ending}", ROWS)
    told = score(tmp_path, bundle, f"in.{ending}", f"out.{ending}")
    assert (told["rows"], told["bad_rows"], told["unasked"]) == (3, 0, [])
    ids = [{"flight": row["flight"]} for row in ROWS]
    assert read(tmp_path / f"out.{ending}") == [one | two for one, two in zip(ids, served(bundle, ROWS), strict=True)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"in.{ending}", f"out.{ending}"]


def test_ids_stay_and_all_columns_where_that_is_wanted(tmp_path: Path, bundle: Path) -> None:
    write(tmp_path / "in.csv", [{**row, "note": "x"} for row in ROWS])
    assert score(tmp_path, bundle, "in.csv", "out.csv")["unasked"] == ["note"]
    score(tmp_path, bundle, "in.csv", "all.csv", "--keep")
    assert [row["flight"] for row in csv.DictReader((tmp_path / "out.csv").open())] == ["AA 1", "B6 2", "007"]
    assert list(read(tmp_path / "all.csv")[0])[:7] == [*ROWS[0], "note", "prediction"]
    assert refused(tmp_path, bundle, "all.csv", "again.csv", "--keep")["code"] == "name_taken"


def test_many_batches_keep_their_order(tmp_path: Path, bundle: Path) -> None:
    write(tmp_path / "in.parquet", ROWS, 70_000)
    told = score(tmp_path, bundle, "in.parquet", "out.parquet")
    assert told["rows"] == 210_000
    asked = duckdb.sql(f"select flight from '{tmp_path / 'in.parquet'}'").fetchall()
    labels = {row["flight"]: found["prediction"] for row, found in zip(ROWS, served(bundle, ROWS), strict=True)}
    answered = [(row["flight"], row["prediction"]) for row in read(tmp_path / "out.parquet")]
    assert answered == [(flight, labels[flight]) for (flight,) in asked]


BAD = [
    ({"hour": "noon"}, "wrong_kind", "hour"),
    ({"hour": None}, "missing_value", "hour"),
    ({"hour": "1.5"}, "wrong_kind", "hour"),
    ({"distance": "nan"}, "wrong_kind", "distance"),
    ({"distance": "1e39"}, "out_of_range", "distance"),
    ({"carrier": ""}, "missing_value", "carrier"),
]


@pytest.mark.parametrize(("change", "error", "column"), BAD)
def test_a_bad_row_stops_it_and_is_named(
    tmp_path: Path, bundle: Path, change: dict[str, Any], error: str, column: str
) -> None:
    write(tmp_path / "in.csv", [*ROWS, {**ROWS[1], **change}])
    told = refused(tmp_path, bundle, "in.csv", "out.csv")
    assert (told["code"], told["where"]) == (error, f"in.csv: row 3, column {column}")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_bad_rows_are_collected_and_counted(tmp_path: Path, bundle: Path) -> None:
    bad = [{**ROWS[1], "flight": f"bad {number}", **change} for number, (change, _, _) in enumerate(BAD)]
    write(tmp_path / "in.csv", [ROWS[0], *bad, ROWS[2]])
    told = score(tmp_path, bundle, "in.csv", "out.csv", "--bad-rows", "bad.csv")
    assert (told["rows"], told["bad_rows"]) == (2, len(BAD))
    assert [row["flight"] for row in csv.DictReader((tmp_path / "out.csv").open())] == ["AA 1", "007"]
    listed = [list(row.values()) for row in csv.DictReader((tmp_path / "bad.csv").open())]
    assert [(row[1], row[2], row[3], row[5]) for row in listed] == [
        (str(number + 1), column, error, f"bad {number}") for number, (_, error, column) in enumerate(BAD)
    ]


def test_a_row_without_a_finite_answer_is_a_bad_row(tmp_path: Path) -> None:
    bundle = serving_bundles.write(tmp_path / "bundle", serving_bundles.regression())
    rows = [{"area": 30.5, "rooms": 2}, {"area": 3e38, "rooms": 2}, {"area": 30.5, "rooms": 2}]
    write(tmp_path / "in.parquet", rows)
    app = App(Model(opened(bundle)))
    code = post(app, {"dataframe_records": rows}).json()["error"]["code"]
    assert refused(tmp_path, bundle, "in.parquet", "out.csv")["code"] == code == "no_finite_answer"
    assert score(tmp_path, bundle, "in.parquet", "out.csv", "--bad-rows", "bad.csv")["bad_rows"] == 1
    assert [row["row"] for row in csv.DictReader((tmp_path / "bad.csv").open())] == ["1"]


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1])
def test_an_integer_that_no_float_holds_is_held_to_its_limit(tmp_path: Path, number: int) -> None:
    """As a float it would be 2**53, and within."""
    files = serving_bundles.regression()
    serving = json.loads(files["serving.json"])
    serving["inputs"][1] |= {"minimum": -(2**53), "maximum": 2**53}
    bundle = serving_bundles.write(tmp_path / "bundle", files | {"serving.json": json.dumps(serving).encode()})
    write(tmp_path / "in.csv", [{"area": 30.5, "rooms": 2}, {"area": 30.5, "rooms": number}])
    assert refused(tmp_path, bundle, "in.csv", "out.csv")["code"] == "out_of_range"


@pytest.mark.parametrize(
    ("content", "error", "where"),
    [
        (b"carrier,hour,distance,remark\nAA,1,2,x\nAA,1,2\n", "not_csv", "in.csv, line 3"),
        (b"carrier,hour,distance,remark\nAA,1,2,\xff\n", "not_csv", "in.csv"),
        (b"", "not_csv", "in.csv"),
        (b"carrier,hours,distance,remark\nAA,1,2,x\n", "missing_column", "in.csv: column hour"),
        (b"carrier,hour,hour,distance,remark\n", "wrong_form", "in.csv"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, bundle: Path, content: bytes, error: str, where: str) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    told = refused(tmp_path, bundle, "in.csv", "out.csv")
    assert told["code"] == error
    assert told["where"].startswith(where)
    assert not (tmp_path / "out.csv").exists()


def test_a_parquet_file_that_was_cut_off_leaves_nothing(tmp_path: Path, bundle: Path) -> None:
    path = write(tmp_path / "in.parquet", ROWS, 5000)
    path.write_bytes(path.read_bytes()[:-100])
    assert refused(tmp_path, bundle, "in.parquet", "out.csv")["code"] == "not_parquet"
    assert [each.name for each in tmp_path.iterdir()] == ["in.parquet"]


def test_nothing_is_replaced_by_accident(tmp_path: Path, bundle: Path) -> None:
    write(tmp_path / "in.csv", ROWS)
    (tmp_path / "out.csv").write_text("mine")
    assert refused(tmp_path, bundle, "in.csv", "out.csv")["code"] == "exists"
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert refused(tmp_path, bundle, "in.csv", "in.csv", "--overwrite")["message"] == "it is an input"
    assert score(tmp_path, bundle, "in.csv", "out.csv", "--overwrite")["rows"] == 3


def test_a_folder_goes_on_where_it_was(tmp_path: Path, bundle: Path) -> None:
    for name in ("2013/a.csv", "2013/b.parquet", "c.csv", "_note.csv", ".hidden/x.csv"):
        write(tmp_path / "data" / name, ROWS)
    first = score(tmp_path, bundle, "data", "scored")
    assert (first["files"], first["rows"], first["scored_before"]) == (3, 9, 0)
    found = sorted(path.relative_to(tmp_path / "scored").as_posix() for path in (tmp_path / "scored").rglob("*.*"))
    assert found == ["2013/a.csv", "2013/b.parquet", "_scored.json", "c.csv"]
    (tmp_path / "scored" / "c.csv").unlink()
    before = (tmp_path / "scored" / "2013" / "a.csv").stat().st_mtime_ns
    again = score(tmp_path, bundle, "data", "scored")
    assert (again["rows"], again["scored_before"]) == (9, 2)
    assert (tmp_path / "scored" / "2013" / "a.csv").stat().st_mtime_ns == before
    write(tmp_path / "data" / "c.csv", ROWS, 2)
    assert refused(tmp_path, bundle, "data", "scored")["code"] == "exists"
    assert score(tmp_path, bundle, "data", "scored", "--overwrite")["rows"] == 12


def test_several_files_and_patterns_become_one(tmp_path: Path, bundle: Path) -> None:
    for name in ("a.csv", "b.csv", "c.parquet"):
        write(tmp_path / name, ROWS)
    assert score(tmp_path, bundle, "[ab].csv", "c.parquet", "out.parquet")["rows"] == 9
    assert len(read(tmp_path / "out.parquet")) == 9
    assert refused(tmp_path, bundle, "*.json", "x.csv")["code"] == "no_such_file"


def test_names_are_names(tmp_path: Path) -> None:
    hostile = "it's; $(touch x) <b>\"\n"
    files = serving_bundles.regression()
    serving = json.loads(files["serving.json"])
    files = {
        **files,
        "serving.json": json.dumps(serving | {"ids": [hostile]}).encode(),
    }
    bundle = serving_bundles.write(tmp_path / "bundle", files)
    write(tmp_path / "-rf; $(touch x).csv", [{"area": 1, "rooms": 2, hostile: "=1+1"}])
    command = [sys.executable, "-m", "mlops_ci", "score", "--", str(bundle), "-rf; $(touch x).csv", "o ut.csv"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert next(csv.DictReader((tmp_path / "o ut.csv").open(newline="")))[hostile] == "=1+1"
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_stopped_leaves_nothing_that_looks_whole(
    tmp_path: Path, bundle: Path, number: signal.Signals
) -> None:
    write(tmp_path / "in.csv", ROWS, 400_000)
    command = [sys.executable, "-m", "mlops_ci", "score", str(bundle), "in.csv", "out.csv"]
    with subprocess.Popen(command, cwd=tmp_path, start_new_session=True, stderr=subprocess.DEVNULL) as run:
        until(lambda: (tmp_path / ".out.csv.part").stat().st_size > 0)
        os.kill(run.pid, number)
        run.wait(60)
    until(lambda: number == signal.SIGKILL or not (tmp_path / ".out.csv.part").exists())
    assert not (tmp_path / "out.csv").exists()
    ends = time.monotonic() + 30  # what the killed one had started ends soon after it
    while time.monotonic() < ends:
        command[-2:] = ["small.csv", "out.csv"]
        write(tmp_path / "small.csv", ROWS)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            break
        assert "another run is writing it" in done.stderr
        time.sleep(0.2)
    assert len(read(tmp_path / "out.csv")) == 3
