"""Same input, same output: the same rows asked differently, and the same training made twice."""

from __future__ import annotations

import numpy as np

from mlops_ci.errors import UserCodeError
from mlops_ci.evaluation.steadiness import differing
from mlops_ci.reports import numbers
from mlops_ci.steps.facts.material import NO_MODEL, SEED, Answer, Material, Number, answers_on, errored, sample
from mlops_ci.steps.fit import fit
from mlops_ci.steps.predict import predict

_ROWS = 1_000
_BATCH = 10
_MADE_ELSEWHERE = "needs a second training, and the model is not trained here"


def determinism_predict(name: str, material: Material) -> Answer:
    """The share of at most 1,000 held-out rows with another answer in another order, by tens, in a new process."""
    fitted = material.model.fitted
    if fitted is None:
        return errored(f"{name} {NO_MODEL}")
    places = sample(material.data.holdout.rows, _ROWS)
    shuffled = np.random.default_rng(SEED).permutation(places)
    try:
        answers = answers_on(
            material,
            fitted,
            lambda: material.rows(material.held[shuffled]),
            reads=[f"{name}/1", _ROWS, _BATCH],
            batch=_BATCH,
        )
    except UserCodeError as error:
        return errored(f"{name} could not be measured: {error.message}")
    other = differing(material.judged(shuffled), answers, material.data.holdout.task)
    told = f"{_rows(other)} get another answer in another order and in batches of {_BATCH}"
    return Number(value=float(other.mean()), told=told)


def determinism_train(name: str, material: Material) -> Answer:
    """The share of held-out rows that a second training with the same seed answers differently."""
    case, data = material.case, material.data
    if material.model.training.rung not in ("entrypoint", "command"):
        return errored(f"{name} {_MADE_ELSEWHERE}: leave this gate out, or name train.entrypoint")
    try:
        fitted = fit(case.project, case.head, data.snapshot, material.workshop, again=1)
        answers, _ = predict(case.project, case.head, data.snapshot, data.holdout, fitted, material.workshop)
    except UserCodeError as error:
        return errored(f"{name} could not be measured: the second training did not succeed: {error.message}")
    other = differing(material.model.predictions, answers, data.holdout.task)
    told = f"{_rows(other)} get another answer from a second training with the same seed"
    return Number(value=float(other.mean()), told=told)


def _rows(other: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> str:
    return f"{numbers.count(int(other.sum()))} of {numbers.count(len(other))} held-out rows"
