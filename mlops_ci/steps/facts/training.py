"""What the training itself adds to a metric: rows learnt by heart, and the luck of a seed."""

from __future__ import annotations

from mlops_ci.errors import UserCodeError
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.records.evaluation import Predictions
from mlops_ci.reports import numbers, words
from mlops_ci.steps.facts.at_hand import truth
from mlops_ci.steps.facts.material import NO_MODEL, Answer, Material, Number, answers_on, errored, sample
from mlops_ci.steps.fit import fit
from mlops_ci.steps.predict import predict

_ROWS = 5_000
_SEEDS = 5
"""Trainings that are compared, the candidate's own among them."""


def train_gap(name: str, material: Material) -> Answer:
    """The metric on at most 5,000 training rows against the holdout's, positive where training rows do better."""
    fitted, holdout = material.model.fitted, material.data.holdout
    if fitted is None:
        return errored(f"{name} {NO_MODEL}")
    if fitted.info.rung == "model":
        return errored(f"{name} has no value: the model was trained elsewhere, on rows nobody here knows")
    metric = METRICS[name.partition(".")[2]]
    chosen = material.trained_on[sample(len(material.trained_on), _ROWS)]
    try:
        answers = answers_on(material, fitted, lambda: material.rows(chosen), reads=["train_gap/1", _ROWS])
    except UserCodeError as error:
        return errored(f"{name} could not be measured: {error.message}")
    seen = metric.compute(truth(material, chosen), answers.labels, answers.scores, holdout.classes)
    unseen = _on_holdout(name, material, material.model.predictions)
    if seen is None or unseen is None:
        return errored(f"{metric.name} is not defined on the training rows or on the held-out ones")
    places = numbers.apart(seen, unseen, 3)
    rows = f"{numbers.count(len(chosen))} of {numbers.count(len(material.trained_on))} training rows"
    on_held_out = f"{numbers.fixed(unseen, places)} on the held-out ones"
    told = f"{words.METRICS.get(metric.name, metric.name)} is {numbers.fixed(seen, places)} on {rows} and {on_held_out}"
    return Number(value=seen - unseen if metric.higher_is_better else unseen - seen, told=told)


def seed_noise(name: str, material: Material) -> Answer:
    """The largest value minus the smallest over five trainings that differ in the seed alone."""
    training = material.model.training
    if training.rung != "entrypoint" or training.seed is None:
        reason = "only a training function is handed a seed (`train: {entrypoint: …}`)"
        return errored(f"{name} cannot be measured: {reason}")
    metric = METRICS[name.partition(".")[2]]
    found = [_on_holdout(name, material, material.model.predictions)]
    for number in range(1, _SEEDS):
        material.clock.say("facts", f"{name}: training with seed {number + 1} of {_SEEDS}")
        try:
            answers = _with_seed(material, training.seed + number)
        except UserCodeError as error:
            return errored(f"{name} could not be measured with seed {training.seed + number}: {error.message}")
        found.append(_on_holdout(name, material, answers))
    values = [value for value in found if value is not None]
    if len(values) < len(found):
        return errored(f"{metric.name} is not defined on the held-out rows for every seed")
    low, high = min(values), max(values)
    places = numbers.apart(low, high, 3)
    called = words.METRICS.get(metric.name, metric.name)
    between = f"{numbers.fixed(low, places)} and {numbers.fixed(high, places)}"
    seeds = f"{training.seed} to {training.seed + _SEEDS - 1}"
    return Number(value=high - low, told=f"{called} lies between {between} with the seeds {seeds}")


def _with_seed(material: Material, seed: int) -> Predictions:
    case, data = material.case, material.data
    fitted = fit(case.project, case.head, data.snapshot, material.workshop, seed=seed)
    return predict(case.project, case.head, data.snapshot, data.holdout, fitted, material.workshop)[0]


def _on_holdout(name: str, material: Material, answers: Predictions) -> float | None:
    holdout = material.data.holdout
    return METRICS[name.partition(".")[2]].compute(holdout.truth, answers.labels, answers.scores, holdout.classes)
