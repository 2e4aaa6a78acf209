"""How much the main metric suffers when the rows come as they may in production: noise, gaps, typos."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data.perturb import with_gaps, with_noise, with_typos
from mlops_ci.errors import UserCodeError
from mlops_ci.evaluation.steadiness import main_metric, worsening
from mlops_ci.records.decisions import Absence
from mlops_ci.records.evaluation import Predictions
from mlops_ci.records.outcomes import Status
from mlops_ci.records.tables import Kind, Table
from mlops_ci.reports import numbers, words
from mlops_ci.steps.facts.material import (
    NO_MODEL,
    SEED,
    Answer,
    Material,
    Number,
    answers_on,
    errored,
    sample,
    skipped,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS = 5_000
_MOST_COPIES = 20
"""A small holdout is asked several times, each time with other noise: one draw on 100 rows says little."""
_NUMBERS = (Kind.INTEGER, Kind.FLOAT)

Change = Callable[[Table, np.random.Generator, float], Table]
_CHANGES: dict[str, tuple[Change, float, tuple[Kind, ...], str]] = {
    "robustness.noise": (with_noise, 0.1, _NUMBERS, "every number gets noise of 0.1 standard deviations"),
    "robustness.missing": (with_gaps, 0.1, tuple(Kind), "10 % of the values of every column are missing"),
    "robustness.typos": (with_typos, 0.1, (Kind.TEXT,), "10 % of the values of every text column are misspelt"),
}
"""Fact -> what is done, how much of it, to which kinds of column, and in words."""


def robustness(name: str, material: Material) -> Answer:
    """The worsening of the main metric on at most 5,000 held-out rows; failed where the model cannot answer at all."""
    change, share, kinds, doing = _CHANGES[name]
    fitted, table = material.model.fitted, material.data.snapshot.table
    if fitted is None:
        return errored(f"{name} {NO_MODEL}")
    if not any(table.column(column).kind in kinds for column in material.features):
        return skipped(f"no column of the table can be changed so that {doing}")
    places = sample(material.data.holdout.rows, _ROWS)
    copies = min(-(-_ROWS // len(places)), _MOST_COPIES)
    asked = np.tile(places, copies)

    def changed() -> Table:
        return change(material.rows(material.held[asked]), np.random.default_rng(SEED), share)

    try:
        answers = answers_on(material, fitted, changed, reads=[f"{name}/1", share, _ROWS, copies])
    except UserCodeError as error:
        where = f" ({error.where})" if error.where else ""
        return Absence(status=Status.FAILED, reason=f"the model cannot answer where {doing}: {error.message}{where}")
    return _compared(name, material, asked, answers, when=f"where {doing} ({_of_rows(material, places, copies)})")


def _compared(name: str, material: Material, asked: NDArray[np.intp], answers: Predictions, *, when: str) -> Answer:
    holdout, before = material.data.holdout, material.judged(asked)
    truth, classes = holdout.truth[asked], holdout.classes
    metric = main_metric(holdout.task, truth, before, classes)
    values = [metric.compute(truth, one.labels, one.scores, classes) for one in (before, answers)]
    lost = None if values[0] is None or values[1] is None else worsening(metric, values[0], values[1])
    if lost is None or values[1] is None:
        return errored(f"{name} has no value: {metric.name} is not defined on these rows, or there is no error at all")
    places = numbers.apart(values[0] or 0.0, values[1], 3)
    called = words.METRICS.get(metric.name, metric.name)
    moved = f"{called} goes from {numbers.fixed(values[0], places)} to {numbers.fixed(values[1], places)}"
    return Number(value=lost, told=f"{moved} {when}")


def _of_rows(material: Material, places: NDArray[np.intp], copies: int) -> str:
    rows = material.data.holdout.rows
    told = f"{numbers.count(len(places))} of {numbers.count(rows)} held-out rows"
    return f"{told}, {copies} times" if copies > 1 else told
