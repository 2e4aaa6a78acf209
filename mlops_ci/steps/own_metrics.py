"""The project's own metrics: its functions on the held-out rows, for the candidate's answers and the champion's."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.edge import answers, files
from mlops_ci.errors import UserCodeError
from mlops_ci.records.evaluation import Champion, Holdout, OwnMetric, Predictions
from mlops_ci.records.results import Part, Result
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.change import metric_files
from mlops_ci.steps.decide import errored
from mlops_ci.steps.declared import declared
from mlops_ci.steps.predict import keep_predictions
from mlops_ci.steps.project import Project
from mlops_ci.steps.snapshot import Snapshot
from mlops_ci.steps.trees import Tree
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What the functions gave: in the predictions, or in `own` where it is one number for all rows."""

    own: tuple[OwnMetric, ...] = ()
    candidate: Predictions
    champion: Champion | None
    results: tuple[Result, ...] = ()
    """One for every metric that could not be computed."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept between runs: `value`, or None where there is one number a row."""

    value: float | None


class Ruler(msgspec.Struct, frozen=True, kw_only=True):
    """Whose metrics count on which rows."""

    project: Project
    head: Tree
    rules: Tree
    """Where the functions are read from; of a metric that only head declares, head."""
    snapshot: Snapshot
    holdout: Holdout
    workshop: Workshop


def measure(ruler: Ruler, candidate: Predictions, champion: Champion | None) -> Measured:
    """Every metric that the rules declare, and those that only head does, on both models' answers."""
    known = {one.name: one for one in (*declared(ruler.head), *declared(ruler.rules))}
    rival = champion.predictions if champion else None
    own, ours, theirs, results = [], dict[str, "NDArray[np.float32]"](), dict[str, "NDArray[np.float32]"](), []
    for metric in known.values():
        value, error = _measured(ruler, metric, candidate)
        other, other_error = (None, None) if rival is None or error else _measured(ruler, metric, rival)
        other_error = other_error or _unlike(metric, value, other)
        if value is not None:
            ours[metric.name] = value
        if other is not None and other_error is None:
            theirs[metric.name] = other
        own.append(_with(metric, value, None if other_error else other, (error, other_error)))
        blocking = metric.name in ruler.rules.config.metrics
        results += [
            msgspec.structs.replace(errored(f"metric {metric.name}", found, Part.MODEL), blocking=blocking)
            for found in (error, other_error)
            if found is not None
        ]
    return Measured(
        own=tuple(own),
        candidate=msgspec.structs.replace(candidate, own=ours),
        champion=_answering(champion, theirs),
        results=tuple(results),
    )


def _measured(
    ruler: Ruler, metric: OwnMetric, predictions: Predictions
) -> tuple[NDArray[np.float32] | None, UserCodeError | None]:
    try:
        return _restored(ruler, metric, predictions), None
    except UserCodeError as error:
        return None, error


def _restored(ruler: Ruler, metric: OwnMetric, predictions: Predictions) -> NDArray[np.float32]:
    """The numbers of one metric for one model, computed once while nothing they are made from changes."""
    laid = _laid(ruler, metric)
    reads = [
        metric.function,
        ruler.workshop.code,
        [[path, files.sha256(place)] for place, path in laid],
        ruler.workshop.environment.digest,
        ruler.snapshot.info.digest,
        ruler.snapshot.info.split,
        [ruler.holdout.digest, ruler.holdout.task, ruler.holdout.classes, ruler.head.config.data.target],
        predictions.digest,
    ]
    make = partial(_compute, ruler=ruler, metric=metric, predictions=predictions, laid=laid)
    folder, _ = Cache(ruler.project.state).folder("metric", reads, make)
    found = _read(folder, rows=ruler.holdout.rows)
    _refuse_outside(ruler, metric, found)
    return found


def _laid(ruler: Ruler, metric: OwnMetric) -> tuple[tuple[Path, str], ...]:
    """The judge's version of the metric's module, laid over that of the commit."""
    if metric.name not in ruler.rules.config.metrics:
        return ()
    module = metric.function.partition(":")[0].replace(".", "/")
    names = (f"{module}.py", f"{module}/__init__.py")
    return tuple((ruler.rules.root / path, path) for path in metric_files(ruler.rules) if path in names)


def _compute(
    folder: Path, *, ruler: Ruler, metric: OwnMetric, predictions: Predictions, laid: tuple[tuple[Path, str], ...]
) -> None:
    with ruler.workshop.open(extra=laid) as bench:
        asked = bench.scratch / "predictions"
        asked.mkdir()
        keep_predictions(asked, predictions)
        try:
            answer = bench.run(
                "metric",
                {
                    "name": metric.name,
                    "function": metric.function,
                    "holdout": str(ruler.snapshot.folder / "holdout"),
                    "predictions": str(asked),
                    "task": str(ruler.holdout.task),
                    "classes": list(ruler.holdout.classes),
                    "target": ruler.head.config.data.target,
                    "output": str(folder),
                },
            ).value
        except UserCodeError as error:
            error.message = error.message.replace("a metric ", f"the metric {metric.name} ", 1)
            raise
    if not isinstance(answer, answers.Measured):
        raise TypeError(f"the job metric answered {type(answer).__name__}")
    (folder / "answer.json").write_bytes(msgspec.json.encode(_Answer(value=answer.value)))
    _read(folder, rows=ruler.holdout.rows)  # what cannot be used must not be kept


def _read(folder: Path, *, rows: int) -> NDArray[np.float32]:
    value = msgspec.json.decode((folder / "answer.json").read_bytes(), type=_Answer).value
    # One number is kept as it is; a number a row as the 32 bits that are stored.
    return answers.measured_rows(folder, rows=rows) if value is None else np.asarray(value)


def _refuse_outside(ruler: Ruler, metric: OwnMetric, found: NDArray[np.float32]) -> None:
    if metric.low is None or metric.high is None or found.ndim == 0:
        return
    least, most = float(found.min()), float(found.max())
    # The ends as 32-bit floats hold them: 0.1 is not less than 0.1.
    if least < np.float32(metric.low) or most > np.float32(metric.high):
        raise UserCodeError(
            f"{metric.function} gave {least:g} to {most:g} for a row; its range is {metric.low:g} to {metric.high:g}",
            "Widen `range`, or clip the values in the function.",
            where=ruler.rules.config.place(f"metrics.{metric.name}"),
        )


def _unlike(
    metric: OwnMetric, value: NDArray[np.float32] | None, other: NDArray[np.float32] | None
) -> UserCodeError | None:
    if value is None or other is None or value.ndim == other.ndim:
        return None
    return UserCodeError(
        f"{metric.function} gives one number for one model and one a row for the other", "Return the same kind always."
    )


def _with(
    metric: OwnMetric,
    value: NDArray[np.float32] | None,
    other: NDArray[np.float32] | None,
    errors: tuple[UserCodeError | None, UserCodeError | None],
) -> OwnMetric:
    reasons = tuple("" if error is None else error.message for error in errors)
    by_row = value is None or value.ndim > 0
    return msgspec.structs.replace(
        metric,
        by_row=by_row,
        value=None if by_row or value is None else float(value),
        champion=None if by_row or other is None else float(other),
        reason=reasons[0],
        champion_reason=reasons[1],
    )


def _answering(champion: Champion | None, own: dict[str, NDArray[np.float32]]) -> Champion | None:
    if champion is None or champion.predictions is None:
        return champion
    return msgspec.structs.replace(champion, predictions=msgspec.structs.replace(champion.predictions, own=own))
