"""Facts that follow from what is there: nothing is asked and nothing is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data.classes import class_codes
from mlops_ci.data.repeats import repeats
from mlops_ci.data.rowkeys import row_keys
from mlops_ci.evaluation import calibration
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.evaluation.probabilities import are_probabilities
from mlops_ci.evaluation.trivial import trivial
from mlops_ci.records.evaluation import Task
from mlops_ci.reports import numbers, words
from mlops_ci.steps.facts.material import NO_MODEL, Answer, Material, Number, errored, skipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NOT_HERE = "the model was not made here and lies behind an address"


def bundle_size(name: str, material: Material) -> Answer:
    """The saved model's bytes."""
    size = material.model.training.bytes
    if size is None:
        return errored(f"{name} {NO_MODEL if material.model.fitted is None else f'is not known: {_NOT_HERE}'}")
    return Number(value=float(size), told=f"The saved model takes {numbers.size(size)}")


def at_release(_name: str, _material: Material) -> Answer:
    """Nothing of it is there yet."""
    return skipped("measured at release")


def training_seconds(name: str, material: Material) -> Answer:
    """How long the training took, now or when the restored model was trained."""
    fitted = material.model.fitted
    if fitted is None or fitted.seconds is None:
        return errored(f"{name} is not known: the model was not trained here")
    then = " when the restored model was trained" if fitted.restored else ""
    return Number(value=fitted.seconds, told=f"The training took {numbers.duration(fitted.seconds)}{then}")


def duplicates(_name: str, material: Material) -> Answer:
    """Rows that are equal to an earlier one in all but the id."""
    table = material.data.snapshot.table
    columns = (*material.features, material.case.head.config.data.target)
    found = repeats(row_keys(table, columns))
    told = f"{numbers.plural(found, 'row')} of {numbers.count(table.rows)} repeat an earlier one in all but the id"
    return Number(value=float(found), told=told)


def trivial_metric(name: str, material: Material) -> Answer:
    """A metric of the model that has learnt nothing but how often each answer occurs."""
    metric, holdout = METRICS[name.partition(".")[2]], material.data.holdout
    training = truth(material, material.trained_on)
    if len(training) == 0:
        return errored(f"{name} is not known: there are no training rows")
    answers = trivial(holdout.task, training, classes=len(holdout.classes), rows=holdout.rows)
    found = metric.compute(holdout.truth, answers.labels, answers.scores, holdout.classes)
    if holdout.task is Task.REGRESSION:
        always = f"{numbers.fixed(float(answers.labels[0]), 3)}, the mean of the training rows"
    else:
        always = f"{holdout.classes[int(answers.labels[0])]!r}, the commonest class of the training rows"
    if found is None:
        return errored(f"{metric.name} has no value for a model that always answers {always}")
    shown = numbers.fixed(found, numbers.natural(found))
    return Number(
        value=found,
        told=f"A model that always answers {always}, has {words.METRICS.get(metric.name, metric.name)} {shown}",
    )


def calibration_slope(name: str, material: Material) -> Answer:
    """The slope of the logistic recalibration."""
    return _recalibration(name, material, "below 1: the probabilities are too extreme")


def calibration_intercept(name: str, material: Material) -> Answer:
    """Calibration in the large."""
    return _recalibration(name, material, "above 0: the probabilities are too low on the whole")


def _recalibration(name: str, material: Material, reading: str) -> Answer:
    scores = material.model.predictions.scores
    if scores is None or not are_probabilities(scores):
        gives = "labels only" if scores is None else "scores that are no probabilities"
        return errored(f"{name} needs probabilities, and the model gives {gives}")
    positive = material.data.holdout.truth == 1
    found = (calibration.slope if name.endswith("slope") else calibration.intercept)(positive, scores)
    if found is None:
        return errored(f"{name} has no value here: one class or one score only, or a threshold tells the classes apart")
    which = "slope" if name.endswith("slope") else "intercept"
    return Number(
        value=found, told=f"The {which} of the logistic recalibration is {numbers.fixed(found, 3)} ({reading})"
    )


def truth(material: Material, positions: NDArray[np.intp]) -> NDArray[np.generic]:
    """The truth of any rows of the snapshot's table, coded as that of the holdout."""
    column = material.data.snapshot.table.column(material.case.head.config.data.target)
    if material.data.holdout.task is Task.REGRESSION:
        return column.values[positions].astype(np.float64)
    return class_codes(column)[0][positions]
