"""A model of MLflow: its folder, only where it was asked for. Opening it runs the code it was saved with."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

from .. import models
from ..failures import Failure, user_code
from .attempt import Chosen, Judged

FOLDER = "model"
_ABOUT = "MLmodel"
# When and where it was saved: the same model must give the same bytes.
_OF_THE_DAY = ("artifact_path", "model_id", "model_size_bytes", "model_uuid", "run_id", "utc_time_created")
# What MLflow guessed of libraries: those of the bundle are locked, with the project's versions.
_GUESSED = ("conda.yaml", "python_env.yaml", "requirements.txt")


def check(model: Any) -> None:
    """Raises Failure where what was opened is no model of MLflow."""
    if not isinstance(model, models.MLflow):
        raise Failure(
            "unusable",
            f"the model is a {type(model).__name__}, and package.format: pyfunc takes models of MLflow",
            "return a mlflow.pyfunc.PythonModel from training, or save one by save_model of mlflow.pyfunc or of "
            "another flavour into the folder that train.output names",
            where="package.format",
        )


def write(judged: Judged, request: dict[str, Any]) -> Chosen:
    """Laid anew, opened again and compared. Raises Failure or Refused."""
    folder = Path(request["output"]) / FOLDER
    _lay(request["model"], folder)
    again = models.load(str(folder), task=judged.task)
    predicts = "probabilities" if judged.found.predicted else "labels"
    return Chosen(FOLDER, judged.compare(again), more={"predicts": predicts})


def _lay(model: str, folder: Path) -> None:
    source = Path(model)
    if not source.is_dir():  # an address: models:/churn/3
        artifacts = importlib.import_module("mlflow.artifacts")
        with user_code("fetching the model"):
            source = Path(artifacts.download_artifacts(artifact_uri=model))
    for path in source.rglob("*"):
        if path.is_symlink():
            name = path.relative_to(source).as_posix()
            raise Failure("unusable", f"{name} in the model's folder is a link", "save the file itself", where="train")
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _GUESSED:
        (folder / name).unlink(missing_ok=True)
    _forget(folder / _ABOUT)


def _forget(path: Path) -> None:
    yaml = importlib.import_module("yaml")  # which MLflow itself reads it with
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name in _OF_THE_DAY:
        told.pop(name, None)
    told.get("flavors", {}).get("python_function", {}).pop("env", None)
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
