"""The number of one term: a count where the metric is one, so that comparisons with a threshold are exact."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.evaluation.proportions import denominator, masks
from mlops_ci.records.verdicts import Side

if TYPE_CHECKING:
    from mlops_ci.gates.gate import Term
    from mlops_ci.gates.sample import Sample
    from mlops_ci.records.evaluation import Predictions

_UNDEFINED = Side(value=None)


class SliceSample(msgspec.Struct, frozen=True, kw_only=True):
    """One slice of `worst`: its name, the rows and the metric there."""

    name: str
    sample: Sample
    side: Side


def side(metric: str, sample: Sample, answers: Predictions) -> Side:
    """The metric of these answers; value None where it is not defined."""
    holdout = sample.holdout
    if METRICS[metric].kind == "proportion":
        member, success = masks(metric, holdout.truth, answers.labels)
        count, of = int(success.sum()), int(member.sum())
        return Side(value=count / of, count=count, of=of) if of else _UNDEFINED
    return Side(value=METRICS[metric].compute(holdout.truth, answers.labels, answers.scores, holdout.classes))


def exact(found: Side) -> Fraction | float:
    """The value, as a fraction where it was counted; ValueError where it is not defined."""
    if found.count is not None and found.of:
        return Fraction(found.count, found.of)
    if found.value is None:
        raise ValueError("a value that is not defined")
    return found.value


def slices(term: Term, sample: Sample) -> tuple[tuple[SliceSample, ...], tuple[str, ...]]:
    """The slices of `worst(...)` that can be judged, and `value (rows)` of those too small or without a value."""
    factor = sample.holdout.slices[term.column]
    metric = METRICS[term.name]
    judged, small = [], []
    for code, value in enumerate(factor.values):
        rows = np.asarray(factor.codes == code)
        if not rows.any():
            continue
        cut = sample.cut(rows)
        answers = cut.of(term)
        there = denominator(metric, cut.holdout.truth, answers.labels, cut.holdout.classes)
        found = side(term.name, cut, answers) if there >= term.min_rows else _UNDEFINED
        if found.value is None:
            small.append(f"{value} ({there:,})")
        else:
            judged.append(SliceSample(name=f"{term.column}={value}", sample=cut, side=found))
    return tuple(judged), tuple(small)
