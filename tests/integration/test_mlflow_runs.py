"""Runs in a real MLflow on SQLite, in an environment that has it; and checks where MLflow is missing or broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.environments import python_with
from tests.helpers import commit, git, repo

REPOSITORY = Path(__file__).parents[2]
QUESTION = """
import json, sys
from mlflow.tracking import MlflowClient
client = MlflowClient(tracking_uri=sys.argv[1])
found = []
for experiment in client.search_experiments():
    for run in client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"]):
        path = client.list_artifacts(run.info.run_id)[0].path
        text = open(client.download_artifacts(run.info.run_id, path), encoding="utf-8").read()
        found.append({"experiment": experiment.name, "id": run.info.run_id, "name": run.info.run_name,
                      "status": run.info.status, "artifacts": run.info.artifact_uri, "params": run.data.params,
                      "metrics": run.data.metrics, "tags": run.data.tags, "file": path, "text": text})
print("runs:" + json.dumps(found))
"""
TRAIN = """
from sklearn.tree import DecisionTreeClassifier

def train(frame, params, seed):
    model = DecisionTreeClassifier(**params["tree"], random_state=seed)
    return model.fit(frame[["size"]], frame["late"])
"""
SETTINGS = """\
version: 1
project: colours
task: classification
data: {sources: {rows: data/rows.csv}, target: late, id: id}
gates: [accuracy >= 0.5]
"""


class Checked(NamedTuple):
    code: int
    document: dict[str, Any]
    told: str

    @property
    def run(self) -> dict[str, Any]:
        return dict(json.loads((Path(self.document["reports"]["folder"]) / "run.json").read_text()))


@pytest.fixture(scope="module")
def with_mlflow() -> Path:
    """A Python with MLflow and what the tool needs; where it cannot be made, the test is skipped, and in CI failed."""
    return python_with("mlflow")


def project(root: Path, train: str) -> Path:
    sizes, chance = [n * 37 % 100 for n in range(400)], [n * 53 % 97 for n in range(400)]
    late = ["yes" if size + luck > 98 else "no" for size, luck in zip(sizes, chance, strict=True)]
    rows = ["id,size,late", *(f"{n},{size},{word}" for n, (size, word) in enumerate(zip(sizes, late, strict=True)))]
    guesses = ["id,score", *(f"{n},{size / 100}" for n, size in enumerate(sizes))]
    files = {
        "mlops.yaml": SETTINGS + f"train: {{{train}}}\n",
        "data/rows.csv": "\n".join(rows) + "\n",
        "predictions.csv": "\n".join(guesses) + "\n",
        "model/train.py": TRAIN,
        "params.yaml": "tree: {max_depth: 1, criterion: gini}\nnote [a:b]: <b>&\n",
        ".gitignore": ".mlops-ci/\n__pycache__/\n",
    }
    return repo(root, files)


def check(root: Path, python: Path | str = sys.executable, **variables: str) -> Checked:
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [str(python), "-m", "mlops_ci", "check", "--json"],
        cwd=root,
        capture_output=True,
        text=True,
        env={**kept, "PYTHONPATH": str(REPOSITORY), **variables},
        check=False,
    )
    assert done.stdout, done.stderr
    return Checked(done.returncode, json.loads(done.stdout), done.stderr)


def runs(python: Path, store: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [str(python), "-c", QUESTION, f"sqlite:///{store}"], capture_output=True, text=True, check=True
    )
    return list(json.loads(done.stdout.rpartition("runs:")[2]))


@pytest.fixture(scope="module")
def trained(with_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Checked]]:
    """A project judged at two commits, and at the second one again, which restores."""
    root = project(
        tmp_path_factory.mktemp("mlflow") / "project", "entrypoint: model.train:train, params: params.yaml, seed: 7"
    )
    first = check(root, with_mlflow)
    commit(root, {"params.yaml": "tree: {max_depth: 5, criterion: gini}\n"}, "deeper")
    return root, [first, check(root, with_mlflow), check(root, with_mlflow)]


def test_each_judged_run_is_logged_once_and_a_restored_one_is_not(
    trained: tuple[Path, list[Checked]], with_mlflow: Path
) -> None:
    root, (first, second, again) = trained
    logged = runs(with_mlflow, root / ".mlops-ci" / "mlflow.db")
    assert [run["id"] for run in logged] == [first.run["mlflow_run"], second.run["mlflow_run"]]
    assert all(run["id"] for run in logged)
    assert again.document["decision"] == second.document["decision"]
    assert "restored  nothing" in again.told
    assert "mlflow" not in again.told


def test_a_run_says_what_was_judged_and_how_it_came_out(trained: tuple[Path, list[Checked]], with_mlflow: Path) -> None:
    root, (first, second, _) = trained
    one, two = runs(with_mlflow, root / ".mlops-ci" / "mlflow.db")
    assert (one["experiment"], one["status"]) == ("colours", "FINISHED")
    assert one["params"]["tree.max_depth"] == "1"
    assert two["params"]["tree.max_depth"] == "5"
    assert (one["params"]["seed"], one["params"]["note _a_b_"]) == ("7", "<b>&")
    accuracy = {each["metric"]: each["value"] for each in second.document["metrics"]}["accuracy"]
    assert two["metrics"]["accuracy"] == pytest.approx(accuracy)
    assert two["metrics"]["champion.accuracy"] == pytest.approx(one["metrics"]["accuracy"])
    assert two["tags"]["mlops_ci.decision"] == second.document["decision"]
    assert two["tags"]["mlops_ci.commit"] == git(root, "rev-parse", "HEAD")
    assert two["tags"]["mlops_ci.outcome"] == second.document["outcome"]
    assert two["tags"]["mlops_ci.data"] == first.document["subject"]["data"]


def test_the_report_is_kept_with_the_run_and_all_of_it_below_the_ignored_folder(
    trained: tuple[Path, list[Checked]], with_mlflow: Path
) -> None:
    root, (_, second, _) = trained
    two = runs(with_mlflow, root / ".mlops-ci" / "mlflow.db")[1]
    assert two["file"] == "report.md"
    assert two["text"] == (Path(second.document["reports"]["folder"]) / "report.md").read_text()
    assert two["artifacts"].startswith((root / ".mlops-ci").as_uri())
    assert git(root, "status", "--porcelain") == ""


def test_a_server_that_is_gone_costs_seconds_and_changes_nothing(tmp_path: Path, with_mlflow: Path) -> None:
    root = project(tmp_path / "project", "predictions: predictions.csv")
    started = time.monotonic()
    checked = check(root, with_mlflow, MLFLOW_TRACKING_URI="http://ada:secret-word@127.0.0.1:9")
    assert time.monotonic() - started < 90
    assert (checked.code, checked.document["outcome"], checked.run["mlflow_run"]) == (0, "passed", "")
    assert "mlflow    not logged: " in checked.told
    assert "secret-word" not in checked.told


def test_an_mlflow_that_cannot_be_imported_changes_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "mlflow"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('numpy 1 is needed\\nand more')\n")
    root = project(tmp_path / "project", "predictions: predictions.csv")
    checked = check(root, PYTHONPATH=f"{REPOSITORY}{os.pathsep}{broken.parent}")
    assert (checked.code, checked.document["outcome"], checked.run["mlflow_run"]) == (0, "passed", "")
    assert "mlflow    not logged: numpy 1 is needed\n" in checked.told


@pytest.mark.skipif(find_spec("mlflow") is not None, reason="MLflow is installed here")
def test_without_mlflow_nothing_is_said_of_it(tmp_path: Path) -> None:
    checked = check(project(tmp_path / "project", "predictions: predictions.csv"))
    assert (checked.code, checked.run["mlflow_run"]) == (0, "")
    assert "mlflow" not in checked.told
    assert not (tmp_path / "project" / ".mlops-ci" / "mlflow.db").exists()
