"""How long files take to score, and how much memory, against MLflow and scikit-learn over pandas: the same model, the
same rows, each in an environment of its own, one after the other in one run.

`python -m bench.score [--rows N] [--folder DIR]`. Ratios carry over to other machines better than seconds do.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import duckdb
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench import environments
from tests import serving_bundles

_PEERS = {"mlflow": ("mlflow",), "scikit-learn": ("pandas", "pyarrow")}
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


class Taken(NamedTuple):
    """Seconds by the clock, of the processor, and the largest resident size in bytes."""

    seconds: float
    processor: float
    memory: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="", help="what begins so, and ours")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        _measure(Path(folder), chosen.rows, chosen.only)


def _measure(folder: Path, rows: int, only: str) -> None:
    _write(folder, rows)
    lock = {"requirements.lock": (serving_bundles.RUNTIME / "requirements.lock").read_bytes()}
    bundle = serving_bundles.write(folder / "bundle", serving_bundles.binary() | lock)
    ours = [sys.executable, "-m", "mlops_ci", "score", bundle]
    _run([*ours, folder / "few.csv", folder / "warm.csv"])  # its environments are made
    for ending in ("parquet", "csv"):
        peers = _peers(folder, ending, only)
        taken = _run([*ours, folder / f"rows.{ending}", folder / f"ours.{ending}"])
        print(f"{rows:,} rows, 30 numbers, {ending}\n{_told('mlops-ci score', taken)}", flush=True)
        for name, command in peers.items():
            theirs = _run(command)
            ratio = f"{theirs.seconds / taken.seconds:.1f} x the time, {theirs.memory / taken.memory:.1f} x the memory"
            print(f"{_told(name, theirs)}   {ratio}", flush=True)


def _peers(folder: Path, ending: str, only: str) -> dict[str, list[str | Path]]:
    peers: dict[str, list[str | Path]] = {}
    if "scikit-learn".startswith(only):
        python = environments.made(folder / "scikit-learn", *environments.trained_with(), *_PEERS["scikit-learn"])
        rows, out = folder / f"rows.{ending}", folder / f"sklearn.{ending}"
        peers["scikit-learn over pandas"] = [python, "-c", _SCIKIT_LEARN, folder / "model.pkl", rows, out]
    # MLflow's own command reads all columns as inputs: its file has no ids, and its answer is the label alone.
    if ending == "csv" and "mlflow".startswith(only):
        python = environments.made(folder / "mlflow", *environments.trained_with(), *_PEERS["mlflow"])
        subprocess.run([python, "-c", _SAVE, folder / "model.pkl", folder / "mlflow-model"], check=True)
        out = folder / "mlflow.json"
        peers["mlflow models predict"] = [
            *(python.parent / "mlflow", "models", "predict", "--env-manager", "local", "--content-type", "csv"),
            *("--model-uri", folder / "mlflow-model", "--input-path", folder / "inputs.csv", "--output-path", out),
        ]
    return peers


def _write(folder: Path, rows: int) -> None:
    """rows.parquet and rows.csv with an id, inputs.csv without it, few.csv, and the model of the bundle as a pickle."""
    table = load_breast_cancer(as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(table.data, table.target == 1)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    names = ", ".join(f'"{name}" * f AS "{name}"' for name in table.data.columns)
    frame = table.data
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        times = -(-rows // len(frame))
        connection.execute(
            f"COPY (SELECT row_number() OVER () AS patient, {names} FROM (SELECT *, 0.9 + 0.2 * random() AS f"
            f" FROM frame, range({times})) LIMIT {rows}) TO '{folder / 'rows.parquet'}'"
        )
        source = f"'{folder / 'rows.parquet'}'"
        connection.execute(f"COPY (FROM {source}) TO '{folder / 'rows.csv'}'")
        connection.execute(f"COPY (SELECT * EXCLUDE patient FROM {source}) TO '{folder / 'inputs.csv'}'")
        connection.execute(f"COPY (FROM {source} LIMIT 3) TO '{folder / 'few.csv'}'")


def _run(command: list[str | Path]) -> Taken:
    """Run it, with all that it starts."""
    began = time.perf_counter()
    watch = subprocess.Popen(
        [sys.executable, "-c", _WATCH, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    told = watch.communicate()[0].split()
    seconds = time.perf_counter() - began
    if watch.returncode:
        raise SystemExit(f"{command[0]} failed: {' '.join(map(str, command))[:300]}")
    return Taken(seconds, float(told[-2]), int(told[-1]))


_WATCH = """
import os, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
os._exit(code) if code else None
"""


def _told(name: str, taken: Taken) -> str:
    memory = f"{taken.memory / 1e6:,.0f} MB"
    return f"  {name:<26} {taken.seconds:7.1f} s   processor {taken.processor:7.1f} s   {memory:>9}"


if __name__ == "__main__":
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    main()
