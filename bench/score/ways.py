"""The commands that score one file: ours, and those of the peers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bench import environments
from bench.score.material import Material

OURS = "mlops-ci score"
PANDAS = "scikit-learn over pandas"
MLFLOW = "mlflow models predict"
_SAVE = """
import mlflow, pickle, sys
mlflow.sklearn.save_model(pickle.load(open(sys.argv[1], "rb")), sys.argv[2], serialization_format="cloudpickle")
"""
_SCIKIT_LEARN = """
import pandas, pickle, sys
model = pickle.load(open(sys.argv[1], "rb"))
read = pandas.read_parquet if sys.argv[2].endswith(".parquet") else pandas.read_csv
frame = read(sys.argv[2])
scores = model.predict_proba(frame.drop(columns="patient"))
out = frame[["patient"]].assign(prediction=model.classes_[scores.argmax(axis=1)])
out = out.assign(probability_false=scores[:, 0], probability_true=scores[:, 1])
out.to_parquet(sys.argv[3]) if sys.argv[3].endswith(".parquet") else out.to_csv(sys.argv[3], index=False)
"""

Command = list[str | Path]


class Way(NamedTuple):
    """Who scores which part of the rows, and the command that does; the last word of it is where the answers go."""

    name: str
    ending: str
    part: str
    command: Command

    @property
    def output(self) -> Path:
        return Path(self.command[-1])


def ours(material: Material, ending: str, part: str) -> Command:
    """The command at a desk, with all it starts."""
    output = material.folder / f"ours-{part}.{ending}"
    return [sys.executable, "-m", "mlops_ci", "score", material.bundle, material.file(part, ending), output]


def peers(material: Material, ending: str) -> list[Way]:
    """Their environments are made once and kept."""
    python = environments.peer("pandas", "pandas", "pyarrow")
    output = material.folder / f"pandas.{ending}"
    command = [python, "-c", _SCIKIT_LEARN, material.model, material.file("rows", ending), output]
    pandas = Way(PANDAS, ending, "rows", command)
    return [pandas, _mlflow(material)] if ending == "csv" else [pandas]


def _mlflow(material: Material) -> Way:
    """It reads no Parquet, takes all columns for inputs (its file has no ids), and answers the label alone."""
    python = environments.peer("mlflow", "mlflow")
    model = material.folder / "mlflow-model"
    subprocess.run([python, "-c", _SAVE, material.model, model], check=True, capture_output=True)
    command: Command = [python.parent / "mlflow", "models", "predict", "--env-manager", "local"]
    command += ["--content-type", "csv", "--model-uri", model, "--input-path", material.file("inputs", "csv")]
    return Way(MLFLOW, "csv", "rows", [*command, "--output-path", material.folder / "mlflow.json"])
