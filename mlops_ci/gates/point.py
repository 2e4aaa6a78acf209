"""Gates without `@`: the value seen decides, exactly; how uncertain it is stands beside it."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mlops_ci.evaluation.proportions import denominators
from mlops_ci.gates import claim, words
from mlops_ci.gates.estimates import has_gap_bound
from mlops_ci.gates.form import Form, form, why_no_bound
from mlops_ci.gates.gaps import gap
from mlops_ci.gates.gate import Comparison, Gate, Term, TermKind
from mlops_ci.gates.obstacles import nobody_asked, undefined
from mlops_ci.gates.sample import Sample, rows_of, whole
from mlops_ci.gates.values import SliceSample, changed, exact, side, slices, too_few, worst
from mlops_ci.gates.verdict import scale, sides, verdict
from mlops_ci.records.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_ci.gates.question import Question
    from mlops_ci.records.verdicts import Verdict

NAME = "point/1"

_COMPARE: dict[Comparison, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """A term's number, or `missing`: why there is none."""

    number: Any = None
    rows: int | None = None
    """In the metric's denominator."""
    missing: str = ""
    note: str = ""


def judge(gate: Gate, question: Question) -> Verdict:
    """Passed or failed; undecided where a metric is not defined on the rows."""
    sample = answered(gate, whole(question, gate.against))
    found = [_number(term, sample, question) for term in gate.terms]
    if missing := next((one.missing for one in found if one.missing), ""):
        return verdict(gate, Status.UNDECIDED, reason=missing, method=NAME)
    total = sum(
        (_decimal(term.coefficient) * one.number for term, one in zip(gate.terms, found, strict=True)), Fraction(0)
    )
    passed = _COMPARE[gate.comparison](
        total, _decimal(gate.threshold) if isinstance(total, Fraction) else gate.threshold
    )
    observed = float(total)
    reason = words.joined(words.point(gate, scale(gate), observed, passed=passed), _left_out(gate, question))
    return verdict(
        gate,
        Status.PASSED if passed else Status.FAILED,
        observed=observed,
        method=NAME,
        reason=words.joined(reason, *(one.note for one in found)),
        **(_of_metrics(gate, sample, question, found[0].rows) if gate.terms[0].kind is not TermKind.FACT else {}),
    )


def answered(gate: Gate, sample: Sample) -> Sample:
    """The rows the rival could be asked about, where the gate compares with it."""
    if sample.unanswered is None or not gate.against:
        return sample
    return msgspec.structs.replace(sample.cut(~sample.unanswered), unanswered=None)


def _left_out(gate: Gate, question: Question) -> str:
    rival = question.rival(gate.against) if gate.against else None
    if rival is None or rival.unanswered is None or not rival.unanswered.any():
        return ""
    missing, of = int(rival.unanswered.sum()), len(rival.unanswered)
    return f"{missing:,} of {of:,} held-out rows have no answer of the {gate.against} and are left out"


def _decimal(value: float) -> Fraction:
    """The decimal number that was written, not the binary one next to it."""
    return Fraction(repr(value))


def _number(term: Term, sample: Sample, question: Question) -> _Found:
    if term.kind is TermKind.FACT:
        return _Found(number=Fraction(repr(float(question.facts[term.name]))))
    if term.over_slices:
        return _over_slices(term, sample)
    cut = sample.cut(rows_of(term.column, term.value, sample.holdout)) if term.slice else sample
    if term.kind is TermKind.CHANGED:
        return _Found(number=exact(changed(cut))) if cut.holdout.rows else _Found(missing=nobody_asked(cut.against))
    found = side(term.measure, cut, cut.of(term))
    if found.value is None:
        return _Found(missing=undefined(term, cut, cut.of(term)))
    return _Found(number=exact(found), rows=_rows(term, cut))


def _over_slices(term: Term, sample: Sample) -> _Found:
    judged, small = slices(term, sample)
    if missing := too_few(term, judged, small):
        return _Found(missing=missing)
    told = f"not judged, too few rows: {words.names(small)}" if small else ""
    if term.kind is TermKind.GAP:
        ordered = sorted(judged, key=lambda one: exact(one.side))
        apart = exact(ordered[-1].side) - exact(ordered[0].side)
        note = words.joined(words.ends(ordered[-1], ordered[0]), _by_chance(term, judged), told)
        return _Found(number=apart, note=note)
    found = worst(term, judged)
    bias = (
        f"the worst of {len(judged)} slices looks worse than it is: add @ 95% to allow for it"
        if len(judged) > 1
        else ""
    )
    note = words.joined(found.name, bias, told)
    return _Found(number=exact(found.side), rows=_rows(term, found.sample), note=note)


def _rows(term: Term, sample: Sample) -> int:
    """Rows in the metric's denominator; of an AUC all, as its bounds say."""
    holdout, metric = sample.holdout, term.measure
    if metric.kind == "auc":
        return holdout.rows
    every = np.zeros(holdout.rows, dtype=np.int64)
    labels, classes = sample.of(term).labels, len(holdout.classes)
    return int(denominators(metric, holdout.truth, labels, classes=classes, codes=every, parts=1)[0])


def _by_chance(term: Term, judged: Sequence[SliceSample]) -> str:
    """How far apart slices would be that are equal in truth (statistics.md 4)."""
    told = f"{len(judged)} slices that are equal in truth are not 0 apart"
    if not has_gap_bound(term.measure, judged[0].sample.holdout.task):
        return f"{told}, but some way by chance"
    expected = gap(term.measure, judged, alpha=0.05).expected()
    return f"{told}, but {words.places(expected)} on average, by chance: add @ 95% to allow for it"


def _of_metrics(gate: Gate, sample: Sample, question: Question, rows: int | None) -> dict[str, Any]:
    """Both sides, the rows where all terms are about the same, and the interval at 95 % each side where one exists."""
    term = gate.terms[0]
    cut = sample.cut(rows_of(term.column, term.value, sample.holdout)) if term.slice else sample
    about = {(other.name, other.column, other.value) for other in gate.terms}
    found: dict[str, Any] = {"rows": rows if len(about) == 1 else None} | sides(gate, cut)
    judged = msgspec.structs.replace(gate, comparison="<=" if term.kind is TermKind.GAP else ">=")
    # Point verdicts over sums were recorded without an interval, and stay what they were.
    if form(gate) is not Form.SUM and not why_no_bound(judged, question.holdout.task):
        found |= claim.shown(gate if term.kind is not TermKind.GAP else judged, question)
    return found
