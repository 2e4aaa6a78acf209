"""Models of MLflow, of a library that nobody here knows: released, served, scored, and opened by MLflow itself."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.edge import runtime
from mlops_ci.edge.git import Repository
from mlops_ci.packaging import locks
from mlops_ci.steps import ledger
from tests.e2e.test_release import LOADED, TABLES, alike, run
from tests.e2e.test_release import golden as golden  # noqa: PLC0414 - a fixture
from tests.e2e.test_release import served as served  # noqa: PLC0414 - a fixture
from tests.e2e.test_release import test_a_served_release_gives_the_judged_answers as served_answers
from tests.helpers import commit, repo

LOCK = Path(__file__).parents[1] / "integration" / "pyfunc_environment" / "requirements.lock"
SETTINGS = """version: 1
project: tumours
task: classification
data: {sources: {rows: data/rows.csv}, target: target}
train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}
gates: [accuracy >= 0.9]
package: {format: pyfunc}
"""
TRAIN = """from pipeline.risk import Risk


def train(frame, params, seed):
    columns = [name for name in frame.columns if name != "target"]
    return Risk(columns[: params["columns"]]).fit(frame)
"""
RISK = """import mlflow.pyfunc
import statsmodels.api as sm
from pipeline.sums import share


class Risk(mlflow.pyfunc.PythonModel):
    def __init__(self, columns):
        self.columns = columns

    def table(self, frame):
        return sm.add_constant(frame[self.columns], has_constant="add").to_numpy()

    def fit(self, frame):
        self.weights = sm.OLS(frame["target"].to_numpy(float), self.table(frame)).fit().params
        return self

    def predict(self, context, model_input, params=None):
        return share(10 * (self.table(model_input) @ self.weights - 0.5))
"""
SUMS = """import numpy as np


def share(values):
    return 1 / (1 + np.exp(-values))
"""
# A folder of one of MLflow's own flavours, saved by a script.
SCRIPT = """import mlflow.statsmodels
import pandas as pd
import statsmodels.api as sm

rows = pd.read_csv("data/rows.csv")
columns = ["worst texture", "worst perimeter", "mean fractal dimension", "worst concave points"]
fitted = sm.GLM(rows["target"], rows[columns], family=sm.families.Binomial()).fit()
signature = mlflow.models.infer_signature(rows[columns], fitted.predict(rows[columns]))
mlflow.statsmodels.save_model(fitted, "made/model", signature=signature)
"""


def project(root: Path) -> Path:
    files: dict[str, str | bytes] = {
        "mlops.yaml": SETTINGS,
        "data/rows.csv": (TABLES / "breast_cancer.csv").read_bytes(),
        "pipeline/__init__.py": "",
        "pipeline/train.py": TRAIN,
        "pipeline/risk.py": RISK,
        "pipeline/sums.py": SUMS,
        "params.yaml": "columns: 5\n",
        "requirements.lock": LOCK.read_bytes(),
        ".gitignore": ".mlops-ci/\n__pycache__/\n",
    }
    return repo(root, files)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = project(tmp_path_factory.mktemp("pyfunc") / "project")
    return root, run(root, "release")


def by_mlflow(bundle: str) -> dict[str, list[Any]]:
    """What `mlflow.pyfunc.load_model` answers in the bundle's own environment, which has MLflow."""
    python = runtime.python_for(Path(bundle), lambda _: None)
    done = subprocess.run([str(python), "-c", LOADED, bundle], capture_output=True, text=True, check=False)
    assert "answers:" in done.stdout, done.stderr
    return dict(json.loads(done.stdout.rpartition("answers:")[2]))


def test_the_bundle_holds_mlflows_folder_the_code_and_the_projects_libraries(
    released: tuple[Path, dict[str, Any]],
) -> None:
    bundle = Path(released[1]["bundle"])
    assert released[1]["release"] == "v1"
    assert sorted(path.name for path in (bundle / "model").iterdir()) == ["MLmodel", "python_model.pkl"]
    model = json.loads((bundle / "serving.json").read_bytes())["model"]
    assert model == {"file": "model", "format": "pyfunc", "predicts": "probabilities", "trusted": []}
    code = sorted(path.relative_to(bundle).as_posix() for path in (bundle / "code").rglob("*.py"))
    assert code == [f"code/pipeline/{name}.py" for name in ("__init__", "risk", "sums")]
    ours, theirs = (
        {pin.name: pin.version for pin in locks.read(path.read_text(), "x").pins}
        for path in (bundle / "requirements.lock", LOCK)
    )
    assert {"mlflow-skinny", "statsmodels", "pandas"} <= ours.keys()
    assert {name: ours[name] for name in ours.keys() & theirs.keys()} == {
        name: theirs[name] for name in ours.keys() & theirs.keys()
    }
    assert {"msgspec", "httptools"} <= ours.keys()


def test_the_report_says_what_it_takes_to_open_it(released: tuple[Path, dict[str, Any]]) -> None:
    stored = ledger.find(Repository.open(released[0]))
    weights = stored.evidence.bundle.installed  # type: ignore[union-attr]
    assert weights
    assert weights.bytes > 200_000_000
    assert {"scipy", "pandas", "statsmodels"} <= {name for name, _ in weights.largest}
    assert "**Opening it runs code**, as `package.format` allows" in stored.report_markdown
    assert "those that weigh most: scipy " in stored.report_markdown


def test_mlflow_gives_the_judged_answers(released: tuple[Path, dict[str, Any]], golden: dict[str, Any]) -> None:
    alike(by_mlflow(released[1]["bundle"]), golden["answers"])


def test_a_served_release_gives_the_judged_answers(served: str, golden: dict[str, Any]) -> None:
    served_answers(served, golden)


def test_a_scored_file_has_the_judged_answers(
    released: tuple[Path, dict[str, Any]], golden: dict[str, Any], tmp_path: Path
) -> None:
    rows = [",".join(golden["columns"]), *(",".join(map(str, row)) for row in golden["rows"])]
    (tmp_path / "asked.csv").write_text("\n".join(rows) + "\n")
    run(released[0], "score", "v1", str(tmp_path / "asked.csv"), str(tmp_path / "answered.csv"))
    with (tmp_path / "answered.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [int(row["prediction"]) for row in found] == golden["answers"]["prediction"]
    shares = [float(row["probability_1"]) for row in found]
    assert shares == pytest.approx(golden["answers"]["probability_1"], abs=1e-5)


def test_trained_again_the_same_commit_gives_the_same_bytes(released: tuple[Path, dict[str, Any]]) -> None:
    shutil.rmtree(released[0] / ".mlops-ci" / "cache")
    assert run(released[0], "release")["digest"] == released[1]["digest"]


@pytest.mark.parametrize("name", ["model/MLmodel", "model/evil.py", "code/pipeline/sums.py"])
def test_a_folder_that_was_changed_or_added_to_is_not_opened(
    released: tuple[Path, dict[str, Any]], tmp_path: Path, name: str
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(released[1]["bundle"], bundle)
    (bundle / name).write_text("raise SystemExit('it ran')")
    command = [sys.executable, "-m", "mlops_ci", "serve", str(bundle)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert name in done.stderr
    assert "it ran" not in done.stderr


def test_a_folder_that_a_script_saved_is_released_too(released: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """And where nobody asked for a format that runs code, it is not."""
    root = tmp_path / "script"
    shutil.copytree(released[0], root)
    trained = "train: {command: python train.py, output: made/model}"
    told = SETTINGS.replace("train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}", trained)
    commit(root, {"mlops.yaml": told.replace("format: pyfunc", "format: auto"), "train.py": SCRIPT}, "A script")
    error = run(root, "release", code=11)["error"]
    assert "package: {format: pyfunc}" in error["advice"]
    commit(root, {"mlops.yaml": told}, "MLflow")
    made = run(root, "release")
    assert made["release"] == "v2"
    bundle = Path(made["bundle"])
    assert sorted(path.name for path in (bundle / "model").iterdir()) == ["MLmodel", "model.statsmodels"]
    serving = json.loads((bundle / "serving.json").read_bytes())
    assert sorted(one["name"] for one in serving["inputs"]) == sorted(
        ["worst texture", "worst perimeter", "mean fractal dimension", "worst concave points"]
    )
    alike(by_mlflow(made["bundle"]), json.loads((bundle / "golden.json").read_bytes())["answers"])
