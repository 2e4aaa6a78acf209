"""Models of MLflow exported by the worker, in an environment with the real MLflow and a library of no known name."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.environments import python_with

REPOSITORY = Path(__file__).parents[2]
LOADER = """
from pathlib import Path
import numpy as np


def _load_pyfunc(path):
    return Whole(float(Path(path).read_text()))


class Whole:
    classes_ = np.array(["yes", "no"])

    def __init__(self, slope):
        self.slope = slope

    def get_raw_model(self):
        return self

    def predict(self, frame, params=None):
        return np.where(frame["x"] > 0, "yes", "no")

    def predict_proba(self, frame):
        first = 1 / (1 + np.exp(-self.slope * frame["x"].to_numpy()))
        return np.column_stack([first, 1 - first])


"""
# Fits, saves and exports every case in one process, as MLflow takes seconds to import.
SCRIPT = """
import json, shutil, sys, warnings
from pathlib import Path
import mlflow.pyfunc, mlflow.statsmodels, numpy as np, pandas as pd, statsmodels.api as sm
from mlflow.models import infer_signature
from mlops_ci.worker import fit, frames, jobs, models
warnings.simplefilter("ignore")
root = Path(sys.argv[1])
random = np.random.default_rng(7)
held = pd.DataFrame({"x": random.normal(size=80), "z": random.normal(size=80), "day": random.choice(["mo", "tu"], 80)})
frames.write(held, root / "features")
kept = root / "code" / "kept.py"
kept.parent.mkdir()
kept.write_text("import mlflow.pyfunc\\nclass Kept(mlflow.pyfunc.PythonModel):\\n"
                "    def predict(self, context, model_input, params=None):\\n        return model_input['z'] * 2\\n")
sys.path.insert(0, str(kept.parent))
import kept as module

class Anyone(mlflow.pyfunc.PythonModel):
    def __init__(self, answer):
        self.answer = answer
    def predict(self, context, model_input, params=None):
        return self.answer(model_input)

def second(frame):
    return 1 / (1 + np.exp(-2 * frame["x"].to_numpy()))

def shares(frame):
    table = np.exp(np.column_stack([frame["x"], frame["z"], frame["x"] - frame["z"]]))
    return pd.DataFrame(table / table.sum(axis=1, keepdims=True), columns=["a", "b", "c"])

def saved(name, model):
    folder = root / name
    kept = models.save(model, folder)
    assert kept == {"file": "model", "format": "mlflow"}, kept
    return folder / "model"

def flavour(name):
    line = sm.OLS(3 * held["x"] - held["z"] + 1, held[["x", "z"]]).fit()
    answers = infer_signature(held[["x", "z"]], line.predict(held[["x", "z"]]))
    mlflow.statsmodels.save_model(line, str(root / name), signature=answers)
    (root / name / "code" / "__pycache__").mkdir(parents=True)
    (root / name / "code" / "__pycache__" / "x.pyc").write_text("not this")
    return root / name

def own_loader(name):
    code, data = root / "whole.py", root / "slope.txt"
    code.write_text(sys.argv[2])
    data.write_text("3.5")
    mlflow.pyfunc.save_model(str(root / name), loader_module="whole", data_path=str(data), code_paths=[str(code)],
                             pip_requirements=[])
    return root / name

def linked(name):
    folder = saved(name, Anyone(second))
    (folder / "weights").symlink_to("/etc/hostname")
    return folder

def pickled(name):
    return root / name / models.save(Estimator(), root / name)["file"]

class Estimator:
    def predict(self, frame):
        return frame["x"].to_numpy()

NO_YES, THREE = ["no", "yes"], ["a", "b", "c"]
CASES = {
    "numbers": ("regression", [], lambda name: saved(name, Anyone(lambda frame: frame["x"] * 2))),
    "module": ("regression", [], lambda name: saved(name, module.Kept())),
    "again": ("regression", [], lambda name: saved(name, module.Kept())),
    "second": ("binary", NO_YES, lambda name: saved(name, Anyone(second))),
    "shares": ("multiclass", THREE, lambda name: saved(name, Anyone(shares))),
    "labels": ("binary", NO_YES, lambda name: saved(name, Anyone(lambda f: np.where(f["x"] > 0, "yes", "no")))),
    "both": ("binary", NO_YES, own_loader),
    "statsmodels": ("regression", [], flavour),
    "address": ("regression", [], lambda name: "file://" + str(flavour(name))),
    "linked": ("binary", NO_YES, linked),
    "estimator": ("regression", [], pickled),
    "not asked for": ("regression", [], lambda name: saved(name, Anyone(lambda frame: frame["x"] * 2))),
}
told = {}
for name, (task, classes, make) in CASES.items():
    output = root / (name + " out")
    output.mkdir()
    request = {"job": "export", "kit": "", "model": str(make(name)), "features": str(root / "features"), "task": task,
               "classes": classes, "target": "y", "id": [], "nullable": [], "trusted": [], "output": str(output),
               "kind": "float" if task == "regression" else "text",
               "format": "auto" if name == "not asked for" else "pyfunc"}
    answer = jobs.attempt(request)
    written = sorted(path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file())
    told[name] = {**answer, "written": written}
try:
    fit.check(object(), "pipeline.train:train")
except Exception as error:
    told["object"] = {"advice": error.advice}
print("answer:" + json.dumps(told))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pyfunc")


@pytest.fixture(scope="module")
def told(root: Path) -> dict[str, Any]:
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), "DO_NOT_TRACK": "1"}
    command = [str(python_with("pyfunc")), "-c", SCRIPT, str(root), LOADER]
    done = subprocess.run(command, env=variables, cwd=root, capture_output=True, text=True, check=False)
    _, mark, answer = done.stdout.rpartition("answer:")
    assert mark, done.stderr[-3_000:]
    return dict(json.loads(answer))


ASKED = {
    "numbers": ("labels", ["x", "z", "day"], "float", []),
    "module": ("labels", ["x", "z", "day"], "float", []),
    "second": ("probabilities", ["x", "z", "day"], "text", ["no", "yes"]),
    "shares": ("probabilities", ["x", "z", "day"], "text", ["a", "b", "c"]),
    "labels": ("labels", ["x", "z", "day"], "text", []),
    "both": ("labels", ["x", "z", "day"], "text", ["yes", "no"]),
    "statsmodels": ("labels", ["x", "z"], "float", []),
    "address": ("labels", ["x", "z"], "float", []),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_mlflow_can_keep_is_exported_and_compared(told: dict[str, Any], name: str) -> None:
    assert told[name]["ok"], told[name].get("failure")
    answer = told[name]["value"]
    found = (answer["predicts"], answer["inputs"], answer["prediction"], answer["classes"])
    assert found == ASKED[name]
    assert (answer["format"], answer["file"]) == ("pyfunc", "model")
    parity = answer["parity"]
    assert (parity["rows"], parity["labels_differ"], parity["largest_difference"]) == (80, 0, 0.0)
    assert ("jump" in parity["hunted"]) == (name in ("labels", "second", "shares"))


def test_the_same_model_gives_the_same_bytes(told: dict[str, Any], root: Path) -> None:
    """Of a class in a module: one of the script itself is kept by its code, under a new name each time."""
    one, other = (root / f"{name} out" / "model" for name in ("module", "again"))
    assert told["module"]["written"] == told["again"]["written"] == ["model/MLmodel", "model/python_model.pkl"]
    for name in ("MLmodel", "python_model.pkl"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    said = (one / "MLmodel").read_text()
    assert "loader_module: mlflow.pyfunc.model" in said
    assert not [word for word in ("uuid", "utc_time", "run_id", "virtualenv", "size_bytes") if word in said]


def test_what_is_compiled_and_what_mlflow_guessed_of_libraries_stays_behind(told: dict[str, Any]) -> None:
    assert told["statsmodels"]["written"] == ["model/MLmodel", "model/model.statsmodels"]
    assert told["both"]["written"] == ["model/MLmodel", "model/code/whole.py", "model/data/slope.txt"]


REFUSED = {
    "linked": ("weights in the model's folder is a link", "save the file itself"),
    "estimator": ("the model is a Estimator, and package.format: pyfunc takes models of MLflow", "PythonModel"),
    "not asked for": ("a model of MLflow, and neither becomes a file of another format", "package: {format: pyfunc}"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_folder_of_mlflow_or_was_not_asked_for_is_told(told: dict[str, Any], name: str) -> None:
    message, advice = REFUSED[name]
    failure = told[name]["failure"]
    assert message in failure["message"]
    assert advice in failure["advice"]
    assert told[name]["written"] == []


def test_who_returns_no_model_hears_of_both_ways(told: dict[str, Any]) -> None:
    assert "PythonModel" in told["object"]["advice"]
