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

from mlops_ci.edge import environment, exporter
from mlops_ci.errors import OutsideError
from tests.helpers import must_not_skip

REPOSITORY = Path(__file__).parents[2]
HERE = Path(__file__).parent
PAGE = REPOSITORY / "docs" / "formats.md"
CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
KINDS = ("numbers", "missing", "text")
HEADS = ("numbers", "missing values and categories", "counted words")
TASKS = {"binary": "two classes", "multiclass": "three classes", "regression": "a number"}

# Fits histogram gradient boosting with categorical splits and exports it; SABOTAGE is a line that breaks something.
CATEGORICAL = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import export_table
from mlops_ci.worker.formats import attempt, hist_trees
SABOTAGE
for name, kind, task, model, held, target in export_table.cases():
    if "categorical" in name and task == "binary":
        break
answer = export_table.export(
    sys.argv[1], Path(sys.argv[2]), model, held, task=task, classes=["no", "yes"], wanted="onnx"
)
print("answer:" + json.dumps(answer))
"""
SKL2ONNX_ALONE = "hist_trees.register = lambda: None"
NO_PARITY = "attempt.Parity.holds = True"


@pytest.fixture(scope="session")
def kit() -> str:
    """What converts models, for the Python of the tests; where it cannot be had, skipped, and in CI failed."""
    here = environment.ProjectEnvironment(
        python=Path(sys.executable),
        digest="",
        locked=False,
        packages={},
        version=".".join(map(str, sys.version_info[:3])),
        source="tests",
    )
    return str(_installed(here))


def _installed(of: environment.ProjectEnvironment) -> Path:
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(CACHES)  # the real one: tests have a HOME of their own
    try:
        return exporter.install(of, lambda text: None)
    except OutsideError as error:
        (pytest.fail if must_not_skip() else pytest.skip)(f"the converters cannot be installed: {error}")
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
def rows(kit: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return run(str(HERE / "export_table.py"), kit, str(tmp_path_factory.mktemp("table")))


def cell(answer: dict[str, Any]) -> str:
    if not answer["ok"]:
        return "none"
    value = answer["value"]
    if value["format"] == "skops":
        return "skops" + (f", trusting `{'`, `'.join(value['trusted'])}`" if value["trusted"] else "")
    types = {feed["type"] for feed in value["onnx"]["feeds"]}
    return "ONNX" + (", float64" if "float64" in types else "")


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table of docs/formats.md: one line for an estimator and a task."""
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        lines.setdefault((row["name"], row["task"]), {})[row["kind"]] = cell(row["answer"])
    table = [f"| estimator | predicts | {' | '.join(HEADS)} |", "|---|---|" + "---|" * len(HEADS)]
    for (name, task), cells in lines.items():
        table.append(f"| {name} | {TASKS[task]} | {' | '.join(cells.get(kind, '') for kind in KINDS)} |")
    return "\n".join(table)


def test_the_table_of_formats_is_what_comes_out(rows: list[dict[str, Any]], request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, start, rest = page.partition("<!-- table -->\n")
    _, end, after = rest.partition("\n\n<!-- end of table -->")
    made = before + start + markdown(rows) + end + after
    if request.config.getoption("--update-golden"):
        PAGE.write_text(made, encoding="utf-8")
        return
    assert made == page, "pytest tests/integration/test_export.py --update-golden"


def test_what_is_accepted_answers_alike_on_every_row(rows: list[dict[str, Any]]) -> None:
    assert len(rows) > 60
    for row in rows:
        if row["answer"]["ok"]:
            parity = row["answer"]["value"]["parity"]
            assert parity["rows"] == 120
            assert parity["labels_differ"] == 0
            assert parity["largest_difference"] <= parity["tolerance"]
            assert "text" not in row["kind"] or parity["hunted"]["capitals"] == 20


def test_every_refusal_says_why(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        tried = row["answer"]["value"]["tried"] if row["answer"]["ok"] else []
        assert all(each["reason"] for each in tried if each["outcome"] == "refused"), row["name"]


def categorical(kit: str, folder: Path, *sabotage: str) -> dict[str, Any]:
    return run("-c", CATEGORICAL.replace("SABOTAGE", "\n".join(sabotage)), kit, str(folder), str(HERE))


def test_a_conversion_that_is_silently_wrong_is_refused(kit: str, tmp_path: Path) -> None:
    answer = categorical(kit, tmp_path, SKL2ONNX_ALONE)
    assert not answer["ok"]
    assert "rows are answered differently" in answer["failure"]["message"]
    assert categorical(kit, tmp_path)["ok"]


def test_without_parity_the_wrong_conversion_would_be_taken(kit: str, tmp_path: Path) -> None:
    """What the test above stands on: nothing but parity sees it."""
    assert categorical(kit, tmp_path, SKL2ONNX_ALONE, NO_PARITY)["ok"]


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


def test_what_needs_more_than_an_operator_is_converted(kit: str, tmp_path: Path) -> None:
    rows = {row["name"]: row["answer"] for row in run(str(HERE / "export_table.py"), kit, str(tmp_path), "others")}
    assert {name: cell(answer) for name, answer in rows.items()} == {
        "odd names, and a date nobody uses": "ONNX",
        "a search": "ONNX",
        "a vote": "ONNX",
        "a function": "skops",
        "categorical numbers": "ONNX",
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


def test_boosters_are_converted(tmp_path: Path) -> None:
    """XGBoost and LightGBM alone and behind preprocessing, CatBoost alone, in an environment that has them."""
    caches = CACHES / "mlops-ci" / "tests-boosters"
    try:
        there = environment.resolve(HERE / "booster_environment", caches, say=lambda text: None)
    except OutsideError as error:
        (pytest.fail if must_not_skip() else pytest.skip)(f"the boosters cannot be installed: {error}")
    script = str(HERE / "export_table.py")
    rows = run(script, str(_installed(there)), str(tmp_path), "boosters", python=str(there.python))
    assert len(rows) == 21
    wrong = [(row["name"], row["kind"], row["task"]) for row in rows if not cell(row["answer"]).startswith("ONNX")]
    assert wrong == []
