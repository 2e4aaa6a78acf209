"""The number of one term: a count where the metric is one, so that comparisons with a threshold are exact."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.evaluation.proportions import denominators, masks
from mlops_ci.gates import words
from mlops_ci.gates.gate import Term, TermKind
from mlops_ci.records.verdicts import Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_ci.evaluation.metric import Metric
    from mlops_ci.gates.sample import Sample
    from mlops_ci.records.evaluation import Predictions

_UNDEFINED = Side(value=None)


class SliceSample(msgspec.Struct, frozen=True, kw_only=True):
    """One slice of `worst` or `gap`: its name, the rows and the metric there."""

    name: str
    sample: Sample
    side: Side


def side(metric: Metric, sample: Sample, answers: Predictions) -> Side:
    """The metric of these answers; value None where it is not defined."""
    holdout = sample.holdout
    if metric.kind == "proportion":
        member, success = masks(metric, holdout.truth, answers.labels, answers.scores)
        count, of = int(success.sum()), int(member.sum())
        return Side(value=count / of, count=count, of=of) if of else _UNDEFINED
    return Side(value=metric.of(holdout.truth, answers, holdout.classes))


def changed(sample: Sample) -> Side:
    """The rows where candidate and champion predict differently, of one row or more."""
    count = int(differing(sample).sum())
    return Side(value=count / sample.holdout.rows, count=count, of=sample.holdout.rows)


def differing(sample: Sample) -> NDArray[np.bool_]:
    """Shape (n,); ValueError without a champion, which is asked before."""
    if sample.rival is None:
        raise ValueError("changed predictions on a sample without a champion")
    return np.asarray(sample.candidate.labels != sample.rival.labels)


def exact(found: Side) -> Fraction | float:
    """The value, as a fraction where it was counted; ValueError where it is not defined."""
    if found.count is not None and found.of:
        return Fraction(found.count, found.of)
    if found.value is None:
        raise ValueError("a value that is not defined")
    return found.value


def slices(term: Term, sample: Sample) -> tuple[tuple[SliceSample, ...], tuple[str, ...]]:
    """The slices of `worst` or `gap` that can be judged, and `value (rows)` of those too small or without a value."""
    codes, there = counted(term, sample)
    values = sample.holdout.slices[term.column].values
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(values) + 1))
    judged, small = [], []
    for code in np.flatnonzero(np.diff(ends) > 0):
        value, rows = values[code], order[ends[code] : ends[code + 1]]
        if there[code] >= term.min_rows:
            cut = sample.take(rows)
            found = side(term.measure, cut, cut.of(term))
            if found.value is not None:
                judged.append(SliceSample(name=f"{term.column}={value}", sample=cut, side=found))
                continue
        small.append(f"{value} ({there[code]:,})")
    return tuple(judged), tuple(small)


def counted(term: Term, sample: Sample) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The part each row is in and the rows that count in each value of the column.

    Parts: shape (n,), 0 for rows without a value, else from 1. Rows that count: shape (values,).
    """
    holdout, factor = sample.holdout, sample.holdout.slices[term.column]
    codes, parts = factor.codes.astype(np.int64) + 1, len(factor.values) + 1
    there = denominators(
        term.measure,
        holdout.truth,
        sample.of(term).labels,
        classes=len(holdout.classes),
        codes=codes,
        parts=parts,
    )
    return codes, there[1:]


def worst(term: Term, judged: Sequence[SliceSample]) -> SliceSample:
    """The slice with the worst value, of one or more."""
    choose = min if term.measure.higher_is_better else max
    return choose(judged, key=lambda one: exact(one.side))


def too_few(term: Term, judged: Sequence[SliceSample], small: Sequence[str]) -> str:
    """Why there is no worst slice or no gap; empty where there is one."""
    told = f"not judged: {words.names(small)}" if small else ""
    if not judged:
        return words.joined(f"no value of {term.column} has enough rows to judge {term.name}", told)
    if term.kind is TermKind.GAP and len(judged) == 1:
        only = f"only {judged[0].name} has enough rows to judge {term.name}, and a gap is between two"
        return words.joined(only, told)
    return ""
