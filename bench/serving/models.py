"""The models to serve: trained, judged and released as a project does it, and the same fitted ones for the others."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).parents[2] / "tests" / "data" / "tables" / "breast_cancer.csv"
_TARGET = "target"
_SETTINGS = """version: 1
project: bench
task: classification
data: {sources: {rows: rows.csv}, target: target}
train: {entrypoint: train:train, seed: 7}
gates: [accuracy >= 0.9]
"""
_TRAIN = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train(frame, params, seed):
    model = %s
    return model.fit(frame.drop(columns="target"), frame["target"])
"""
MODELS = {
    "logistic regression": "make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))",
    "forest of 200 trees": "RandomForestClassifier(n_estimators=200, random_state=seed, n_jobs=1)",
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """`bundle` serves what lies pickled in `fitted`; `rows` are rows of the table to ask it of."""

    name: str
    bundle: Path
    fitted: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]


def made(name: str, folder: Path) -> Made:
    """Release the model of that name in a repository at `folder`."""
    folder.mkdir(parents=True)
    (folder / "mlops.yaml").write_text(_SETTINGS)
    (folder / "train.py").write_text(_TRAIN % MODELS[name])
    (folder / ".gitignore").write_text(".mlops-ci/\n__pycache__/\n")
    shutil.copyfile(_TABLE, folder / "rows.csv")
    person = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
    for words in (("init", "-q"), ("add", "."), (*person, "commit", "-qm", "A model to serve")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    released = subprocess.run(
        [sys.executable, "-m", "mlops_ci", "release", "--json"], cwd=folder, check=True, capture_output=True, text=True
    )
    (fitted,) = (folder / ".mlops-ci").rglob("model.pkl")
    with _TABLE.open(newline="") as file:
        table = list(csv.DictReader(file))
    columns = tuple(column for column in table[0] if column != _TARGET)
    rows = tuple(tuple(float(row[column]) for column in columns) for row in table[::10])
    return Made(
        name=name, bundle=Path(json.loads(released.stdout)["bundle"]), fitted=fitted, columns=columns, rows=rows
    )
