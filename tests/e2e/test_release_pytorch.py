"""The PyTorch of docs/formats.md, word for word: returned by training, and saved by a script; released and asked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.edge.git import Repository
from mlops_ci.steps import ledger
from tests.e2e.test_release import TABLES, alike, run
from tests.e2e.test_release_pyfunc import by_mlflow
from tests.environments import OURS
from tests.helpers import commit, must_not_skip, repo

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "tests" / "integration" / "pytorch_environment" / "requirements.lock"
TORCH = "torch==2.13.0+cpu"
SETTINGS = """version: 1
project: tumours
task: classification
data: {sources: {rows: data/rows.csv}, target: target}
train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}
gates: [accuracy >= 0.9]
package: {format: pyfunc}
"""
# What stands around the line of docs/formats.md.
SCRIPT = """import mlflow.pytorch
import pandas as pd
import torch

table = pd.read_csv("data/rows.csv")
rows, labels = table.drop(columns="target"), torch.tensor(table["target"].to_numpy("float32"))
values = torch.tensor(rows.to_numpy("float32"))
torch.manual_seed(7)
width = values.shape[1]
network = torch.nn.Sequential(torch.nn.BatchNorm1d(width), torch.nn.Linear(width, 1), torch.nn.Sigmoid())
optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
for _ in range(200):
    optimizer.zero_grad()
    torch.nn.functional.binary_cross_entropy(network(values).squeeze(1), labels).backward()
    optimizer.step()
shares = network.eval()(values).detach().numpy()
"""


def from_the_page() -> tuple[str, str, str]:
    """The network, its training, and the line that saves a network."""
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8").partition("### PyTorch")[2]
    network, training, saving = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    return network, training, saving


@pytest.fixture(scope="module")
def wheels() -> Path:
    """A folder with the CPU build, which is not on PyPI; where pip knows no place that has it, skipped at a desk."""
    folder = OURS / "pytorch"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), TORCH]
    if not list(folder.glob("torch-*.whl")):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            told = f"{TORCH} cannot be had: {done.stderr.strip().splitlines()[-1]}"
            (pytest.fail if must_not_skip() else pytest.skip)(told)
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network, training, _ = from_the_page()
    files: dict[str, str | bytes] = {
        "mlops.yaml": SETTINGS,
        "data/rows.csv": (TABLES / "breast_cancer.csv").read_bytes(),
        "pipeline/__init__.py": "",
        "pipeline/network.py": network,
        "pipeline/train.py": training,
        "params.yaml": "hidden: 16\nepochs: 100\n",
        "requirements.lock": LOCK.read_bytes(),
        ".gitignore": ".mlops-ci/\n__pycache__/\n",
    }
    return repo(tmp_path_factory.mktemp("pytorch") / "project", files)


def released(root: Path) -> tuple[Path, dict[str, Any]]:
    """The bundle of the newest commit, which gives the judged answers where MLflow has opened it."""
    bundle = Path(run(root, "release")["bundle"])
    golden = json.loads((bundle / "golden.json").read_bytes())["answers"]
    assert {0, 1} == set(golden["prediction"])
    alike(by_mlflow(str(bundle)), golden)
    return bundle, json.loads((bundle / "serving.json").read_bytes())["model"]


def test_a_network_of_pytorch_is_released(root: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    bundle, model = released(root)
    assert model == {"file": "model", "format": "pyfunc", "predicts": "probabilities", "trusted": []}
    assert sorted(path.name for path in (bundle / "model").iterdir()) == ["MLmodel", "python_model.pkl"]
    assert (bundle / "code" / "pipeline" / "network.py").is_file()
    weights = ledger.find(Repository.open(root)).evidence.bundle.installed  # type: ignore[union-attr]
    assert weights
    assert weights.largest[0][0] == "torch"
    assert weights.largest[0][1] > 300_000_000

    script = SCRIPT + from_the_page()[2]
    trained = "train: {command: python train.py, output: network}"
    told = SETTINGS.replace("train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}", trained)
    commit(root, {"mlops.yaml": told, "train.py": script}, "A script")
    bundle, model = released(root)
    assert model["predicts"] == "probabilities"
    assert "loader_module: mlflow.pytorch" in (bundle / "model" / "MLmodel").read_text()
    assert not (bundle / "code").exists()
