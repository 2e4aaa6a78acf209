"""A commit that changes the lock, as a dependency update does: `check` loads the bundle with later libraries too."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.edge import runtime
from mlops_ci.flows.check import check
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.steps.case import Asked
from mlops_ci.steps.progress import Silent
from tests.e2e.test_release import SETTINGS, TABLES, TRAIN, run
from tests.helpers import commit, repo

EXAMPLE = Path(__file__).parents[2] / "example_project"
WITH_PATCHES = SETTINGS.replace("package: {", "package: {load_with: [locked, patch], ")
LOCK = (EXAMPLE / "requirements.lock").read_text(encoding="utf-8")
# pytest is not asked here: the project has no model tests.
SHORTER = re.sub(r"^pytest==.*?(?=^[a-z])", "", LOCK, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files: dict[str, str | bytes] = {
        "mlops.yaml": WITH_PATCHES,
        "data/rows.csv": (TABLES / "breast_cancer.csv").read_bytes(),
        "pipeline/train.py": TRAIN,
        "params.yaml": "max_iter: 1000\n",
        "requirements.lock": LOCK,
        ".gitignore": ".mlops-ci/\n__pycache__/\n",
    }
    return repo(tmp_path_factory.mktemp("libraries") / "project", files)


def bundled(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["check"], one["status"]) for one in told["checks"] if one["check"].startswith("bundle")]


def test_a_changed_lock_asks_what_a_release_would_find(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LOCK != SHORTER
    assert bundled(run(root, "check")) == []
    commit(root, {"params.yaml": "max_iter: 900\n"}, "No library")
    assert bundled(run(root, "check")) == []
    commit(root, {"requirements.lock": SHORTER}, "Update the libraries")
    told = run(root, "check")
    assert told["change"]["kinds"] == ["environment"]
    (answers, *later) = bundled(told)
    assert answers == ("bundle_answers", "passed")
    assert len(later) == 2
    assert set(later) <= {("bundle_loads_with", "passed"), ("bundle_loads_with", "skipped")}

    elsewhere = tmp_path / "otherwise"
    shutil.copytree(root, elsewhere)
    monkeypatch.setattr(runtime, "conforms", lambda bundle, python: runtime.Conforms(fingerprint="0" * 64, golden=32))
    refused = check(elsewhere, Asked(fresh=True), Silent())
    assert refused.decision.outcome is Outcome.FAILED
    found = [(one.check, one.status) for one in refused.decision.checks if one.check.startswith("bundle")]
    assert found == [("bundle_answers", Status.FAILED)]
