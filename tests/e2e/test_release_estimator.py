"""A model that becomes no ONNX: its bundle brings the project's libraries and code, and answers by itself as judged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from mlops_ci.packaging import locks
from tests.e2e.test_release import TABLES, alike, mlflow_answers, run
from tests.e2e.test_release import golden as golden  # noqa: PLC0414 - a fixture
from tests.e2e.test_release import served as served  # noqa: PLC0414 - a fixture
from tests.e2e.test_release import test_a_served_release_gives_the_judged_answers as served_answers
from tests.helpers import commit, repo

EXAMPLE = Path(__file__).parents[2] / "example_project"
SETTINGS = """version: 1
project: tumours
task: classification
data: {sources: {rows: data/rows.csv}, target: target}
train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}
gates: [accuracy >= 0.9]
package: {trusted: [pipeline.shares.Shares]}
"""
TRAIN = """from pipeline.shares import Shares
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train(frame, params, seed):
    model = make_pipeline(Shares(), StandardScaler(), LogisticRegression(**params))
    return model.fit(frame.drop(columns="target"), frame["target"])
"""
SHARES = """import numpy as np
from pipeline.sums import total
from sklearn.base import BaseEstimator, TransformerMixin


class Shares(TransformerMixin, BaseEstimator):
    def fit(self, frame, target=None):
        self.fitted_ = True
        return self

    def transform(self, frame):
        values = np.asarray(frame, float)
        return values / total(values)
"""
SUMS = """def total(values):
    return values.sum(axis=1, keepdims=True)
"""


FILES: dict[str, str | bytes] = {
    "mlops.yaml": SETTINGS,
    "data/rows.csv": (TABLES / "breast_cancer.csv").read_bytes(),
    "pipeline/__init__.py": "",
    "pipeline/unused.py": "",
    "pipeline/train.py": TRAIN,
    "pipeline/shares.py": SHARES,
    "pipeline/sums.py": SUMS,
    "params.yaml": "max_iter: 1000\n",
    "requirements.lock": (EXAMPLE / "requirements.lock").read_bytes(),
    ".gitignore": ".mlops-ci/*\n!.mlops-ci/*.lock\n__pycache__/\n",
}


def project(root: Path) -> Path:
    return repo(root, FILES)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = project(tmp_path_factory.mktemp("estimator") / "project")
    return root, run(root, "release")


def pins(bundle: str) -> dict[str, str]:
    found = locks.read((Path(bundle) / "requirements.lock").read_text(), "x").pins
    return {pin.name: pin.version for pin in found}


def test_a_bundle_that_is_no_onnx_brings_its_libraries_and_its_code(released: tuple[Path, dict[str, Any]]) -> None:
    bundle = Path(released[1]["bundle"])
    assert (released[1]["release"], json.loads((bundle / "serving.json").read_bytes())["model"]["format"]) == (
        "v1",
        "skops",
    )
    code = sorted(path.relative_to(bundle).as_posix() for path in (bundle / "code").rglob("*.py"))
    assert code == [f"code/pipeline/{name}.py" for name in ("__init__", "shares", "sums")]
    theirs = {pin.name: pin.version for pin in locks.read((EXAMPLE / "requirements.lock").read_text(), "x").pins}
    ours = pins(released[1]["bundle"])
    assert {name: ours[name] for name in ("scikit-learn", "pandas", "scipy")} == {
        name: theirs[name] for name in ("scikit-learn", "pandas", "scipy")
    }
    assert {"msgspec", "uvicorn", "skops", "click"} <= ours.keys()
    assert not {"onnxruntime", "protobuf", "pytest"} & ours.keys()


def test_its_bill_of_materials_has_the_licences_of_the_projects_libraries(
    released: tuple[Path, dict[str, Any]],
) -> None:
    text = (Path(released[1]["bundle"]) / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    listed = {one["name"]: one.get("licenses") for one in json.loads(text)["components"] if one["type"] == "library"}
    assert listed.keys() == pins(released[1]["bundle"]).keys()
    assert listed["scikit-learn"] == [{"expression": "BSD-3-Clause"}]
    assert listed["joblib"]
    assert all(listed.values()), [name for name, licences in listed.items() if not licences]


def test_the_same_commit_again_is_the_same_release(released: tuple[Path, dict[str, Any]]) -> None:
    assert run(released[0], "release") == released[1]
    shutil.rmtree(released[0] / ".mlops-ci" / "cache")
    assert run(released[0], "release")["digest"] == released[1]["digest"]


def test_mlflow_gives_the_judged_answers(released: tuple[Path, dict[str, Any]], golden: dict[str, Any]) -> None:
    alike(mlflow_answers(released[1]["bundle"]), golden["answers"])


def test_a_served_release_gives_the_judged_answers(served: str, golden: dict[str, Any]) -> None:
    served_answers(served, golden)


def test_code_that_was_changed_or_put_beside_is_not_imported(
    released: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    for name in ("code/pipeline/sums.py", "code/numpy.py", "code/pipeline/__pycache__/sums.cpython-311.pyc"):
        bundle = tmp_path / name.replace("/", "-")
        shutil.copytree(released[1]["bundle"], bundle)
        (bundle / name).parent.mkdir(exist_ok=True)
        (bundle / name).write_text("raise SystemExit('it ran')")
        command = [sys.executable, "-m", "mlops_ci", "serve", str(bundle)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert name in done.stderr
        assert "it ran" not in done.stderr


def test_a_pickle_is_released_where_it_is_asked_for(released: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    root = tmp_path / "pickle"
    shutil.copytree(released[0], root)
    commit(root, {"mlops.yaml": SETTINGS.replace("{trusted: [pipeline.shares.Shares]}", "{format: pickle}")}, "Pickle")
    told = run(root, "release")
    assert told["release"] == "v2"
    assert (Path(told["bundle"]) / "model.pkl").is_file()
    assert "skops" not in pins(told["bundle"])
    report = run(root, "report", told["decision"])["markdown"]
    assert "What opening it runs: " in report
    assert "- `pipeline.shares.Shares`\n" in report
    before, after = (
        json.loads((Path(one["bundle"]) / "golden.json").read_bytes())["fingerprint"] for one in (released[1], told)
    )
    assert before == after


def test_libraries_that_are_not_locked_are_told(tmp_path: Path) -> None:
    root = project(tmp_path / "open")
    (root / "requirements.lock").unlink()
    commit(root, {}, "No lock")
    error = run(root, "release", code=2)["error"]
    assert error["where"] == "mlops.yaml:7: package.format"
    assert "these are not locked: the code runs in the environment mlops-ci is installed in" in error["message"]
    assert "uv pip compile --generate-hashes" in error["advice"]
