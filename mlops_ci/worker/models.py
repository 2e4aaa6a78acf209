"""Keeps a fitted model in a file, and opens whatever a project keeps one in."""

from __future__ import annotations

import importlib
import io
import pickle
import re
import sys
from pathlib import Path
from typing import Any

from .failures import ADD, Failure, user_code

_URI = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)
_PICKLES = (".pkl", ".pickle", ".joblib", ".gz")
_IMPORTABLE = "define classes and functions of the model at the top of a module"


def save(model: Any, folder: Path) -> dict[str, str]:
    """Write `model.pkl`; the answer names the file and the pickler: pickle, or cloudpickle for lambdas and the like.

    A PythonModel of MLflow becomes a folder, saved by MLflow. Raises Failure when the model cannot be pickled.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if is_python_model(model):
        return _saved_by_mlflow(model, folder / "model")
    try:
        content, format_ = pickle.dumps(model, protocol=5), "pickle"
    except Exception as error:  # noqa: BLE001 - a __reduce__ of the project's raises what it likes
        content, format_ = _cloudpickled(model, error), "cloudpickle"
    (folder / "model.pkl").write_bytes(content)
    return {"file": "model.pkl", "format": format_}


def is_python_model(model: Any) -> bool:
    """Whether it is an mlflow.pyfunc.PythonModel."""
    pyfunc = sys.modules.get("mlflow.pyfunc")
    return pyfunc is not None and isinstance(model, pyfunc.PythonModel)


def _saved_by_mlflow(model: Any, folder: Path) -> dict[str, str]:
    """Without the libraries MLflow would guess: it starts a process for that, and a bundle has the project's lock."""
    try:
        sys.modules["mlflow.pyfunc"].save_model(str(folder), python_model=model, pip_requirements=[])
    except Exception as error:  # noqa: BLE001 - of a model's own state
        raise _not_picklable(model, error) from None
    return {"file": folder.name, "format": "mlflow"}


def _cloudpickled(model: Any, plain: Exception) -> bytes:
    for name in ("cloudpickle", "joblib.externals.cloudpickle"):
        try:
            dumps = importlib.import_module(name).dumps
        except ImportError:
            continue
        try:
            return bytes(dumps(model, protocol=5))
        except Exception as error:  # noqa: BLE001 - as above
            raise _not_picklable(model, error) from None
    raise _not_picklable(model, plain)


def _not_picklable(model: Any, error: Exception) -> Failure:
    return Failure(
        "pickle",
        f"the model, a {type(model).__name__}, cannot be pickled: {error}",
        f"{_IMPORTABLE}; leave open files, locks and connections out of it",
    )


def load(model: str, *, task: str) -> Any:
    """The model in a pickle or joblib file, an MLflow folder or URI, or a native XGBoost, LightGBM or CatBoost file.

    Raises Failure.
    """
    path = Path(model)
    if _URI.match(model) or (path / "MLmodel").is_file():
        pyfunc = _need("mlflow.pyfunc", model)
        with user_code("loading the model"):
            return MLflow(pyfunc.load_model(model))
    if not path.exists():
        raise Failure("unusable", f"there is no model file {path.name}")
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        return _unpickle(path)
    if suffix in (".json", ".ubj"):
        return XGBoost(_need("xgboost", model), path)
    if suffix == ".txt":
        return LightGBM(_need("lightgbm", model), path)
    if suffix == ".cbm":
        catboost = _need("catboost", model)
        booster = catboost.CatBoostRegressor() if task == "regression" else catboost.CatBoostClassifier()
        with user_code("loading the model"):
            return booster.load_model(str(path))
    raise Failure(
        "unusable",
        f"{path.name} is no kind of model file that is known",
        "known: .pkl, .joblib, an MLflow folder or URI, .json or .ubj (XGBoost), .txt (LightGBM), .cbm (CatBoost)",
    )


def _need(module: str, model: str) -> Any:
    with user_code("importing " + module):
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module.partition(".")[0]:
                raise
            name = model if _URI.match(model) else Path(model).name
            raise Failure(
                "package",
                f"the model {name} needs {error.name}, and the project's environment does not have it",
                ADD.format(error.name),
            ) from None


def _unpickle(path: Path) -> Any:
    with user_code("loading the model"):
        content = path.read_bytes()
        try:
            if path.suffix.lower() in (".pkl", ".pickle"):
                return pickle.load(io.BytesIO(content))
        except pickle.UnpicklingError:
            pass  # joblib's own format, under another name
        except AttributeError as error:
            raise _moved(error) from None
        try:
            return importlib.import_module("joblib").load(path)
        except AttributeError as error:
            raise _moved(error) from None


def _moved(error: AttributeError) -> Failure:
    text = str(error)
    if "__main__" in text:
        return Failure(
            "pickle",
            f"the model cannot be loaded: {text}",
            "the class lives in the script that trained it; move it into a module of its own and import it there",
        )
    return Failure("pickle", f"the model cannot be loaded: {text}", _IMPORTABLE)


class MLflow:
    """A model of MLflow, asked through its pyfunc; for scores the model in it, where MLflow gives that out.

    A pyfunc of a classifier mostly answers labels alone. Both are asked with the columns of the signature.
    """

    def __init__(self, loaded: Any) -> None:
        self._loaded = loaded
        schema = _schema(loaded)
        named = schema is not None and schema.has_input_names()
        self.feature_names_in_ = [str(name) for name in schema.input_names()] if named else []
        raw = _raw(loaded)
        if callable(getattr(raw, "predict_proba", None)):
            self.predict_proba = raw.predict_proba
            self.classes_ = getattr(raw, "classes_", None)

    def predict(self, frame: Any) -> Any:
        return self._loaded.predict(frame)


def _schema(loaded: Any) -> Any:
    metadata = getattr(loaded, "metadata", None)
    return None if metadata is None else metadata.get_input_schema()


def _raw(loaded: Any) -> Any:
    try:
        return loaded.get_raw_model()
    except (NotImplementedError, AttributeError):  # what MLflow says of a flavour, or a flavour of itself, without one
        return None


class XGBoost:
    """An XGBoost booster with scikit-learn's way to ask."""

    def __init__(self, library: Any, path: Path) -> None:
        self._library = library
        with user_code("loading the model"):
            self._booster = library.Booster(model_file=str(path))
        self.feature_names_in_ = self._booster.feature_names or []

    def predict(self, frame: Any) -> Any:
        return self._booster.predict(self._library.DMatrix(frame, enable_categorical=True))


class LightGBM:
    """A LightGBM booster with scikit-learn's way to ask. LightGBM writes blanks in names as underscores."""

    def __init__(self, library: Any, path: Path) -> None:
        with user_code("loading the model"):
            self._booster = library.Booster(model_file=str(path))
        self._names = self._booster.feature_name()
        self.feature_names_in_: list[str] = []

    def predict(self, frame: Any) -> Any:
        written = {str(name).replace(" ", "_"): name for name in frame.columns}
        if all(name in written for name in self._names):
            frame = frame[[written[name] for name in self._names]]
        return self._booster.predict(frame)
