"""Six real tables (tests/data/tables): init, commit, check, and every number compared with scikit-learn's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from tests.helpers import git

TABLES = Path(__file__).parents[1] / "data" / "tables"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a person knows of a table before any tool: `classes` in order, the last of two is the positive one."""

    target: str
    task: str
    rows: int
    classes: tuple[str, ...] = ()
    without_target: int = 0
    id: tuple[str, ...] = ()
    time: str | None = None
    flat: tuple[str, ...] = ()
    """Columns with one value."""


TUMOURS = Known(target="target", task="binary", rows=569, classes=("0", "1"))
PROGRESS = Known(target="target", task="regression", rows=442)
DIGITS = Known(
    target="target",
    task="multiclass",
    rows=1797,
    classes=tuple("0123456789"),
    flat=("pixel_0_0", "pixel_4_0", "pixel_4_7"),
)
PENGUINS = Known(
    target="Species",
    task="multiclass",
    rows=344,
    classes=(
        "Adelie Penguin (Pygoscelis adeliae)",
        "Chinstrap penguin (Pygoscelis antarctica)",
        "Gentoo penguin (Pygoscelis papua)",
    ),
    id=("Sample Number", "Individual ID"),
    time="Date Egg",
    flat=("Region", "Stage"),
)
WEATHER = Known(
    target="weather", task="multiclass", rows=1461, classes=("drizzle", "fog", "rain", "snow", "sun"), time="date"
)
CARS = Known(target="Miles_per_Gallon", task="regression", rows=406, without_target=8, time="Year")
KNOWN = {
    "breast_cancer.csv": TUMOURS,
    "diabetes.csv": PROGRESS,
    "digits.parquet": DIGITS,
    "penguins-raw.csv": PENGUINS,
    "seattle-weather.csv": WEATHER,
    "cars.jsonl": CARS,
}

Truth = Any
Formulas = dict[str, Callable[[Truth, Any, Any], float]]
_OF_CLASSES: Formulas = {
    "accuracy": lambda truth, labels, _: sk.accuracy_score(truth, labels),
    "balanced_accuracy": lambda truth, labels, _: sk.balanced_accuracy_score(truth, labels),
    "precision_macro": lambda truth, labels, _: sk.precision_score(truth, labels, average="macro", zero_division=0),
    "recall_macro": lambda truth, labels, _: sk.recall_score(truth, labels, average="macro"),
    "f1_macro": lambda truth, labels, _: sk.f1_score(truth, labels, average="macro"),
    "f1_weighted": lambda truth, labels, _: sk.f1_score(truth, labels, average="weighted"),
    "mcc": lambda truth, labels, _: sk.matthews_corrcoef(truth, labels),
    "cohen_kappa": lambda truth, labels, _: sk.cohen_kappa_score(truth, labels),
}


def _top(truth: np.ndarray, scores: np.ndarray, k: int) -> float:
    known = scores.shape[1]
    return 1.0 if k >= known else sk.top_k_accuracy_score(truth, scores, k=k, labels=range(known))


FORMULAS: dict[str, Formulas] = {
    "binary": {
        **_OF_CLASSES,
        "roc_auc": lambda truth, _, scores: sk.roc_auc_score(truth, scores),
        "pr_auc": lambda truth, _, scores: sk.average_precision_score(truth, scores),
        "precision": lambda truth, labels, _: sk.precision_score(truth, labels),
        "recall": lambda truth, labels, _: sk.recall_score(truth, labels),
        "specificity": lambda truth, labels, _: sk.recall_score(truth, labels, pos_label=0),
        "f1": lambda truth, labels, _: sk.f1_score(truth, labels),
        "false_positive_rate": lambda truth, labels, _: 1 - sk.recall_score(truth, labels, pos_label=0),
        "selection_rate": lambda _, labels, __: labels.mean(),
        "log_loss": lambda truth, _, scores: sk.log_loss(truth, scores),
        "brier": lambda truth, _, scores: sk.brier_score_loss(truth, scores),
    },
    "multiclass": {
        **_OF_CLASSES,
        "roc_auc": lambda truth, _, scores: sk.roc_auc_score(truth, scores, multi_class="ovr"),
        "log_loss": lambda truth, _, scores: sk.log_loss(
            truth, scores / scores.sum(axis=1, keepdims=True), labels=range(scores.shape[1])
        ),
        "top_2_accuracy": lambda truth, _, scores: _top(truth, scores, 2),
        "top_3_accuracy": lambda truth, _, scores: _top(truth, scores, 3),
        "top_5_accuracy": lambda truth, _, scores: _top(truth, scores, 5),
        "brier": lambda truth, _, scores: ((scores - np.eye(scores.shape[1])[truth]) ** 2).sum(axis=1).mean(),
    },
    "regression": {
        "mae": lambda truth, values, _: sk.mean_absolute_error(truth, values),
        "rmse": lambda truth, values, _: sk.root_mean_squared_error(truth, values),
        "median_ae": lambda truth, values, _: sk.median_absolute_error(truth, values),
        "r2": lambda truth, values, _: sk.r2_score(truth, values),
        "mape": lambda truth, values, _: sk.mean_absolute_percentage_error(truth, values),
        "mean_error": lambda truth, values, _: (values - truth).mean(),
        "mse": lambda truth, values, _: sk.mean_squared_error(truth, values),
        "pinball_10": lambda truth, values, _: sk.mean_pinball_loss(truth, values, alpha=0.1),
        "pinball_50": lambda truth, values, _: sk.mean_pinball_loss(truth, values, alpha=0.5),
        "pinball_90": lambda truth, values, _: sk.mean_pinball_loss(truth, values, alpha=0.9),
    },
}


def run(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """mlops-ci as a person starts it, in an environment that has pandas and scikit-learn; no package index."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "VIRTUAL_ENV": sys.prefix}
    environment |= {"UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci", *words],
        cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("name", KNOWN)
def test_init_then_check_is_right_about_a_real_table(name: str, tmp_path: Path) -> None:
    known, project = KNOWN[name], tmp_path / "project"
    project.mkdir()
    run(project, "init", "--data", str(TABLES / name), "--target", known.target)
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Judge the model with mlops-ci")
    said = json.loads(run(project, "check", "--json").stdout)
    folder = Path(said["reports"]["folder"])
    evidence = json.loads((folder / "evidence" / "evidence.json").read_text(encoding="utf-8"))
    assert said["outcome"] == "passed"
    init_found_what_is_known(project, known)
    rows_add_up(project / "data" / name, known, evidence)
    truth = classes_are_named_and_counted(folder, known, evidence)
    metrics_are_scikit_learns(folder, known, truth, said["metrics"])
    checks_say_what_is_known(known, said["checks"])
    report_tells_it(folder, known, evidence)
    if known.task == "multiclass":
        table_by_class_is_scikit_learns(folder, known, truth)
    again = run(project, "check", "--json")
    assert "restored  nothing it reads has changed" in again.stderr
    assert again.stderr.count("\n") == 1
    assert json.loads(again.stdout) == said


def init_found_what_is_known(project: Path, known: Known) -> None:
    config = json.loads(run(project, "config", "--json").stdout)
    assert config["task"] == ("regression" if known.task == "regression" else "classification")
    assert tuple(config["data"]["id"]) == known.id
    assert config["data"]["time"] == known.time
    assert config["data"]["missing_target"] == ("drop" if known.without_target else "refuse")


def read(table: Path) -> pd.DataFrame:
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": pd.read_csv,
        ".jsonl": lambda path: pd.read_json(path, lines=True),
        ".parquet": _parquet,
    }
    return readers[table.suffix](table)


def _parquet(path: Path) -> pd.DataFrame:
    import duckdb

    frame: pd.DataFrame = duckdb.connect().read_parquet(str(path)).df()
    return frame


def rows_add_up(table: Path, known: Known, evidence: dict[str, Any]) -> None:
    snapshot, frame = evidence["snapshot"], read(table)
    assert len(frame) == known.rows
    assert snapshot["dropped_missing_target"] == known.without_target == frame[known.target].isna().sum()
    parts = (snapshot["train_rows"], snapshot["holdout_rows"], snapshot["dropped_missing_target"])
    assert sum(parts) == known.rows
    assert snapshot["rows"] == known.rows - known.without_target
    assert 0.15 < snapshot["holdout_rows"] / snapshot["rows"] < 0.25
    assert snapshot["holdout_protected"] is True
    seen = {column["name"]: column["missing"] for column in evidence["profile"]["columns"]}
    kept = frame[frame[known.target].notna()]
    assert seen == {name: int(kept[name].isna().sum()) for name in frame.columns}


def classes_are_named_and_counted(folder: Path, known: Known, evidence: dict[str, Any]) -> Truth:
    """The truth as kept, held against the class names, their order and their counts."""
    (index,) = folder.glob("holdouts/*/index-*.json")
    (file,) = folder.glob("holdouts/*/truth-*.npy")
    held, truth = json.loads(index.read_text(encoding="utf-8")), np.load(file)
    evaluation = evidence["evaluation"]
    assert held["task"] == evaluation["task"] == known.task
    assert tuple(held["classes"]) == tuple(evaluation["classes"]) == known.classes
    assert len(truth) == evidence["snapshot"]["holdout_rows"]
    if known.classes:
        counts = np.bincount(truth, minlength=len(known.classes)).tolist()
        assert evaluation["class_counts"] == counts
        assert min(counts) > 0
    return truth


def metrics_are_scikit_learns(folder: Path, known: Known, truth: Truth, found: list[dict[str, Any]]) -> None:
    labels = np.load(folder / "evidence" / "labels.npy").astype(np.int64 if known.classes else np.float64)
    scores = np.load(folder / "evidence" / "scores.npy").astype(np.float64) if known.classes else None
    values = {metric["metric"]: metric["value"] for metric in found}
    expected = {name: formula(truth, labels, scores) for name, formula in FORMULAS[known.task].items()}
    assert {name: values[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert set(values) - set(expected) <= {"ece"}


def checks_say_what_is_known(known: Known, checks: list[dict[str, Any]]) -> None:
    bad = [check for check in checks if check["status"] not in ("passed", "skipped")]
    assert {(check["check"], check["column"]) for check in bad} == {("constant_columns", name) for name in known.flat}
    assert not any(check["blocking"] for check in bad)
    tests = [check for check in checks if check["part"] == "tests"]
    assert len(tests) >= 3


def report_tells_it(folder: Path, known: Known, evidence: dict[str, Any]) -> None:
    text = (folder / "report.md").read_text(encoding="utf-8")
    snapshot = evidence["snapshot"]
    assert f"on {snapshot['holdout_rows']} held-out rows" in text
    assert f"{snapshot['train_rows']:,} to train and {snapshot['holdout_rows']:,} held out" in text
    assert ("8 rows without a target dropped" in text) is bool(known.without_target)
    assert ("The positive class is `1`." in text) is (known.task == "binary")
    counts = zip(known.classes, evidence["evaluation"]["class_counts"], strict=True)
    assert all(f"`{name}` {rows}" in text or f"| `{name}` | {rows} |" in text for name, rows in counts)
    assert "\u200b" not in text
    assert "not protected" not in text


def table_by_class_is_scikit_learns(folder: Path, known: Known, truth: Truth) -> None:
    labels = np.load(folder / "evidence" / "labels.npy").astype(np.int64)
    scores = sk.precision_recall_fscore_support(truth, labels, labels=range(len(known.classes)), zero_division=np.nan)
    told = (folder / "report.md").read_text(encoding="utf-8")
    found = {line.split(" | ")[0].strip("| `"): line for line in told.splitlines() if line.startswith("| `")}
    for name, precision, recall, f1, rows in zip(known.classes, *scores, strict=True):
        shares = " | ".join("–" if np.isnan(share) else f"{share:.3f}" for share in (f1, precision, recall))
        assert found[name] == f"| `{name}` | {rows} | {shares} |"


def test_init_asks_for_the_target_where_nobody_can_answer_and_writes_nothing(tmp_path: Path) -> None:
    shutil.copyfile(TABLES / "cars.jsonl", tmp_path / "cars.jsonl")
    said = run(tmp_path, "init", code=2).stderr
    assert "which column is to be predicted is not said" in said
    assert "Miles_per_Gallon" in said
    assert [path.name for path in tmp_path.iterdir()] == ["cars.jsonl"]


def test_init_names_the_column_that_looks_like_the_target(tmp_path: Path) -> None:
    said = run(tmp_path, "init", "--data", str(TABLES / "diabetes.csv"), code=2).stderr
    assert "Is it target?" in said


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("breast_cancer.csv", "target has 2 different values, 1 is the positive class -> task: classification"),
        ("seattle-weather.csv", "only date names a row -> id: [date], if the model may do without it"),
        ("penguins-raw.csv", "values of Individual ID repeat -> if they belong together: group: [Individual ID]"),
        (
            "penguins-raw.csv",
            "studyName, Island, Sex have few values -> slices: [studyName, Island, Sex]",
        ),
        ("cars.jsonl", "8 rows have no Miles_per_Gallon -> missing_target: drop"),
        ("cars.jsonl", "Origin has few values -> slices: [Origin]"),
    ],
)
def test_init_says_what_it_saw_in_a_table(name: str, line: str, tmp_path: Path) -> None:
    said = run(tmp_path, "init", "--dry-run", "--data", str(TABLES / name), "--target", KNOWN[name].target).stdout
    assert f"  {line}\n" in said
