"""Real models exported by the worker: which format, and that what is not the model's equal is refused."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.formats.__main__ import exported, here
from bench.formats.page import HEADS, TASKS, cell
from mlops_ci.edge import environment, exporter
from tests.environments import CACHES, required

REPOSITORY = Path(__file__).parents[2]
HERE = Path(__file__).parent
PAGE = REPOSITORY / "docs" / "formats-matrix.md"
# Fits histogram gradient boosting with categorical splits and exports it; SABOTAGE is a line that breaks something.
CATEGORICAL = """
import json, sys
from pathlib import Path
from bench.formats import estimators, run
from mlops_ci.worker.formats import attempt, encoding, graph, hist_trees, imputing, jumps
SABOTAGE
for name, kind, task, model, held, target in estimators.cases():
    if "categorical" in name and task == "binary":
        break
answer = run.export(sys.argv[1], Path(sys.argv[2]), model, held, task=task, classes=["no", "yes"], wanted="onnx")
print("answer:" + json.dumps(answer))
"""
SKL2ONNX_ALONE = "hist_trees.register = lambda: None"
NO_PARITY = "attempt.Parity.holds = True"


@pytest.fixture(scope="session")
def kit() -> str:
    """What converts models, for the Python of the tests; where it cannot be had, skipped, and in CI failed."""
    return str(_installed(here()))


def _installed(of: environment.ProjectEnvironment) -> Path:
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(CACHES)  # the real one: tests have a HOME of their own
    try:
        with required("the converters"):
            return exporter.install(of, lambda text: None)
    finally:
        os.environ.pop("XDG_CACHE_HOME") if before is None else os.environ.update(XDG_CACHE_HOME=before)


def run(*arguments: str, python: str = sys.executable) -> Any:
    """What a script prints after the mark, as JSON."""
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run([python, *arguments], env=variables, capture_output=True, text=True, check=False)
    _, mark, told = done.stdout.rpartition("answer:" if "-c" in arguments else "rows:")
    assert mark, done.stderr[-3_000:]
    return json.loads(told)


@pytest.fixture(scope="module")
def rows(kit: str) -> list[dict[str, Any]]:
    return [*exported(Path(kit), "thin"), *exported(Path(kit), "steps")]


def test_the_page_of_the_matrix_is_what_comes_out(rows: list[dict[str, Any]]) -> None:
    """Of a part of it, and of the formats: the digits that parity measures are those of one machine."""
    lines = [
        line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "
    ]
    columns = [*HEADS.values()]
    known = {(name, does, columns[place]): text for name, does, *cells in lines for place, text in enumerate(cells)}
    steps = {(name, kind): text for name, kind, text in (line for line in lines if len(line) == 3)}
    for row in rows:
        name, kind = row["name"], HEADS[row["kind"]]
        told = steps.get((name, kind)) or known[name, TASKS[row["task"]], kind]
        assert told.partition(":")[0] == cell(row["answer"]).partition(", trusting")[0], row["name"]


def test_what_is_accepted_answers_alike_on_every_row(rows: list[dict[str, Any]]) -> None:
    assert len(rows) > 90
    for row in rows:
        if row["answer"]["ok"]:
            parity = row["answer"]["value"]["parity"]
            assert parity["rows"] == 120
            assert parity["labels_differ"] == 0
            assert parity["largest_difference"] <= parity["tolerance"]
            assert row["kind"] != "text" or parity["hunted"]["capitals"] == 20


def test_every_refusal_says_why(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        tried = row["answer"]["value"]["tried"] if row["answer"]["ok"] else []
        assert all(each["reason"] for each in tried if each["outcome"] == "refused"), row["name"]


def categorical(kit: str, folder: Path, *sabotage: str) -> dict[str, Any]:
    return run("-c", CATEGORICAL.replace("SABOTAGE", "\n".join(sabotage)), kit, str(folder))


def test_a_conversion_that_is_silently_wrong_is_refused(kit: str, tmp_path: Path) -> None:
    answer = categorical(kit, tmp_path, SKL2ONNX_ALONE)
    assert not answer["ok"]
    assert "rows are answered differently" in answer["failure"]["message"]
    assert categorical(kit, tmp_path)["ok"]


def test_without_parity_the_wrong_conversion_would_be_taken(kit: str, tmp_path: Path) -> None:
    """What the test above stands on: nothing but parity sees it."""
    assert categorical(kit, tmp_path, SKL2ONNX_ALONE, NO_PARITY)["ok"]


# What every estimator that jumps becomes, with `<` where `<=` was meant; prints name, task and whether it was taken.
BELOW = """
import json, sys, warnings
from pathlib import Path
import onnx
from bench.formats import estimators, run
from mlops_ci.worker.formats import graph
warnings.simplefilter("ignore")
whole = graph._bytes
def spoiled(made, opsets):
    for node in made.graph.node:
        for one in node.attribute:
            if one.name == "nodes_modes":
                one.strings[:] = [MODE if mode == b"BRANCH_LEQ" else mode for mode in one.strings]
    return whole(made, opsets)
graph._bytes = spoiled
told = []
for name, kind, task, model, held, target in estimators.cases(PREFIXES):
    if kind == "numbers" and task != "multiclass":
        classes = [] if task == "regression" else ["no", "yes"]
        answer = run.export(
            sys.argv[1], Path(sys.argv[2]), model, held, task=task, classes=classes, wanted="onnx"
        )
        told.append([name, answer["ok"], answer.get("failure", {}).get("message", "")])
print("answer:" + json.dumps(told))
"""
# Not histogram gradient boosting: behind a scaler no float32 hits one of its thresholds, and `<` is as good as `<=`.
PREFIXES = ("DecisionTree", "RandomForest", "ExtraTrees", "GradientBoosting", "AdaBoost", "Bagging")


def test_a_converter_that_is_wrong_at_a_threshold_alone_is_caught(kit: str, tmp_path: Path) -> None:
    """No held-out row lies on a threshold: what tells `<` from `<=` is hunted."""
    script = BELOW.replace("PREFIXES", repr(PREFIXES))
    right = run("-c", script.replace("MODE", "mode"), kit, str(tmp_path))
    wrong = run("-c", script.replace("MODE", 'b"BRANCH_LT"'), kit, str(tmp_path))
    assert len(right) == len(wrong) == 10
    assert all(taken for _, taken, _ in right), right
    assert [name for name, taken, _ in wrong if taken] == []
    assert sum("where the model jumps" in said for _, _, said in wrong) >= 3, "others are seen on the held-out rows"


def test_files_have_the_same_bytes_in_another_process(kit: str, tmp_path: Path) -> None:
    made = []
    for number in range(2):
        categorical(kit, tmp_path / str(number))
        made.append(hashlib.sha256((tmp_path / str(number) / "model.onnx").read_bytes()).hexdigest())
    assert made[0] == made[1]


# A model of the project's own class, which no converter knows.
OWN = """
import json, pickle, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from own import Ratio
import numpy as np, pandas as pd
from mlops_ci.worker import frames, jobs
folder = Path(sys.argv[2])
frame = pd.DataFrame({"x": np.linspace(0, 1, 50), "day": pd.date_range("2024-01-01", periods=50)})
frames.write(frame, folder / "features")
(folder / "model.pkl").write_bytes(pickle.dumps(Ratio(0.4)))
request = {"job": "export", "kit": sys.argv[1], "model": str(folder / "model.pkl"), "target": "y", "id": []}
request |= {"features": str(folder / "features"), "task": "binary", "classes": ["0", "1"], "nullable": []}
request |= {"output": str(folder / "out"), "format": sys.argv[3], "trusted": sys.argv[4:]}
(folder / "out").mkdir(exist_ok=True)
print("answer:" + json.dumps(jobs.attempt(request)))
"""
RATIO = """
class Ratio:
    def __init__(self, limit):
        self.limit = limit
    def predict(self, frame):
        return (frame["x"] > self.limit).astype(int)
"""


@pytest.fixture
def own(kit: str, tmp_path: Path) -> Any:
    (tmp_path / "own.py").write_text(RATIO, encoding="utf-8")
    return lambda *asked: run("-c", OWN, kit, str(tmp_path), *asked)


def test_where_nothing_comes_through_every_reason_is_told_and_what_to_write(own: Any) -> None:
    failure = own("auto")["failure"]
    assert failure["message"] == (
        "the model's answers come through in no format that package.format: auto allows\n"
        "  onnx: 'day': ONNX has no dates and timestamps\n"
        "  skops: not trusted: own.Ratio"
    )
    assert "package: {trusted: [own.Ratio]}" in failure["advice"]
    assert "format: pickle" in failure["advice"]
    assert failure["where"] == "package.format"


def test_types_of_the_projects_own_list_are_trusted(own: Any, tmp_path: Path) -> None:
    value = own("auto", "own.Ratio", "os.system")["value"]
    assert (value["format"], value["trusted"]) == ("skops", ["own.Ratio"])
    assert [each["outcome"] for each in value["tried"]] == ["refused", "accepted"]
    first = (tmp_path / "out" / "model.skops").read_bytes()
    own("skops", "own.Ratio")
    assert (tmp_path / "out" / "model.skops").read_bytes() == first


def test_a_pickle_is_written_where_it_is_asked_for(own: Any, tmp_path: Path) -> None:
    value = own("pickle")["value"]
    assert (value["format"], value["file"], value["scores"]) == ("pickle", "model.pkl", "none")
    assert (tmp_path / "out" / "model.pkl").is_file()


def test_what_needs_more_than_an_operator_is_converted(kit: str) -> None:
    rows = {row["name"]: row["answer"] for row in exported(Path(kit), "others")}
    assert {name: cell(answer) for name, answer in rows.items()} == {
        "odd names, and a date nobody uses": "ONNX",
        "a search": "ONNX, float64",
        "a vote": "ONNX",
        "a function": "skops",
        "categorical numbers": "ONNX, float64",
        "large integers": "ONNX, float64",
        "labels true and false": "ONNX",
        "labels 3 and 7": "ONNX",
    }
    value = {name: answer["value"] for name, answer in rows.items()}
    feeds = value["odd names, and a date nobody uses"]["onnx"]["feeds"]
    assert {"columns": ["a name, é"], "name": "a_name__é", "type": "float32"} in feeds
    assert ["day"] not in [feed["columns"] for feed in feeds]
    assert "day" in value["odd names, and a date nobody uses"]["inputs"]
    assert [value[f"labels {name}"]["prediction"] for name in ("true and false", "3 and 7")] == ["boolean", "integer"]
    assert [value[f"labels {name}"]["classes"] for name in ("true and false", "3 and 7")] == [
        ["false", "true"],
        ["3", "7"],
    ]


def test_boosters_are_converted() -> None:
    """XGBoost and LightGBM alone and behind preprocessing, CatBoost alone, in an environment that has them."""
    caches = CACHES / "mlops-ci" / "tests-boosters"
    with required("the boosters"):
        there = environment.resolve(HERE / "booster_environment", caches, say=lambda text: None)
    rows = exported(_installed(there), "boosters", python=str(there.python))
    assert len(rows) == 21
    wrong = [(row["name"], row["kind"], row["task"]) for row in rows if not cell(row["answer"]).startswith("ONNX")]
    assert wrong == []
