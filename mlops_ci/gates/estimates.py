"""Which method bounds which metric: one method a gate (statistics.md 5, 6, 9, 11)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.evaluation.metric import Metric
from mlops_ci.evaluation.proportions import confusion_masks, masks
from mlops_ci.gates import means
from mlops_ci.gates.bounds import dirichlet, groups
from mlops_ci.gates.bounds.betting import BetOnProportion
from mlops_ci.gates.bounds.clopper_pearson import F1, Proportion
from mlops_ci.gates.bounds.delong import Auc, placements
from mlops_ci.gates.bounds.delong_paired import PairedAuc
from mlops_ci.gates.bounds.dirichlet import PairedTable
from mlops_ci.gates.bounds.estimate import Estimate, Unbounded
from mlops_ci.gates.bounds.tango import PairedProportion
from mlops_ci.gates.bounds.unpaired import PartlyPaired
from mlops_ci.gates.by_group import FINITE_ONLY, by_group, compact, no_bound
from mlops_ci.gates.sample import Sample
from mlops_ci.gates.values import differing
from mlops_ci.records.evaluation import Holdout, Predictions, Task

_FEWEST_OF_A_CLASS = 10

_Mask = NDArray[np.bool_]


def has_bound(metric: Metric, task: Task, *, paired: bool = False) -> bool:
    """Whether `@` can be claimed of the metric, or of its difference with the champion, in this task."""
    if task not in metric.tasks:
        return False
    if metric.kind == "mean":
        return metric.bounded and not (paired and metric.root)
    return metric.kind in {"proportion", "f1"} or (metric.kind == "auc" and task is Task.BINARY)


def has_gap_bound(metric: Metric, task: Task) -> bool:
    """Whether `@` can be claimed of the gap between slices: not of means, whose bounds are not exact."""
    return metric.kind != "mean" and has_bound(metric, task)


def has_finite_bound(metric: Metric, *, paired: bool) -> bool:
    """Whether the bound holds below FINITE_ONLY too (rows that do not belong together)."""
    return truth_decides_members(metric) or (not paired and metric.kind in {"proportion", "f1"})


def truth_decides_members(metric: Metric) -> bool:
    """Both models are counted on the same rows: a proportion of rows, positives or negatives."""
    return metric.kind == "proportion" and metric.denominator in {"rows", "positives", "negatives"}


def single(metric: Metric, sample: Sample, answers: Predictions, *, alpha: float) -> Estimate:
    """The metric of one model. It must be defined on the sample and have a bound; alpha: level of the pass side."""
    truth = sample.holdout.truth
    if metric.kind == "mean":
        return means.single(metric, sample, answers, alpha=alpha)
    if metric.kind == "auc":
        return _single_auc(sample.holdout, answers.scores, alpha)
    member, success = _counted(metric, truth, answers)
    by_row: Estimate
    if metric.kind == "f1":
        by_row = F1(true_positives=int(success.sum()), of=int(member.sum()))
    else:
        by_row = Proportion(count=int(success.sum()), of=int(member.sum()))
    if sample.holdout.group is None:
        return by_row
    codes, number = compact(sample.holdout.group, member)
    hits, of = groups.sums(codes, number, success[member]), groups.sums(codes, number, member[member])
    return share_by_group(by_row, hits, of, scaled=metric.kind == "f1", alpha=alpha, by_day=sample.holdout.by_day)


def share_by_group(
    by_row: Estimate,
    hits: NDArray[np.float64],
    of: NDArray[np.float64],
    *,
    alpha: float,
    scaled: bool = False,
    by_day: bool = False,
) -> Estimate:
    """A proportion, or F1 (`scaled`), of rows in groups. hits, of: what counts and what there is, shape (G,)."""
    return by_group(
        by_row,
        alpha,
        left_out=_scale(groups.ratio_left_out(hits, of), scaled=scaled),
        sizes=of,
        differing=(int((hits < of).sum()), int((hits > 0).sum())),
        extremes=(1.0, 0.0),
        scale="share",
        by_day=by_day,
    )


def changed(sample: Sample, *, alpha: float) -> Estimate:
    """The share of rows where candidate and champion predict differently."""
    asked = sample if sample.unanswered is None else sample.cut(~sample.unanswered)
    moved, group = differing(asked), asked.holdout.group
    by_row = Proportion(count=int(moved.sum()), of=len(moved))
    estimate: Estimate = by_row
    if group is not None:
        codes, number = compact(group, np.ones(len(moved), dtype=bool))
        hits, of = groups.sums(codes, number, moved), groups.sums(codes, number, np.ones(len(moved)))
        estimate = share_by_group(by_row, hits, of, alpha=alpha, by_day=asked.holdout.by_day)
    share = 1.0 - asked.holdout.rows / sample.holdout.rows
    return PartlyPaired(inner=estimate, share=share) if share else estimate


def without_each_group(
    metric: Metric, sample: Sample, answers: Predictions
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The groups that count and the metric without each, both of shape (G,). The holdout must have groups."""
    truth, group = sample.holdout.truth, sample.holdout.group
    if group is None:
        raise ValueError("a holdout without groups")
    if metric.kind == "auc":
        found, codes = np.unique(group, return_inverse=True)
        return found, _auc_left_out(codes, len(found), truth == 1, answers.scores)
    member, success = _counted(metric, truth, answers)
    found, codes = np.unique(group[member], return_inverse=True)
    sums = [groups.sums(codes, len(found), rows[member]) for rows in (success, member)]
    return found, _scale(groups.ratio_left_out(sums[0], sums[1]), scaled=metric.kind == "f1")


def paired(metric: Metric, sample: Sample, first: Predictions, second: Predictions, *, alpha: float) -> Estimate:
    """The metric of `first` minus that of `second` on the same rows."""
    if metric.kind == "mean":
        return means.paired(metric, sample, first, second, alpha=alpha)
    if sample.unanswered is not None and sample.unanswered.any():
        return _partly_paired(metric, sample, first, second, alpha=alpha)
    holdout = sample.holdout
    if metric.kind == "auc":
        return _paired_auc(holdout, first.scores, second.scores, alpha)
    if truth_decides_members(metric):
        by_row: Estimate = _paired_proportion(metric, holdout.truth, first, second, alpha)
    else:
        kind: dirichlet.Kind = "f1" if metric.kind == "f1" else "precision"
        by_row = PairedTable(
            kind=kind, table=dirichlet.cells(holdout.truth == 1, first.labels == 1, second.labels == 1)
        )
        if alpha < FINITE_ONLY:
            return no_bound(by_row)
    if holdout.group is None:
        return by_row
    return _paired_by_group(metric, by_row, sample, first, second, alpha=alpha)


def _counted(metric: Metric, truth: Any, answers: Predictions) -> tuple[_Mask, _Mask]:
    if metric.kind != "f1":
        return masks(metric, truth, answers.labels, answers.scores)
    hit, false_alarm, missed = confusion_masks(truth, answers.labels)
    return hit | false_alarm | missed, hit


def _scale(share: NDArray[np.float64], *, scaled: bool) -> NDArray[np.float64]:
    """F1 of its proportion."""
    return 2.0 * share / (1.0 + share) if scaled else share


def _paired_proportion(metric: Metric, truth: Any, first: Predictions, second: Predictions, alpha: float) -> Estimate:
    member, ours = masks(metric, truth, first.labels, first.scores)
    _, theirs = masks(metric, truth, second.labels, second.scores)
    method = BetOnProportion if alpha < FINITE_ONLY else PairedProportion
    return method(losses=int((theirs & ~ours).sum()), wins=int((ours & ~theirs).sum()), of=int(member.sum()))


def _paired_by_group(
    metric: Metric, by_row: Estimate, sample: Sample, first: Predictions, second: Predictions, *, alpha: float
) -> Estimate:
    truth, group = sample.holdout.truth, sample.holdout.group
    counted = [_counted(metric, truth, answers) for answers in (first, second)]
    inside = counted[0][0] | counted[1][0]
    if group is None:
        raise ValueError("a holdout without groups")
    codes, number = compact(group, inside)
    ours, theirs = (
        _scale(
            groups.ratio_left_out(
                groups.sums(codes, number, success[inside]), groups.sums(codes, number, member[inside])
            ),
            scaled=metric.kind == "f1",
        )
        for member, success in counted
    )
    other = first.labels != second.labels if metric.losses is None else counted[0][1] != counted[1][1]
    changed = groups.sums(codes, number, other[inside])
    differing = int((changed > 0).sum())
    return by_group(
        by_row,
        alpha,
        left_out=ours - theirs,
        sizes=groups.sums(codes, number, inside[inside]),
        differing=(differing, differing),
        extremes=(0.0, 0.0),
        by_day=sample.holdout.by_day,
    )


def _single_auc(holdout: Holdout, scores: Any, alpha: float) -> Estimate:
    positive, group = holdout.truth == 1, holdout.group
    by_row = Auc.of(positive, scores)
    if alpha < FINITE_ONLY:
        return no_bound(by_row)
    if group is None:
        return by_row
    codes, number = compact(group, np.ones(len(positive), dtype=bool))
    left_out = _auc_left_out(codes, number, positive, scores)
    return by_group(
        by_row,
        alpha,
        left_out=left_out,
        sizes=_of_rarer_class(codes, number, positive),
        differing=(number, number),
        extremes=(1.0, 0.0),
        scale="auc",
        by_day=holdout.by_day,
    )


def _paired_auc(holdout: Holdout, ours: Any, theirs: Any, alpha: float) -> Estimate:
    positive, group = holdout.truth == 1, holdout.group
    moved = placements(positive, ours) - placements(positive, theirs)
    of_positives, of_negatives = moved[positive], moved[~positive]
    rarer = min(len(of_positives), len(of_negatives))
    if rarer < _FEWEST_OF_A_CLASS:
        note = f"only {rarer} rows of the rarer class: no bound is valid below {_FEWEST_OF_A_CLASS}"
        return Unbounded(value=float(of_positives.mean()), rows=len(positive), note=note)
    by_row = PairedAuc(of_positives=of_positives, of_negatives=of_negatives)
    if alpha < FINITE_ONLY:
        return no_bound(by_row)
    if group is None:
        return by_row
    codes, number = compact(group, np.ones(len(positive), dtype=bool))
    left_out = _auc_left_out(codes, number, positive, ours) - _auc_left_out(codes, number, positive, theirs)
    differing = int((groups.sums(codes, number, moved != 0) > 0).sum())
    return by_group(
        by_row,
        alpha,
        left_out=left_out,
        sizes=_of_rarer_class(codes, number, positive),
        differing=(differing, differing),
        extremes=(0.0, 0.0),
        by_day=holdout.by_day,
    )


def _of_rarer_class(codes: NDArray[np.int64], number: int, positive: _Mask) -> NDArray[np.float64]:
    """Rows in each group of the class that an AUC varies with the most, shape (number,)."""
    return groups.sums(codes, number, positive if 2 * positive.sum() <= len(positive) else ~positive)


def _auc_left_out(codes: NDArray[np.int64], number: int, positive: _Mask, scores: Any) -> NDArray[np.float64]:
    own = groups.ordered_within(codes, positive, scores)
    return groups.auc_left_out(codes, number, positive, placements(positive, scores), own)


def _partly_paired(
    metric: Metric, sample: Sample, first: Predictions, second: Predictions, *, alpha: float
) -> Estimate:
    """statistics.md 12: rows the champion could not answer may all have gone either way."""
    if sample.unanswered is None:
        raise ValueError("a sample that is paired in full")
    answered = ~sample.unanswered
    inner = Sample(holdout=sample.holdout, candidate=first, rival=second).cut(answered)
    estimate = paired(metric, inner, inner.candidate, inner.rival or second, alpha=alpha)
    if not truth_decides_members(metric):
        return no_bound(
            estimate, f"the {sample.against} could not be asked about some rows, and this metric allows no bound then"
        )
    member, _ = masks(metric, sample.holdout.truth, first.labels, first.scores)
    share = float((member & sample.unanswered).sum() / member.sum())
    return PartlyPaired(inner=estimate, share=share, rival=sample.against) if share else estimate
