"""Processor time a request: of the bundle's own server, and not of a busy machine; what cannot be measured is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

import msgspec
import pytest

from mlops_ci.edge import runtime, timed_server
from mlops_ci.errors import OutsideError
from mlops_ci.records.bundles import Golden
from mlops_ci.records.decisions import FactNote
from mlops_ci.records.due import Cost
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part, Result
from mlops_ci.steps import release_gates, request_cost
from mlops_ci.steps.golden_answers import request
from mlops_ci.steps.progress import Clock, Silent
from mlops_ci.steps.release_decision import _outcome
from tests import serving_bundles
from tests.unit.test_release_gates import WAIVER, before, candidate

HERE = Path(sys.executable)
BURN = "while True: sum(range(10_000))"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_bundles.write(tmp_path_factory.mktemp("cost") / "flights", serving_bundles.multiclass())


@pytest.fixture
def bundle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(runtime, "python_for", lambda bundle, say: HERE)
    golden = msgspec.json.decode((folder / "golden.json").read_bytes(), type=Golden)
    return cast("Any", SimpleNamespace(folder=folder, golden=golden))


def asked(bundle: Any, requests: int) -> timed_server.Times:
    bodies = [request(msgspec.structs.replace(bundle.golden, rows=(row,))).encode() for row in bundle.golden.rows]
    return timed_server.ask(bundle.folder, HERE, bodies, timed_server.Limits(requests=requests, seconds=30.0))


def test_it_is_counted_of_the_server_and_of_nobody_else(bundle: Any) -> None:
    """Four programs that never rest take the clock's time, and no processor time of the server's."""
    quiet = asked(bundle, 600)
    burning = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(4)]
    try:
        busy = asked(bundle, 600)
    finally:
        for one in burning:
            one.kill()
            one.wait()
    assert len(quiet.wall) == len(busy.wall) == 600
    assert 0 < quiet.cpu <= sum(quiet.wall) + 0.05
    # Caches and the core's clock are shared: the same work takes some more time of the processor, not of the clock.
    assert busy.cpu < 4 * quiet.cpu + 0.1
    assert busy.cpu < 0.8 * sum(busy.wall) + 0.05


WORK = """
import os, time
child = os.fork()
if not child:
    os.setpgid(0, 0)
while sum((os.times().user, os.times().system)) < 0.6 or os.times().system < 0.2:
    sum(range(1000))
    os.sched_yield()
print(os.times().user + os.times().system, flush=True)
time.sleep(60)
"""


def test_all_processor_time_of_all_its_processes_is_counted_in_seconds() -> None:
    """Also of one that left its group, and what the kernel did for it: as the processes themselves are told."""
    command = [sys.executable, "-c", WORK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        try:
            spent = [float(process.stdout.readline()) for _ in range(2)]
            assert timed_server._cpu(process.pid) == pytest.approx(sum(spent), abs=0.1)
        finally:
            os.killpg(os.getpgid(process.pid), 9)


def test_it_takes_no_longer_than_it_may(bundle: Any) -> None:
    began = time.monotonic()
    bodies = [request(bundle.golden).encode()]
    found = timed_server.ask(bundle.folder, HERE, bodies, timed_server.Limits(requests=1_000_000, seconds=0.5))
    assert sum(found.wall) < time.monotonic() - began < 30
    assert 0.3 < sum(found.wall) < 1


def test_the_server_is_told_nothing_of_ours_and_does_not_outlive_it(
    bundle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "a-secret")
    with timed_server._running(bundle.folder, HERE) as (process, _):
        assert b"a-secret" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    assert process.poll() is not None


def test_a_server_that_ends_in_between_is_told(bundle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_server, "_cpu", lambda session: os.killpg(session, 9) or 0.0)
    with pytest.raises(OutsideError, match="the bundle's server does not answer: "):
        asked(bundle, 600)


def test_more_requests_take_more(bundle: Any) -> None:
    assert asked(bundle, 1_200).cpu > 1.5 * asked(bundle, 300).cpu


def test_it_is_recorded_with_how_it_was_found(bundle: Any) -> None:
    found = request_cost.measure(bundle, Clock(Silent()))
    assert found.missing == {}
    assert 0 < found.facts["cpu_per_request"] < 0.1
    note = found.notes["cpu_per_request"]
    assert note.unit == "s"
    assert "ms of processor time, on average of " in note.told
    assert "by the clock, which the machine's other work moves, 99 % took at most " in note.told


def test_it_is_the_mean_of_requests_of_one_row_in_seconds(bundle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[list[Any]] = []

    def ask(_folder: Path, _python: Path, bodies: list[bytes], _limits: timed_server.Limits) -> timed_server.Times:
        said.extend(json.loads(body)["dataframe_split"]["data"] for body in bodies)
        return timed_server.Times(cpu=0.5, wall=(0.001,) * 980 + (0.004,) * 20)

    monkeypatch.setattr(timed_server, "ask", ask)
    found = request_cost.measure(bundle, Clock(Silent()))
    assert said == [[list(row)] for row in bundle.golden.rows]
    assert found.facts == {"cpu_per_request": 0.0005}
    assert found.notes["cpu_per_request"].told == (
        "One golden row a request took the bundle's own server 0.5 ms of processor time, on average of 1,000; by the "
        "clock, which the machine's other work moves, 99 % took at most 4 ms"
    )
    few = timed_server.Times(cpu=0.5, wall=(0.1,) * 99)
    monkeypatch.setattr(timed_server, "ask", lambda *_: few)
    found = request_cost.measure(bundle, Clock(Silent()))
    assert (found.facts, found.missing["cpu_per_request"].reason) == (
        {},
        "cpu_per_request needs 100 requests, and only 99 requests in 10 s were answered",
    )


def test_a_server_that_does_not_start_leaves_the_gate_undecided(
    bundle: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = cast("Any", SimpleNamespace(folder=tmp_path, golden=bundle.golden))
    found = request_cost.measure(broken, Clock(Silent()))
    assert found.facts == {}
    assert found.missing["cpu_per_request"].reason == (
        "cpu_per_request could not be measured: the bundle's server does not start"
    )
    with pytest.raises(OutsideError, match="answers a golden request with 4"):
        timed_server.ask(bundle.folder, HERE, [b"{}"], timed_server.Limits())
    monkeypatch.setattr(timed_server, "can_count", lambda: False)
    assert request_cost.measure(bundle, Clock(Silent())).missing["cpu_per_request"].status is Status.UNDECIDED


@pytest.mark.parametrize(
    ("cost", "verdict", "outcome"),
    [
        (Cost(facts={"cpu_per_request": 0.001}), Status.PASSED, None),
        (Cost(facts={"cpu_per_request": 0.0011}), Status.FAILED, Outcome.FAILED),
        (request_cost.not_loaded("skops"), Status.UNDECIDED, Outcome.UNDECIDED),
        (Cost(), Status.ERRORED, Outcome.ERRORED),
    ],
    ids=["within", "over", "not loaded", "nobody measured"],
)
def test_the_gate_is_judged_by_what_was_measured(cost: Cost, verdict: Status | None, outcome: Outcome | None) -> None:
    gate = before("cpu_per_request <= 1 ms", Status.SKIPPED)
    notes = {name: FactNote(unit="s", told="told") for name in cost.facts}
    asked_of = msgspec.structs.replace(candidate(gate), cost=msgspec.structs.replace(cost, notes=notes))
    found = release_gates.of_bundle(asked_of)
    assert [one.verdict for one in found.gates] == ([verdict] if verdict else [])
    assert found.refused is (outcome is not None)
    if outcome:
        refused = msgspec.structs.replace(found, info=msgspec.structs.replace(found.info, number=0))
        assert _outcome(refused) is outcome


def test_a_waiver_is_for_a_number_that_is_known() -> None:
    waived = before("cpu_per_request <= 1 ms", Status.FAILED, blocking=False, waived=WAIVER)
    found = release_gates.of_bundle(candidate(waived))
    assert ([one.verdict for one in found.gates], found.refused) == ([Status.ERRORED], True)


def test_the_outcome_is_that_of_what_blocks() -> None:
    """Of gates what was waived does not count; wrong answers come before any gate."""
    waived = before("bundle_size <= 1 MB", Status.FAILED, blocking=False, waived=WAIVER)
    asked_of = candidate(waived, before("cpu_per_request <= 1 ms", Status.SKIPPED))
    cost = msgspec.structs.replace(asked_of, cost=request_cost.not_loaded("skops"))
    found = release_gates.of_bundle(cost)
    refused = msgspec.structs.replace(found, info=msgspec.structs.replace(found.info, number=0))
    assert _outcome(refused) is Outcome.UNDECIDED
    wrong = Result(check="bundle_answers", part=Part.MODEL, status=Status.FAILED, message="other answers")
    assert _outcome(msgspec.structs.replace(refused, results=(wrong,))) is Outcome.FAILED


@pytest.mark.parametrize("rule", ["warn", "accept"])
def test_what_could_not_be_measured_is_let_through_where_the_gate_says_so(rule: Literal["warn", "accept"]) -> None:
    gate = before("cpu_per_request <= 1 ms", Status.SKIPPED)
    asked_of = msgspec.structs.replace(candidate(gate, when_undecided=rule), cost=request_cost.not_loaded("skops"))
    found = release_gates.of_bundle(asked_of)
    assert [(one.verdict, one.blocking) for one in found.gates] == [(Status.UNDECIDED, False)]
    assert not found.refused


def test_it_is_measured_only_where_a_gate_asks() -> None:
    names = before("cpu_per_request <= 1 ms", Status.SKIPPED)
    assert request_cost.asked_by(candidate(names).passed.decision)
    assert not request_cost.asked_by(candidate(before("accuracy >= 0.9")).passed.decision)
