"""What is not asked in the releasing jobs is told as not asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from mlops_ci.edge import runtime
from mlops_ci.records.bundles import Golden, ModelFile, Serving
from mlops_ci.records.evaluation import Task
from mlops_ci.records.outcomes import Status
from mlops_ci.steps.bundle import Bundle
from mlops_ci.steps.packaged import Taken
from mlops_ci.steps.progress import Clock, Silent
from mlops_ci.steps.rescore import GOLDEN, ROWS, rescore
from tests.unit.reports.release_stories import bundle


@pytest.mark.parametrize("format_", ["skops", "pickle"])
def test_what_runs_code_when_it_is_loaded_is_not_loaded_and_did_not_pass(
    format_: Literal["skops", "pickle"], monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded(*_: Any) -> None:
        raise AssertionError("it was loaded")

    monkeypatch.setattr(runtime, "python_for", loaded)
    monkeypatch.setattr(runtime, "conforms", loaded)
    golden = Golden(version=1, columns=(), rows=(), answers={}, tolerance=0.0, quantum=1.0, fingerprint="f")
    model = ModelFile(file=f"model.{format_}", format=format_)
    taken = Taken(
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
    case = msgspec.UNSET  # it is not even looked at
    found = rescore(case, taken, "d", Clock(Silent()), until=0.0)  # type: ignore[arg-type]
    assert [result.status for result in found.results] == [Status.SKIPPED]
    assert found.results[0].message.startswith("as the job that made it says")
    assert found.reported == (GOLDEN, ROWS)
