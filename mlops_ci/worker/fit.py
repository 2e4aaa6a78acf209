"""The job `fit`: call the project's training function and keep what it returns."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

from . import entrypoints
from .failures import ADD, Failure, user_code

_ARGUMENTS = ("frame", "params", "seed")
_SHOWN_PACKAGES = {
    "sklearn": "scikit-learn",
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "torch": "torch",
    "tensorflow": "tensorflow",
    "mlflow": "mlflow",
    "polars": "polars",
}


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Asks: entrypoint, frame (folder), target, id, params, seed, output (folder). Answers fields of the model."""
    need_pandas("the training function")
    from . import frames, models, tables

    seed = int(request["seed"])
    seed_everything(seed)
    train = entrypoints.load(request["entrypoint"], setting="train.entrypoint", arguments=_ARGUMENTS)
    frame = tables.without(frames.read(Path(request["frame"])), request["id"])
    columns = [name for name in frame.columns if name != request["target"]]
    seed_everything(seed)
    started = time.perf_counter()
    with user_code("training"):
        model = train(frame, request["params"], seed)
    seconds = time.perf_counter() - started
    check(model, request["entrypoint"])
    return {
        "model": models.save(model, Path(request["output"])),
        "class_name": class_name(model),
        "features": tables.feature_names(model) or columns,
        "classes": class_texts(model),
        "packages": packages(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "seconds": round(seconds, 3),
    }


def check(model: Any, entrypoint: str) -> None:
    """Raises Failure when what training returned is no model."""
    advice = "return an estimator with predict (and predict_proba), or a mlflow.pyfunc.PythonModel"
    if model is None:
        raise Failure("unusable", f"{entrypoint} returned nothing", advice, where="train.entrypoint")
    if not callable(getattr(model, "predict", None)):
        name = type(model).__name__
        message = f"{entrypoint} returned a {name}, which has no predict"
        raise Failure("unusable", message, advice, where="train.entrypoint")


def need_pandas(who: str) -> None:
    """Raises Failure when the project's environment has no pandas."""
    try:
        import pandas as pd  # noqa: F401
    except ModuleNotFoundError as error:
        message = f"{who} is handed a pandas DataFrame, and the project's environment has no {error.name}"
        raise Failure("package", message, ADD.format("pandas")) from None


def seed_everything(seed: int) -> None:
    """Seed random, numpy, and torch where it is loaded."""
    random.seed(seed)
    import numpy as np

    np.random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


def class_name(model: Any) -> str:
    """Module and class; of a pipeline `Pipeline(…, LogisticRegression)`: what predicts is its last step."""
    name = type(model).__qualname__
    steps = getattr(model, "steps", None)
    if name == "Pipeline" and isinstance(steps, list) and steps and hasattr(steps[-1][-1], "predict"):
        last = steps[-1][-1]
        return f"{name}(…, {class_name(last) if hasattr(last, 'steps') else type(last).__qualname__})"
    return f"{type(model).__module__}.{name}"


def class_texts(model: Any) -> list[str]:
    """`classes_` in text form, in the model's order; empty where it has none."""
    import numpy as np

    from . import classes

    found = getattr(model, "classes_", None)
    return [classes.class_text(value) for value in found] if found is not None and np.ndim(found) == 1 else []


def packages() -> dict[str, str]:
    """Distribution -> version of the modelling packages that are loaded."""
    loaded = {name: sys.modules[module] for module, name in _SHOWN_PACKAGES.items() if module in sys.modules}
    return {name: str(getattr(module, "__version__", "")) for name, module in sorted(loaded.items())}
