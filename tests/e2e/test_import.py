"""A model in production already is the champion of the first pull request; releases in the registry of MLflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.errors import UsageError
from mlops_ci.steps.bundles import find_bundle
from tests.e2e.test_release import SETTINGS, TABLES, TRAIN
from tests.environments import python_with
from tests.helpers import commit, git, repo

REPOSITORY = Path(__file__).parents[2]
GATES = "gates: [accuracy >= 0.9, roc_auc - champion.roc_auc > -0.05]"
# Fewer columns than the project's own model has, so that the two can be told apart.
MAKE = """
import sys
import mlflow, pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

frame = pd.read_csv("data/rows.csv")
x, y = frame.drop(columns="target").iloc[:, :4], frame["target"]
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
signature = mlflow.models.infer_signature(x, model.predict(x))
mlflow.set_tracking_uri(sys.argv[1])
with mlflow.start_run():
    mlflow.sklearn.log_model(model, name="model", signature=signature, registered_model_name="churn",
                             serialization_format="cloudpickle")
"""
REGISTER = """
import json, sys
from pathlib import Path
from mlflow.tracking import MlflowClient
from mlops_ci.edge.mlflow_models import Version, register

bundle, state = Path(sys.argv[1]), Path(sys.argv[2])
version = Version(name="tumours", release="v3", tags={"mlops_ci.digest": "abc"}, bundle=bundle)
told = [register(version, local=state), register(version, local=state)]
client = MlflowClient(tracking_uri=f"sqlite:///{state}/mlflow.db")
found = client.get_model_version_by_alias("tumours", "release-3")
[run] = client.search_runs(client.search_experiments(filter_string="name = 'tumours'")[0].experiment_id)
files = [each.path for each in client.list_artifacts(run.info.run_id, "model")]
print("told:" + json.dumps([told, found.version, found.tags, files, run.info.status]))
"""


@pytest.fixture(scope="module")
def with_mlflow() -> Path:
    """A Python with MLflow and what the tool needs."""
    return python_with("mlflow")


def run(root: Path, *words: str, python: str | Path = sys.executable, code: int = 0, **extra: str) -> dict[str, Any]:
    variables = os.environ | {"PYTHONPATH": str(REPOSITORY)} | extra
    command = [str(python), "-m", "mlops_ci", *words, "--json"]
    done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def project(root: Path) -> Path:
    files = {
        "mlops.yaml": SETTINGS.replace("gates: [accuracy >= 0.9]", GATES),
        "data/rows.csv": (TABLES / "breast_cancer.csv").read_bytes(),
        "pipeline/train.py": TRAIN,
        "params.yaml": "max_iter: 1000\n",
        ".gitignore": ".mlops-ci/\n__pycache__/\nmlruns/\nold/\n",
    }
    return repo(root, files)


class Taken:
    """A project with an imported model, and what the import said."""

    def __init__(self, root: Path, python: Path, address: str) -> None:
        self.root, self.python, self.address = root, python, address
        self.told = self.imported()

    def imported(self) -> dict[str, Any]:
        words = ("release", "--import", "models:/churn/1", "--reason", "it runs since March")
        return run(self.root, *words, python=self.python, MLFLOW_TRACKING_URI=self.address)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory, with_mlflow: Path) -> Taken:
    folder = tmp_path_factory.mktemp("import")
    root, address = project(folder / "project"), f"sqlite:///{folder}/mlflow.db"
    made = subprocess.run([with_mlflow, "-c", MAKE, address], cwd=root, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return Taken(root, with_mlflow, address)


@pytest.mark.needs("registry")
@pytest.mark.timeout(900)
def test_an_imported_model_is_the_champion_of_the_first_commit(taken: Taken, tmp_path: Path) -> None:
    root, told = taken.root, taken.told
    assert (told["release"], told["outcome"], told["image"]) == ("v1", "passed", None)
    kept = json.loads(git(root, "show", "mlops-reports:releases/tumours/v1.json"))
    assert (kept["bundle"], kept["decision"], kept["judged"]) == (told["digest"], told["decision"], "")
    assert kept["imported"] == "models:/churn/1"
    [row] = run(root, "history")["decisions"]
    said = "models:/churn/1 was taken in as v1, not judged by gates: it runs since March"
    assert (row["kind"], row["verdict"], row["trust"]) == ("import", said, "desk")
    assert taken.imported() == told
    commit(root, {"params.yaml": "max_iter: 900\n"}, "Less")
    checked = run(root, "check")
    assert checked["champion"]["name"] == "models:/churn/1, imported as v1"
    compared = checked["gates"][1]
    assert compared["verdict"] == "passed"
    assert compared["observed"] > 0
    metrics = {each["metric"]: each for each in checked["metrics"]}
    assert 0.8 < metrics["accuracy"]["champion"] < metrics["accuracy"]["value"]
    with pytest.raises(UsageError, match="v1 was imported") as stopped:
        find_bundle(root, "v1", print)
    assert "mlflow models serve -m" in stopped.value.advice


@pytest.mark.needs("registry")
@pytest.mark.timeout(900)
def test_rows_that_are_new_since_are_asked_of_it_again(taken: Taken, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(taken.root), "elsewhere")
    root = tmp_path / "elsewhere"
    git(root, "fetch", "--quiet", "origin", "mlops-reports:mlops-reports")
    for name in ("store", "env"):
        (root / ".mlops-ci").mkdir(exist_ok=True)
        (root / ".mlops-ci" / name).symlink_to(taken.root / ".mlops-ci" / name)
    git(root, "checkout", "--quiet", "-b", "rows", git(root, "rev-list", "--max-parents=0", "HEAD"))
    lines = (root / "data/rows.csv").read_text().splitlines()
    more = [line.replace(line.split(",")[0], str(float(line.split(",")[0]) + 0.001), 1) for line in lines[1:40]]
    commit(root, {"data/rows.csv": "\n".join([*lines, *more]) + "\n"}, "More rows")
    champion = run(root, "check")["champion"]
    assert champion["name"] == "models:/churn/1, imported as v1"
    assert champion["reason"] == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--import", "old"), "--import needs a --reason"),
        (("--import", "old", "--reason", "a\nb"), "in one line"),
        (("--import", "nowhere", "--reason", "x"), "there is no folder nowhere"),
        (("--import", "data", "--reason", "x"), "data holds no MLmodel"),
        (("--import", "models:/churn/1", "--reason", "x"), "fetched by MLflow, which is not installed here"),
    ],
)
def test_what_cannot_be_taken_in_is_said(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    root = project(tmp_path / "project")
    error = run(root, "release", *words, code=2)["error"]
    assert said in error["message"]
    assert error["advice"]
    assert git(root, "branch", "--list", "mlops-reports") == ""


def test_a_release_is_a_version_of_a_registered_model(with_mlflow: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "serve").mkdir(parents=True)
    (bundle / "MLmodel").write_text("flavors: {}\n")
    (bundle / "serve/a.py").write_text("")
    command = [str(with_mlflow), "-c", REGISTER, str(bundle), str(tmp_path / "state")]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    variables |= {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert "told:" in done.stdout, done.stderr
    told, version, tags, paths, status = json.loads(done.stdout.rpartition("told:")[2])
    assert told == ["tumours/1", "tumours/1"]
    assert (str(version), tags, status) == ("1", {"mlops_ci.digest": "abc"}, "FINISHED")
    assert sorted(paths) == ["model/MLmodel", "model/serve"]
