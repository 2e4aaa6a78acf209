"""What the requirements of one model take on the disk: those of a bundle, and those that MLflow writes for it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import uv

from bench import environments
from tests import serving_bundles

_SAVE = """
import mlflow, pickle, sys
mlflow.sklearn.save_model(pickle.load(open(sys.argv[1], "rb")), sys.argv[2])
"""


def sizes() -> tuple[int, int]:
    """Bytes installed by the lock of an ONNX bundle, and by MLflow's requirements of the same model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, model = serving_bundles.fitted()
        (folder / "model.pkl").write_bytes(pickle.dumps(model))
        python = environments.peer("mlflow", "mlflow")
        save = [python, "-c", _SAVE, folder / "model.pkl", folder / "saved"]
        subprocess.run(save, check=True, capture_output=True)
        ours = _installed(folder / "ours", serving_bundles.RUNTIME / "requirements.lock")
        return ours, _installed(folder / "theirs", folder / "saved" / "requirements.txt")


def _installed(target: Path, requirements: Path) -> int:
    options = ("--quiet", "--python", sys.executable, "--target", str(target))
    subprocess.run([uv.find_uv_bin(), "pip", "install", *options, "--requirement", str(requirements)], check=True)
    return sum(path.lstat().st_size for path in target.rglob("*") if path.is_file())
