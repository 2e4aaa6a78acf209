"""The prediction log: what was answered is in it, whatever becomes of the process or the disk."""

from __future__ import annotations

import json
import resource
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mlops_ci.serving import log as logs
from mlops_ci.serving import segments
from mlops_ci.serving.counts import PART, Counts
from mlops_ci.serving.log import Limits, PredictionLog
from mlops_ci.serving.metrics import LATE, LOGGED, LOST, OVERFLOWED, SETTLED, told_of_log
from mlops_ci.serving.segments import Segment, sweep
from tests import serving_bundles
from tests.serving_client import running, until

ROW = {"carrier": "AA", "hour": 18, "distance": 300.5, "remark": "snow", "flight": "AA 1"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_bundles.write(tmp_path_factory.mktemp("bundles") / "flights", serving_bundles.multiclass())


def records(folder: Path) -> list[dict[str, Any]]:
    """Every record of a log, in any order; a line that is cut off is an error."""
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_bytes().splitlines()]


def test_a_record_says_who_asked_what_and_what_was_answered(bundle: Path, tmp_path: Path) -> None:
    with running(bundle, "--log", str(tmp_path)) as server:
        answered = server.post({"instances": [ROW, ROW | {"hour": 3}]}, **{"x-request-id": "abc"}).json()["predictions"]
        assert server.post({"instances": [ROW | {"hour": 99}]}, **{"x-request-id": "bad"}).status == 400
        assert server.ask("POST", "/v2/models/flights/infer", b"{", {"x-request-id": "worse"}).status == 400
        server.stop()
    first, second, bad, worse = records(tmp_path)
    assert first.pop("time").endswith("Z")
    assert 0 < first.pop("milliseconds") < 10_000
    assert first.pop("digest").startswith("sha256:")
    assert first == {
        "request": "abc",
        "release": "v12",
        "status": 200,
        "row": 0,
        "inputs": {"carrier": "AA", "hour": 18, "distance": 300.5, "remark": "snow"},
        "outputs": answered[0],
        "ids": {"flight": "AA 1"},
    }
    assert (second["row"], second["outputs"]) == (1, answered[1])
    assert (bad["request"], bad["status"], bad["error"], bad["where"]) == (
        "bad",
        400,
        "out_of_range",
        "row 0, column hour",
    )
    assert (worse["error"], "inputs" in bad, "99" in json.dumps(bad["where"])) == ("not_json", False, False)


def test_a_bundle_is_told_its_number(bundle: Path, tmp_path: Path) -> None:
    with running(bundle, "--log", str(tmp_path), "--release", "v13") as server:
        assert server.lines[0].startswith("flights v13 (")
        assert server.ask("GET", "/v2/models/flights/versions/v13").json()["versions"] == ["v13"]
        assert 'release="v13"' in server.ask("GET", "/metrics").body.decode()
        server.post({"instances": [ROW]})
        server.stop()
    assert [each["release"] for each in records(tmp_path)] == ["v13"]


def test_duckdb_reads_a_log_as_it_is(bundle: Path, tmp_path: Path) -> None:
    with running(bundle, "--log", str(tmp_path)) as server:
        for hour in (1, 18, 99):
            server.post({"instances": [ROW | {"hour": hour}]})
        server.stop()
    found = duckdb.sql(
        f"select status, inputs.hour, outputs.prediction, error from read_json('{tmp_path}/*.jsonl') order by status, 2"
    ).fetchall()
    assert found == [(200, 1, "early", None), (200, 18, "late", None), (400, None, None, "out_of_range")]


def test_private_columns_are_hashed_under_a_key_or_left_out(tmp_path: Path) -> None:
    bundle = serving_bundles.write(tmp_path / "bundle", serving_bundles.binary())
    golden = json.loads((bundle / "golden.json").read_text(encoding="utf-8"))
    row = dict(zip(golden["columns"], golden["rows"][0], strict=True)) | {"patient": "Ada"}

    def inputs(name: str, **variables: str) -> tuple[Any, Any]:
        with running(bundle, "--log", str(tmp_path / name), **variables) as server:
            assert server.post({"dataframe_records": [row]}).status == 200
            server.stop()
        text = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / name).iterdir())
        assert "Ada" not in text
        [record] = records(tmp_path / name)
        assert record["inputs"]["mean texture"] == row["mean texture"]
        return record["inputs"].get("mean radius"), record["ids"].get("patient")

    assert inputs("none") == (None, None)
    hashed = inputs("one", MLOPS_CI_LOG_KEY="key")
    assert all(each.startswith("blake2b:") and len(each) == 40 for each in hashed)
    assert inputs("two", MLOPS_CI_LOG_KEY="key") == hashed
    assert inputs("three", MLOPS_CI_LOG_KEY="other")[0] != hashed[0]


def test_a_line_that_was_cut_off_goes_and_a_live_segment_stays(tmp_path: Path) -> None:
    dead = tmp_path / "predictions-20240501T120000-00000000.open"
    dead.write_bytes(b'{"row":0}\n{"row":')
    (tmp_path / "predictions-20240501T120000-00000001.open").write_bytes(b'{"ro')
    first = PredictionLog(tmp_path)
    first.write(b'{"row":1}\n', 1)
    second = PredictionLog(tmp_path)  # as another worker
    assert len(list(tmp_path.glob("*.open"))) == 1
    first.close()
    second.close()
    assert sorted(record["row"] for record in records(tmp_path)) == [0, 1]
    assert dead.with_suffix(".jsonl").read_bytes() == b'{"row":0}\n'


def test_a_segment_that_another_process_swept_away_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that starts sweeps the folder, maybe between the moment a file is made and that of its lock."""
    begin = segments._begun
    swept: list[Path] = []

    def then_swept(folder: Path, now: float) -> tuple[Path, int]:
        path, file = begin(folder, now)
        if len(swept) < 2:
            sweep(folder)
            swept.append(path)
        return path, file

    monkeypatch.setattr(segments, "_begun", then_swept)
    segment = Segment(tmp_path)
    segment.append(b'{"row":1}\n')
    assert [path.exists() for path in swept] == [False, False]
    assert records(tmp_path) == [{"row": 1}]
    sweep(tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".open"]
    segment.close()


def test_many_sweep_at_once(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"predictions-20240501T120000-{number:08x}.open").write_bytes(b'{"row":%d}\n' % number)
    failed: list[OSError] = []

    def sweeper() -> None:
        try:
            sweep(tmp_path)
        except OSError as error:
            failed.append(error)

    sweepers = [threading.Thread(target=sweeper) for _ in range(8)]
    for each in sweepers:
        each.start()
    for each in sweepers:
        each.join()
    assert failed == []
    assert sorted(record["row"] for record in records(tmp_path)) == list(range(300))
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl"}


def test_segments_are_closed_by_size_and_by_time(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, Limits(segment_bytes=25))
    for number in range(6):
        log.write(b'{"row":%d}\n' % number, 1)
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    log.close()
    old = PredictionLog(tmp_path / "old", Limits(segment_seconds=0.01))
    old.write(b"{}\n", 1)
    time.sleep(0.05)
    old.tick()
    assert [path.suffix for path in (tmp_path / "old").iterdir()] == [".jsonl"]


def test_a_log_that_somebody_deletes_is_begun_anew_and_its_records_count_as_dropped(
    bundle: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    with running(bundle, "--log", str(folder)) as server:
        server.post({"instances": [ROW] * 3})
        shutil.rmtree(folder)

        def told() -> bool:
            return "mlops_ci_log_dropped_total 3\n" in server.ask("GET", "/metrics").body.decode()

        until(told)
        assert "mlops_ci_log_failing 1\n" in server.ask("GET", "/metrics").body.decode()
        server.post({"instances": [ROW]})
        assert "mlops_ci_log_failing 0\n" in server.ask("GET", "/metrics").body.decode()
        server.stop()
    assert len(records(folder)) == 1
    assert server.lines[-1] == "4 records logged, 3 dropped"


class Stalling:
    """A segment on a disk that takes its time."""

    size = 0
    began = 0.0
    gone = False
    written: list[bytes]

    def __init__(self, folder: Path) -> None:
        self.written = Stalling.written = []

    def append(self, lines: bytes) -> None:
        time.sleep(0.2)
        self.written.append(lines)

    def close(self) -> None: ...


def test_a_disk_that_stalls_does_not_stall_answers_and_drops_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "Segment", Stalling)
    counts = Counts()
    log = PredictionLog(tmp_path, Limits(waiting=3), counts)
    log.write(b"0\n", 1)  # notices the stall
    log.write(b"1\n", 1)
    began = time.monotonic()
    for number in range(2, 12):
        log.write(b"%d\n" % number, 2)
    assert time.monotonic() - began < 0.1
    log.close()
    kept = len(Stalling.written)
    assert Stalling.written == sorted(Stalling.written)
    assert (counts[LOGGED], counts[OVERFLOWED]) == (2 + 2 * (kept - 2), 2 * (12 - kept))
    assert 4 <= kept <= 6
    assert counts[LATE] == counts[SETTLED] >= counts[LOGGED] - 2


def test_what_waited_in_a_process_that_was_killed_is_counted_as_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "Segment", Stalling)
    counts = Counts()
    log = PredictionLog(tmp_path, counts=counts)
    for _ in range(4):
        log.write(b"0\n", 5)
    assert (counts[LATE] - counts[SETTLED], counts[LOST]) == (15, 0)
    taken = Counts()
    for name in (LATE, SETTLED, LOGGED):
        taken[name] = counts[name]
    PredictionLog(tmp_path, counts=taken)  # what takes its place
    assert told_of_log(taken.sums()) == "5 records logged, 15 dropped"


def test_a_stall_that_is_over_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "Segment", Stalling)
    counts = Counts()
    log = PredictionLog(tmp_path, counts=counts)
    log.write(b"0\n", 1)
    log.write(b"1\n", 1)
    assert until(lambda: len(Stalling.written) == 2)
    monkeypatch.setattr(Stalling, "append", lambda self, lines: self.written.append(lines))
    log.write(b"2\n", 1)  # the thread finds that it is over
    assert until(lambda: not log._late)
    log.write(b"3\n", 1)
    assert Stalling.written == [b"0\n", b"1\n", b"2\n", b"3\n"]
    assert (counts[LATE], counts[SETTLED], counts[LOGGED]) == (2, 2, 4)


def test_after_one_slow_write_nothing_waits_for_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where processors are busy a write may be slow once; what follows is at the mercy of `kill -9` while it waits."""
    monkeypatch.setattr(logs, "Segment", Stalling)
    log = PredictionLog(tmp_path)
    log.write(b"0\n", 1)
    monkeypatch.setattr(Stalling, "append", lambda self, lines: self.written.append(lines))
    began = time.monotonic()
    log.write(b"1\n", 1)
    assert until(lambda: len(Stalling.written) == 2)
    assert time.monotonic() - began < logs._QUIET / 2


def test_where_nobody_asks_for_a_while_the_disk_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "Segment", Stalling)
    monkeypatch.setattr(logs, "_QUIET", 0.05)
    log = PredictionLog(tmp_path)
    log.write(b"0\n", 1)
    assert until(lambda: not log._late)
    monkeypatch.setattr(Stalling, "append", lambda self, lines: self.written.append(lines))
    log.write(b"1\n", 1)
    assert Stalling.written == [b"0\n", b"1\n"]


def limited() -> None:
    """As on a disk with room for 5,000 bytes: the kernel refuses what goes beyond."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))


@pytest.mark.parametrize("required", [False, True])
def test_a_full_disk_is_told_and_lines_stay_whole(bundle: Path, tmp_path: Path, required: bool) -> None:
    options = ["--log", str(tmp_path), *(["--log-required"] if required else [])]
    with running(bundle, *options, preexec_fn=limited, PYTHONDONTWRITEBYTECODE="1") as server:
        statuses = [server.post({"instances": [ROW]}).status for _ in range(30)]
        metrics = dict(line.rsplit(" ", 1) for line in server.ask("GET", "/metrics").body.decode().splitlines())
        ready = server.ask("GET", "/ready").status
        code = server.stop()
    kept = len(records(tmp_path))
    assert 5 < kept < 29
    assert (code, server.lines[-1]) == (0, f"{kept} records logged, {30 - kept} dropped")
    assert (metrics["mlops_ci_log_rows_total"], metrics["mlops_ci_log_dropped_total"]) == (str(kept), str(30 - kept))
    assert metrics["mlops_ci_log_failing"] == "1"
    assert ready == (503 if required else 200)
    assert statuses == [200] * kept + [503 if required else 200] * (30 - kept)


def test_the_drops_of_all_workers_are_counted(bundle: Path, tmp_path: Path) -> None:
    def limited_more() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 * PART, 3 * PART))  # which is what the counts take

    options = ("--workers", "2", "--log", str(tmp_path))
    with running(bundle, *options, preexec_fn=limited_more, PYTHONDONTWRITEBYTECODE="1") as server:
        until(lambda: "mlops_ci_ready 2\n" in server.ask("GET", "/metrics").body.decode())
        assert {server.post({"instances": [ROW] * 10}).status for _ in range(100)} == {200}
        metrics = dict(line.rsplit(" ", 1) for line in server.ask("GET", "/metrics").body.decode().splitlines())
        assert server.stop() == 0
    kept = len(records(tmp_path))
    assert 200 < kept < 999
    assert (metrics["mlops_ci_log_rows_total"], metrics["mlops_ci_log_dropped_total"]) == (str(kept), str(1000 - kept))
    assert server.lines[-1] == f"{kept} records logged, {1000 - kept} dropped"


def test_a_sample_is_logged(bundle: Path, tmp_path: Path) -> None:
    with running(bundle, "--log", str(tmp_path), "--log-sample", "0.3") as server:
        for _ in range(100):
            assert server.post({"instances": [ROW]}).status == 200
        server.stop()
    assert 10 <= len(records(tmp_path)) <= 55
