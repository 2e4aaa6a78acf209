"""Runs in a real MLflow on SQLite, in an environment that has it; and a check where MLflow is missing or broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.edge import environment
from tests.helpers import commit, repo

REPOSITORY = Path(__file__).parents[2]
LOCK = Path(__file__).parent / "mlflow_environment"
# As it is before a test's own HOME: the environment is large, and the same for every run.
CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
QUESTION = """
import json, sys
from mlflow.tracking import MlflowClient
client = MlflowClient(tracking_uri=sys.argv[1])
found = []
for experiment in client.search_experiments():
    for run in client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"]):
        path = client.list_artifacts(run.info.run_id)[0].path
        text = open(client.download_artifacts(run.info.run_id, path)).read()
        found.append({"experiment": experiment.name, "id": run.info.run_id, "name": run.info.run_name,
                      "status": run.info.status, "artifacts": run.info.artifact_uri, "params": run.data.params,
                      "metrics": run.data.metrics, "tags": run.data.tags, "file": path, "text": text})
print("runs:" + json.dumps(found))
"""
SETTINGS = """\
version: 1
project: colours
task: classification
data: {sources: {rows: data/rows.csv}, target: late, id: id}
train: {command: "python3 train.py", output: model.json, params: params.yaml, seed: 7}
gates: [accuracy >= 0.5]
"""


def project(root: Path) -> Path:
    rows = ["id,size,late", *(f"{n},{(n * 37) % 100},{'yes' if (n * 37) % 100 > 50 else 'no'}" for n in range(400))]
    guesses = ["id,score", *(f"{n},{((n * 37) % 100) / 100}" for n in range(400))]
    settings = SETTINGS.replace(
        'command: "python3 train.py", output: model.json, params: params.yaml, seed: 7', "predictions: predictions.csv"
    )
    files = {
        "mlops.yaml": settings,
        "data/rows.csv": "\n".join(rows) + "\n",
        "predictions.csv": "\n".join(guesses) + "\n",
        ".gitignore": ".mlops-ci/\n",
    }
    return repo(root, files)
