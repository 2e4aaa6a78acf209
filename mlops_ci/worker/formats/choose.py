"""The formats in order: the first one whose answers are the model's own is taken."""

from __future__ import annotations

import importlib.metadata
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import answers, fit, frames, models, tables
from ..failures import Failure
from . import onnx_file, pickle_file, pyfunc_folder, skops_file
from .attempt import Chosen, Judged, Refused
from .hunt import Hunter
from .parity import tolerance

if TYPE_CHECKING:
    from collections.abc import Callable

ORDER = {"auto": ("onnx", "skops"), **{name: (name,) for name in ("onnx", "skops", "pickle", "pyfunc")}}
_WRITERS: dict[str, Callable[[Judged, dict[str, Any]], Chosen]] = {
    "onnx": onnx_file.write,
    "skops": skops_file.write,
    "pickle": pickle_file.write,
    "pyfunc": pyfunc_folder.write,
}
_SHOWN = ("skl2onnx", "onnxmltools", "onnx", "onnxruntime", "skops", "scikit-learn", "xgboost", "lightgbm", "catboost")


def run(request: dict[str, Any]) -> dict[str, Any]:
    """What the job `export` answers. Raises Failure naming every reason where no format is the model's equal."""
    judged = _judged(request)
    tried = []
    for name in ORDER[request["format"]]:
        try:
            chosen = _WRITERS[name](judged, request)
        except Refused as refused:
            tried += [(name, "refused", reason) for reason in refused.reasons]
            continue
        tried += [(name, "refused", reason) for reason in chosen.reasons] + [(name, "accepted", "")]
        return {
            "format": name,
            "file": chosen.file,
            "tried": [{"format": name, "outcome": outcome, "reason": reason} for name, outcome, reason in tried],
            "parity": chosen.parity,
            **chosen.more,
            **_about(judged, request),
            "versions": versions(),
        }
    raise _nothing(tried, request["format"])


def _judged(request: dict[str, Any]) -> Judged:
    task, classes = request["task"], request["classes"]
    model = models.load(request["model"], task=task)
    (pyfunc_folder.check if request["format"] == "pyfunc" else check)(model)
    folder = Path(request["features"])
    frame = tables.select(frames.read(folder), model, target=request["target"], ids=request["id"])
    known = frames.kinds(folder)
    kinds = {name: known[name] for name in frame.columns}
    ask = partial(answers.ask, task=task, classes=classes)
    found = ask(model, frame)
    allowed = tolerance(found, task=task)
    hunter = Hunter(partial(ask, model), frame, kinds)
    nullable = [*request["nullable"], *frame.columns[frame.isna().any()]]
    return Judged(
        model=model,
        frame=frame,
        kinds=kinds,
        task=task,
        ask=ask,
        found=found,
        allowed=allowed,
        hunted=hunter.hunt(partial(_scores, model, request), nullable=nullable, allowed=allowed),
        refused=hunter.refused,
    )


def check(model: Any) -> None:
    """Raises Failure where what was opened is not the estimator itself but something around it."""
    if isinstance(model, (models.XGBoost, models.LightGBM, models.MLflow)):
        raise Failure(
            "unusable",
            "the model is a booster's own file or a model of MLflow, and neither becomes a file of another format",
            "train by the library's scikit-learn classes (XGBClassifier, LGBMRegressor) and keep the estimator itself; "
            "a model of MLflow is released with `package: {format: pyfunc}`: it runs code when it is opened",
            where="train",
        )


def _scores(model: Any, request: dict[str, Any], frame: Any) -> Any:
    """What a model answers as numbers, shape (rows, scores): its scores by class, else labels or values."""
    task, classes = request["task"], request["classes"]
    found = None if task == "regression" else answers.raw_scores(model, frame, task=task, classes=classes)
    if found is None:
        found = answers.ask(model, frame, task=task, classes=classes).labels
    return np.asarray(found, np.float64).reshape(len(frame), -1)


def _about(judged: Judged, request: dict[str, Any]) -> dict[str, Any]:
    own = fit.class_texts(judged.model)
    prediction = ""
    if isinstance(judged.model, models.MLflow):  # where probabilities are all it says, labels are the target's classes
        own = own if own and not judged.found.predicted else request["classes"]
        prediction = request["kind"] if judged.found.predicted else ""
    return {
        "inputs": list(judged.kinds),
        "prediction": prediction or judged.prediction_kind(),
        "classes": own if judged.found.score_kind == "probability" else [],
        "scores": judged.found.score_kind,
    }


def versions() -> dict[str, str]:
    """Of what converts and runs, and of the libraries whose models are converted, as far as they are there."""
    found = {}
    for name in _SHOWN:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _nothing(tried: list[tuple[str, str, str]], asked: str) -> Failure:
    reasons = "\n".join(f"  {name}: {reason}" for name, _, reason in tried)
    message = f"the model's answers come through in no format that package.format: {asked} allows\n{reasons}"
    lacking = [reason.removeprefix(skops_file.NOT_TRUSTED) for _, _, reason in tried if _trust(reason)]
    advice = "mend one of these reasons"
    if lacking:
        advice = f"read what these types do when they are loaded, and list them: package: {{trusted: [{lacking[0]}]}}"
    if asked != "pickle":
        advice += ". The last resort is `format: pickle`: it runs code when it is loaded, and needs this environment"
    return Failure("unusable", message, advice, where="package.format")


def _trust(reason: str) -> bool:
    return reason.startswith(skops_file.NOT_TRUSTED)
