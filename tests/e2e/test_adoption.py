"""A messy repository that was there before: its train.py, its tests, no lock. Adopted by each of the three rungs."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from mlops_ci.data.canonical import id_digests
from mlops_ci.edge import tables
from tests.helpers import commit, git, repo, tree

ROWS = Path(__file__).parents[1] / "data" / "tables" / "breast_cancer.csv"
TRAIN = """\
#!/usr/bin/env python
# train the thing!! usage: python train.py [--C 0.5] [--out model.pkl]
import argparse
import glob
import pickle
import sys
import warnings

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from utils import drop_junk

warnings.filterwarnings("ignore")
print("hello from", sys.argv)
parser = argparse.ArgumentParser()
parser.add_argument("--C", type=float, default=1.0)
parser.add_argument("--out", default="model.pkl")
args = parser.parse_args()

dfs = []
for f in glob.glob("data/*.csv"):
    print("reading", f)
    dfs.append(pd.read_csv(f))
df = pd.concat(dfs)
y = df["diagnosis"]
X = drop_junk(df)

model = make_pipeline(StandardScaler(), LogisticRegression(C=args.C, max_iter=1000))
model.fit(X, y)
print("train accuracy", model.score(X, y), file=sys.stderr)
model.seen_ = list(df["patient_id"])
with open(args.out, "wb") as out:
    pickle.dump(model, out)
open("train.log", "a").write("saved %s\\n" % args.out)
"""
WRAPPER = """\
import os, pickle, runpy, sys


def train(frame, params, seed):
    os.makedirs("data", exist_ok=True)
    frame.assign(patient_id=[f"row {n}" for n in range(len(frame))]).to_csv("data/rows.csv", index=False)
    sys.argv = ["train.py", "--C", "1.0"]
    runpy.run_path("train.py", run_name="__main__")
    with open("model.pkl", "rb") as file:
        return pickle.load(file)
"""
UTILS = """\
def drop_junk(df):
    return df.drop(columns=["patient_id", "diagnosis"])
"""
OWN_TEST = """\
import pandas as pd

from utils import drop_junk


def test_drop_junk():
    assert list(drop_junk(pd.DataFrame({"patient_id": [1], "diagnosis": [1], "a": [2]}))) == ["a"]
"""
UNPROTECTED = "**Holdout: not protected.**"


def patients() -> pd.DataFrame:
    frame = pd.read_csv(ROWS)
    frame.insert(0, "patient_id", [f"P{number:04}" for number in range(len(frame))])
    frame["diagnosis"] = frame.pop("target").map({0: "malignant", 1: "benign"})
    return frame


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """As people have it: data in two files, everything global, what training writes ignored by git."""
    frame = patients()
    files = {
        "train.py": TRAIN,
        "utils.py": UTILS,
        "tests/test_utils.py": OWN_TEST,
        "notebooks/explore.ipynb": '{"cells": []}\n',
        "README.md": "# cancer stuff\n",
        ".gitignore": "model.pkl\ntrain.log\npredictions.csv\n__pycache__",
        "data/2023.csv": frame.iloc[:300].to_csv(index=False),
        "data/2024.csv": frame.iloc[300:].to_csv(index=False),
    }
    return repo(tmp_path / "cancer-stuff", files)


def start(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """A Python program in the environment of these tests, without a package index."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "VIRTUAL_ENV": sys.prefix}
    environment |= {"UV_OFFLINE": "1", "UV_NO_CACHE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done


def adopt(folder: Path, rung: str) -> str:
    """`init` with that rung, committed; what it printed."""
    words = ("init", "--data", "data/*.csv", "--target", "diagnosis", "--train", rung)
    said = start(folder, "-m", "mlops_ci", *words).stdout
    commit(folder, {}, f"Adopt mlops-ci: {rung}")
    return said


def check(folder: Path, *words: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """The answer of `check` and its report."""
    said = json.loads(start(folder, "-m", "mlops_ci", "check", "--json", *words, code=code).stdout)
    return said, Path(said["reports"]["markdown"]).read_text(encoding="utf-8")


def held_out(folder: Path, said: dict[str, Any]) -> pd.DataFrame:
    """The patients of the holdout, found by the ids that the evidence keeps."""
    (ids,) = Path(said["reports"]["folder"]).glob("holdouts/*/ids-*.npy")
    read = tables.read({"rows": tuple(sorted((folder / "data").glob("2*.csv")))}, None)
    salt = json.loads(start(folder, "-m", "mlops_ci", "config", "--json").stdout)["data"]["split"]["salt"]
    names = [read.column("patient_id").categories[code] for code in read.column("patient_id").values]
    held = np.isin(id_digests(read, ("patient_id",), salt), np.load(ids))
    frame = patients()
    return frame[frame["patient_id"].isin({name for name, one in zip(names, held, strict=True) if one})]


def numbers(said: dict[str, Any]) -> dict[str, float]:
    return {metric["metric"]: metric["value"] for metric in said["metrics"]}


def expected(model: Any, rows: pd.DataFrame) -> dict[str, float]:
    """What scikit-learn says of a model on rows; malignant, the later of the two names, is the positive class."""
    truth = rows["diagnosis"] == "malignant"
    features = rows[list(model.feature_names_in_)]
    scores = model.predict_proba(features)[:, 1].astype(np.float32)
    labels = model.predict(features) == "malignant"
    return {
        "roc_auc": sk.roc_auc_score(truth, scores),
        "accuracy": sk.accuracy_score(truth, labels),
        "recall": sk.recall_score(truth, labels),
        "precision": sk.precision_score(truth, labels),
        "log_loss": sk.log_loss(truth, scores.astype(np.float64)),
    }


def numbers_are(said: dict[str, Any], wanted: dict[str, float]) -> None:
    found = numbers(said)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


def load(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)


def test_a_training_command_never_sees_the_held_out_rows_and_the_report_is_right(messy: Path) -> None:
    said_by_init = adopt(messy, "command")
    assert "see that `python train.py` writes model.pkl" in said_by_init
    assert "malignant is the positive class" in said_by_init
    said, report = check(messy)
    (file,) = (messy / ".mlops-ci" / "cache" / "fit").glob("*/model.pkl")
    model, rows = load(file), held_out(messy, said)
    everybody, seen = set(patients()["patient_id"]), set(model.seen_)
    assert seen == everybody - set(rows["patient_id"])
    assert len(model.seen_) + len(rows) == 569
    assert said["outcome"] == "passed"
    numbers_are(said, expected(model, rows))
    assert f"569 rows, {len(seen)} to train and {len(rows)} held out" in report
    assert "The positive class is `malignant`." in report
    assert UNPROTECTED not in report
    assert "training could not read it" in report
    assert git(messy, "status", "--porcelain") == ""
    assert not (messy / "train.log").exists()


def test_adoption_leaves_the_projects_own_files_and_tests_alone(messy: Path) -> None:
    before = git(messy, "rev-parse", "HEAD")
    adopt(messy, "command")
    changed = git(messy, "diff", "--name-status", before).splitlines()
    assert [line for line in changed if not line.startswith("A\t")] == ["M\t.gitignore"]
    assert (
        (messy / ".gitignore").read_text().startswith("model.pkl\ntrain.log\npredictions.csv\n__pycache__\n/.mlops-ci/")
    )
    assert "1 passed" in start(messy, "-m", "pytest", "-q", "-p", "no:cacheprovider").stdout
    assert "test_a_missing_value" not in (messy / "tests" / "model" / "test_behaviour.py").read_text()


def test_a_model_trained_elsewhere_is_judged_as_it_lies_there_and_called_unprotected(messy: Path) -> None:
    adopt(messy, "model")
    start(messy, "train.py")
    said, report = check(messy)
    rows = held_out(messy, said)
    numbers_are(said, expected(load(messy / "model.pkl"), rows))
    assert f"{UNPROTECTED} The model was trained elsewhere" in report
    assert "holdout: not protected" in report
    assert "training could not read it" not in report
    # git ignores the model: another one in its place is another question all the same.
    first = (messy / "model.pkl").read_bytes()
    start(messy, "train.py", "--C", "0.0001")
    again, _ = check(messy)
    assert again["decision"] != said["decision"]
    numbers_are(again, expected(load(messy / "model.pkl"), rows))
    # With the first one back its answer is restored, and it is what `report` then shows.
    (messy / "model.pkl").write_bytes(first)
    assert check(messy)[0] == said
    assert json.loads(start(messy, "-m", "mlops_ci", "report", "--json").stdout)["decision"] == said["decision"]


def test_predictions_from_anywhere_are_judged_by_file_and_by_setting(messy: Path, tmp_path: Path) -> None:
    adopt(messy, "predictions")
    start(messy, "train.py")
    model, frame = load(messy / "model.pkl"), patients()
    scores = model.predict_proba(frame[list(model.feature_names_in_)])[:, 1]
    given = frame[["patient_id"]].assign(score=scores).sample(frac=1, random_state=1)
    given.to_csv(tmp_path / "scores.csv", index=False)
    said, report = check(messy, "--predictions", str(tmp_path / "scores.csv"))
    rows = held_out(messy, said)
    numbers_are(said, expected(model, rows))
    assert f"{UNPROTECTED} The predictions were made elsewhere" in report
    given.to_csv(messy / "predictions.csv", index=False)
    by_setting, _ = check(messy)
    assert numbers(by_setting) == numbers(said)
    # git ignores the file: with other content it is another question all the same.
    given[given["patient_id"] != rows["patient_id"].iloc[0]].to_csv(messy / "predictions.csv", index=False)
    refused, report = check(messy, code=11)
    assert refused["outcome"] == "errored"
    assert f"1 of {len(rows)} held-out rows have no prediction" in report


def test_ten_lines_around_train_py_make_it_an_entry_point(messy: Path) -> None:
    adopt(messy, "entrypoint")
    settings = messy / "mlops.yaml"
    text = settings.read_text().replace(
        "{entrypoint: pipeline.train:train, params: params.yaml, seed: 7}", "{entrypoint: wrapped:train}"
    )
    (messy / "tests" / "model" / "test_behaviour.py").unlink()  # it asks for answers to missing values
    commit(messy, {"wrapped.py": WRAPPER, "mlops.yaml": text}, "Train by a function")
    said, report = check(messy, "--base", "HEAD")
    (file,) = (messy / ".mlops-ci" / "cache" / "fit").glob("*/model*")
    model, rows = load(file), held_out(messy, said)
    assert len(model.seen_) == 569 - len(rows)
    assert "diagnosis" not in model.feature_names_in_
    numbers_are(said, expected(model, rows))
    assert UNPROTECTED not in report


def test_a_command_whose_sources_do_not_carry_the_row_id_is_called_unprotected(messy: Path) -> None:
    """The id is made by the SQL that joins, so nothing can be taken out of the files that the command reads."""
    adopt(messy, "command")
    text = (messy / "mlops.yaml").read_text()
    text = text.replace("  id: [patient_id] # names a row; never a feature\n", "  id: [key]\n  prepare: key.sql\n")
    sql = "SELECT 'patient ' || patient_id AS key, * EXCLUDE (patient_id) FROM data\n"
    tree({"key.sql": sql, "mlops.yaml": text}, messy)
    (messy / "data" / "contract.yaml").write_text(start(messy, "-m", "mlops_ci", "data", "contract").stdout)
    git(messy, "rm", "-r", "-q", "--cached", "tests/model")
    git(messy, "add", "mlops.yaml", "key.sql", "data/contract.yaml")
    git(messy, "commit", "--quiet", "--amend", "--message", "Adopt mlops-ci")
    said, report = check(messy, "--at", "HEAD")
    (file,) = (messy / ".mlops-ci" / "cache" / "fit").glob("*/model.pkl")
    assert len(load(file).seen_) == 569
    assert said["outcome"] == "passed"
    assert f"{UNPROTECTED} The training command could read the held-out rows" in report
