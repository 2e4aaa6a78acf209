"""What is not asked in the releasing jobs is told as not asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from mlops_ci.edge import runtime
from mlops_ci.records.bundles import Golden, ModelFile, Serving
from mlops_ci.records.decisions import Evidence
from mlops_ci.records.due import Cost
from mlops_ci.records.evaluation import Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.steps import request_cost
from mlops_ci.steps.bundle import Bundle
from mlops_ci.steps.ledger import StoredDecision
from mlops_ci.steps.packaged import Taken
from mlops_ci.steps.progress import Clock, Silent
from mlops_ci.steps.rescore import GOLDEN, ROWS, Scored, cost_of, rescore
from tests.unit.reports.release_stories import bundle
from tests.unit.reports.report_stories import decision, result
from tests.unit.test_release_gates import before


def left(format_: Literal["onnx", "skops", "pickle"]) -> Taken:
    """What the packaging job left, of which nothing is there to be loaded."""
    golden = Golden(version=1, columns=(), rows=(), answers={}, tolerance=0.0, quantum=1.0, fingerprint="f")
    model = ModelFile(file=f"model.{format_}", format=format_)
    return Taken(
        bundle=Bundle(folder=Path("nowhere"), digest="", bytes=0, files=0, golden=golden, restored=False),
        serving=Serving(
            version=1,
            project="p",
            task=Task.BINARY,
            commit="",
            model=model,
            inputs=(),
            ids=(),
            private=(),
            outputs=(),
            classes=(),
        ),
        info=bundle(format_=format_),
    )


@pytest.mark.parametrize("format_", ["skops", "pickle"])
def test_what_runs_code_when_it_is_loaded_is_not_loaded_and_did_not_pass(
    format_: Literal["skops", "pickle"], monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded(*_: Any) -> None:
        raise AssertionError("it was loaded")

    monkeypatch.setattr(runtime, "python_for", loaded)
    monkeypatch.setattr(runtime, "conforms", loaded)
    taken = left(format_)
    case = msgspec.UNSET  # it is not even looked at
    found = rescore(case, taken, "d", Clock(Silent()), until=0.0)  # type: ignore[arg-type]
    assert [result.status for result in found.results] == [Status.SKIPPED]
    assert found.results[0].message.startswith("as the job that made it says")
    assert found.reported == (GOLDEN, ROWS)


def stored(*gates: Verdict) -> StoredDecision:
    judged = decision(gates=gates)
    rest: dict[str, Any] = {"run": None, "evidence": Evidence(), "report_markdown": "", "charts": {}}
    return StoredDecision(id="d", head="", path="", decision=judged, **rest)


def test_a_request_is_measured_where_a_gate_asks_and_the_bundle_may_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Cost(facts={"cpu_per_request": 0.001})
    monkeypatch.setattr(request_cost, "measure", lambda *_: measured)
    asks = stored(before("cpu_per_request <= 1 ms", Status.SKIPPED))
    fine = Scored(results=(result("bundle_answers", "as judged"),))
    wrong = Scored(results=(result("bundle_rows", "another model", status=Status.FAILED),))
    clock = Clock(Silent())
    assert cost_of(left("onnx"), asks, clock, fine) is measured
    assert cost_of(left("pickle"), asks, clock, fine) == request_cost.not_loaded("pickle")
    assert cost_of(left("onnx"), asks, clock, wrong) == Cost()
    assert cost_of(left("onnx"), stored(), clock, fine) == Cost()
