"""Workers that are killed, or cannot start again: what was answered is in the log, and all serve one bundle."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from bench.kills import command
from bench.kills.client import Asked
from bench.kills.reckoning import reckon
from mlops_ci.serving import crew
from tests import serving_bundles
from tests.serving_client import running, until

ROW = {"carrier": "AA", "hour": 18, "distance": 300.5, "remark": None}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return serving_bundles.write(tmp_path / "flights", serving_bundles.multiclass())


def test_what_was_answered_under_load_is_logged_though_workers_are_killed(tmp_path: Path) -> None:
    """`python -m bench.kills` for fifteen seconds, and another bundle whenever there was time to load one."""
    found = command.run(tmp_path, command.Load(15.0, workers=3, clients=6, reload=0.5))
    assert found.wrong == [], "\n".join(found.lines())
    assert found.kills >= 6
    assert found.reloads >= 2
    assert found.goodbye < 20
    assert found.reckoning.answered == found.reckoning.logged > 2_000


def line(request: str, row: int | None, status: int = 200, **outputs: Any) -> str:
    return json.dumps({"request": request, "row": row, "status": status, "outputs": outputs}) + "\n"


RIGHT = [line("a", 0, y=1), line("a", 1, y=2), line("b", None, 400), line("c", 0, y=3)]
WRONG = {
    "as it was": (RIGHT, (3, 1, 0)),
    "one is missing": (RIGHT[1:], (2, 1, 0)),
    "one is there twice": ([*RIGHT, RIGHT[0]], (3, 1, 1)),
    "another answer": ([line("a", 0, y=5), *RIGHT[1:]], (2, 1, 1)),
    "another status": ([*RIGHT[:2], line("b", None, 413), RIGHT[3]], (2, 1, 1)),
    "one of nobody": ([*RIGHT, line("d", 0, y=1)], (3, 1, 1)),
    "one that is cut off": ([*RIGHT, '{"request":"a'], (3, 1, 1)),
}


@pytest.mark.parametrize("case", WRONG)
def test_whatever_is_wrong_with_a_log_is_seen(tmp_path: Path, case: str) -> None:
    lines, (logged, in_flight, stray) = WRONG[case]
    asked = {"a": Asked(2, 200, ({"y": 1}, {"y": 2})), "b": Asked(1, 400), "c": Asked(1, None)}
    (tmp_path / "predictions-1.jsonl").write_text("".join(lines), encoding="utf-8")
    found = reckon(asked, tmp_path)
    assert found == (3, 1, 3, logged, in_flight, stray)
    assert (found.wrong(0, logged + in_flight, 0) == []) == (case == "as it was")
    assert found.wrong(0, logged + in_flight + 1, 0) != []
    assert found.wrong(0, logged + in_flight, 1) != []


def test_counts_are_those_of_all_workers_and_outlive_them(bundle: Path, tmp_path: Path) -> None:
    with running(bundle, "--workers", "2", "--log", str(tmp_path / "log")) as server:
        assert until(lambda: server.metrics()["mlops_ci_ready"] == 2)
        for _ in range(40):  # each over a connection of its own: the kernel deals them out
            assert server.post({"instances": [ROW] * 2}).status == 200
        for number in range(1, 3):
            before = server.workers()
            os.kill(before[0], signal.SIGKILL)
            assert until(lambda known=before: len(set(server.workers()) - set(known)) == 1)
            assert until(lambda: server.metrics()["mlops_ci_ready"] == 2)
            found = server.metrics()
            assert found["mlops_ci_worker_restarts_total"] == number
            assert found['mlops_ci_requests_total{path="/invocations",status="200"}'] == 40
            assert found["mlops_ci_rows_total"] == found["mlops_ci_log_rows_total"] == 80
            assert found["mlops_ci_request_seconds_count"] == 40
        server.stop()
    assert server.lines[-1] == "80 records logged, 0 dropped"


def test_a_worker_that_starts_again_serves_the_bundle_that_was_there_at_first(bundle: Path, tmp_path: Path) -> None:
    with running(bundle, "--workers", "2") as server:
        digest = server.ask("GET", "/metadata").json()["digest"]
        assert until(lambda: server.metrics()["mlops_ci_ready"] == 2)
        serving = json.loads((bundle / "serving.json").read_bytes()) | {"project": "another"}
        (bundle / "serving.json").write_text(json.dumps(serving), encoding="utf-8")
        serving_bundles.sealed(bundle)  # nothing is wrong with it but that it is not the one that was started
        before = server.workers()
        os.kill(before[0], signal.SIGKILL)
        assert until(lambda: set(server.workers()) - set(before))
        assert until(lambda: server.workers() == before[1:])  # it does not become one that answers
        assert server.ask("GET", "/metadata").json()["digest"] == digest
        os.kill(before[1], signal.SIGKILL)
        assert server.process.wait(60) == 1
        server.lines.extend(server.process.communicate()[1].splitlines())
    assert any(f"only {digest} may be served here" in line for line in server.lines)


def test_one_that_cannot_start_again_does_not_end_those_that_are_well(bundle: Path) -> None:
    runtime = bundle / "serve" / "mlops_ci_serving" / "crew.py"
    text = runtime.read_text(encoding="utf-8")
    assert f"_LATER = {crew._LATER}" in text
    runtime.write_text(text.replace(f"_LATER = {crew._LATER}", "_LATER = 2.0"), encoding="utf-8")
    serving_bundles.sealed(bundle)
    with running(bundle, "--workers", "2") as server:
        assert until(lambda: server.metrics()["mlops_ci_ready"] == 2)
        before = server.workers()
        shutil.move(bundle / "golden.json", bundle.parent)
        os.kill(before[0], signal.SIGKILL)
        for _ in range(3):  # it is tried again, and fails again
            known = set(server.workers())
            assert until(lambda known=known: set(server.workers()) - known)
            assert before[1] in server.workers()
            assert until(lambda: server.post({"instances": [ROW]}).status == 200)
            assert server.metrics()["mlops_ci_ready"] == 1
        shutil.move(bundle.parent / "golden.json", bundle)
        assert until(lambda: server.metrics()["mlops_ci_ready"] == 2)
        assert server.stop() == 0
