"""Which method bounds which metric: one method a gate (statistics.md 5, 6, 9, 11)."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.evaluation.proportions import confusion_masks, masks
from mlops_ci.gates.bounds import dirichlet, groups
from mlops_ci.gates.bounds.betting import BetOnProportion
from mlops_ci.gates.bounds.clopper_pearson import F1, Proportion
from mlops_ci.gates.bounds.delong import Auc, placements
from mlops_ci.gates.bounds.delong_paired import PairedAuc
from mlops_ci.gates.bounds.dirichlet import PairedTable
from mlops_ci.gates.bounds.estimate import Estimate, Unbounded
from mlops_ci.gates.bounds.groups import ByGroup
from mlops_ci.gates.bounds.tango import PairedProportion
from mlops_ci.gates.bounds.unpaired import PartlyPaired
from mlops_ci.gates.sample import Sample
from mlops_ci.gates.values import differing
from mlops_ci.records.evaluation import Holdout, Predictions, Task

FINITE_ONLY = 1e-3
"""Below this level only methods that are exact in finite samples are used (statistics.md 10)."""
_FEWEST_OF_A_CLASS = 10
_MOST_DESIGN_EFFECT = 1.5
"""Above this no claim is made by row (statistics.md 7)."""

_Mask = NDArray[np.bool_]
_TRUTH_DECIDES_MEMBERS = {"accuracy", "recall", "specificity", "false_positive_rate", "selection_rate"}


def has_bound(metric: str, task: Task) -> bool:
    """Whether `@` can be claimed of the metric in this task."""
    found = METRICS.get(metric)
    if found is None or task not in found.tasks:
        return False
    return metric == "accuracy" or (task is Task.BINARY and found.kind in {"proportion", "f1", "auc"})


def has_finite_bound(metric: str, *, paired: bool) -> bool:
    """Whether the bound holds below FINITE_ONLY too (rows that do not belong together)."""
    return metric in _TRUTH_DECIDES_MEMBERS or (not paired and METRICS[metric].kind in {"proportion", "f1"})


def single(metric: str, sample: Sample, answers: Predictions, *, alpha: float) -> Estimate:
    """The metric of one model. It must be defined on the sample and have a bound; alpha: level of the pass side."""
    truth = sample.holdout.truth
    if METRICS[metric].kind == "auc":
        return _single_auc(sample.holdout, answers.scores, alpha)
    member, success = _counted(metric, truth, answers.labels)
    by_row: Estimate
    if metric == "f1":
        by_row = F1(true_positives=int(success.sum()), of=int(member.sum()))
    else:
        by_row = Proportion(count=int(success.sum()), of=int(member.sum()))
    if sample.holdout.group is None:
        return by_row
    codes, number = _compact(sample.holdout.group, member)
    hits, of = groups.sums(codes, number, success[member]), groups.sums(codes, number, member[member])
    return share_by_group(by_row, hits, of, metric=metric, alpha=alpha, by_day=sample.holdout.by_day)


def share_by_group(
    by_row: Estimate,
    hits: NDArray[np.float64],
    of: NDArray[np.float64],
    *,
    alpha: float,
    metric: str = "accuracy",
    by_day: bool = False,
) -> Estimate:
    """A proportion, or F1, of rows in groups. hits, of: what counts and what there is in each group, shape (G,)."""
    return _by_group(
        by_row,
        alpha,
        left_out=_scale(metric, groups.ratio_left_out(hits, of)),
        differing=(int((hits < of).sum()), int((hits > 0).sum())),
        extremes=(1.0, 0.0),
        by_day=by_day,
    )


def changed(sample: Sample, *, alpha: float) -> Estimate:
    """The share of rows where candidate and champion predict differently."""
    asked = sample if sample.unanswered is None else sample.cut(~sample.unanswered)
    moved, group = differing(asked), asked.holdout.group
    by_row = Proportion(count=int(moved.sum()), of=len(moved))
    estimate: Estimate = by_row
    if group is not None:
        codes, number = _compact(group, np.ones(len(moved), dtype=bool))
        hits, of = groups.sums(codes, number, moved), groups.sums(codes, number, np.ones(len(moved)))
        estimate = share_by_group(by_row, hits, of, alpha=alpha, by_day=asked.holdout.by_day)
    share = 1.0 - asked.holdout.rows / sample.holdout.rows
    return PartlyPaired(inner=estimate, share=share) if share else estimate


def without_each_group(
    metric: str, sample: Sample, answers: Predictions
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The groups that count and the metric without each, both of shape (G,). The holdout must have groups."""
    truth, group = sample.holdout.truth, sample.holdout.group
    if group is None:
        raise ValueError("a holdout without groups")
    if METRICS[metric].kind == "auc":
        found, codes = np.unique(group, return_inverse=True)
        return found, _auc_left_out(codes, len(found), truth == 1, answers.scores)
    member, success = _counted(metric, truth, answers.labels)
    found, codes = np.unique(group[member], return_inverse=True)
    sums = [groups.sums(codes, len(found), rows[member]) for rows in (success, member)]
    return found, _scale(metric, groups.ratio_left_out(sums[0], sums[1]))


def paired(metric: str, sample: Sample, first: Predictions, second: Predictions, *, alpha: float) -> Estimate:
    """The metric of `first` minus that of `second` on the same rows."""
    if sample.unanswered is not None and sample.unanswered.any():
        return _partly_paired(metric, sample, first, second, alpha=alpha)
    holdout = sample.holdout
    if METRICS[metric].kind == "auc":
        return _paired_auc(holdout, first.scores, second.scores, alpha)
    if metric in _TRUTH_DECIDES_MEMBERS:
        by_row: Estimate = _paired_proportion(metric, holdout.truth, first, second, alpha)
    else:
        kind: dirichlet.Kind = "f1" if metric == "f1" else "precision"
        by_row = PairedTable(
            kind=kind, table=dirichlet.cells(holdout.truth == 1, first.labels == 1, second.labels == 1)
        )
        if alpha < FINITE_ONLY:
            return _no_bound(by_row)
    if holdout.group is None:
        return by_row
    return _paired_by_group(metric, by_row, sample, first, second, alpha=alpha)


def _counted(metric: str, truth: Any, labels: Any) -> tuple[_Mask, _Mask]:
    if metric != "f1":
        return masks(metric, truth, labels)
    hit, false_alarm, missed = confusion_masks(truth, labels)
    return hit | false_alarm | missed, hit


def _scale(metric: str, share: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2.0 * share / (1.0 + share) if metric == "f1" else share


def _paired_proportion(metric: str, truth: Any, first: Predictions, second: Predictions, alpha: float) -> Estimate:
    member, ours = masks(metric, truth, first.labels)
    _, theirs = masks(metric, truth, second.labels)
    method = BetOnProportion if alpha < FINITE_ONLY else PairedProportion
    return method(losses=int((theirs & ~ours).sum()), wins=int((ours & ~theirs).sum()), of=int(member.sum()))


def _paired_by_group(
    metric: str, by_row: Estimate, sample: Sample, first: Predictions, second: Predictions, *, alpha: float
) -> Estimate:
    truth, group = sample.holdout.truth, sample.holdout.group
    counted = [_counted(metric, truth, answers.labels) for answers in (first, second)]
    inside = counted[0][0] | counted[1][0]
    if group is None:
        raise ValueError("a holdout without groups")
    codes, number = _compact(group, inside)
    ours, theirs = (
        _scale(
            metric,
            groups.ratio_left_out(
                groups.sums(codes, number, success[inside]), groups.sums(codes, number, member[inside])
            ),
        )
        for member, success in counted
    )
    changed = groups.sums(codes, number, (first.labels != second.labels)[inside])
    differing = int((changed > 0).sum())
    return _by_group(
        by_row,
        alpha,
        left_out=ours - theirs,
        differing=(differing, differing),
        extremes=(0.0, 0.0),
        by_day=sample.holdout.by_day,
    )


def _single_auc(holdout: Holdout, scores: Any, alpha: float) -> Estimate:
    positive, group = holdout.truth == 1, holdout.group
    by_row = Auc.of(positive, scores)
    if alpha < FINITE_ONLY:
        return _no_bound(by_row)
    if group is None:
        return by_row
    codes, number = _compact(group, np.ones(len(positive), dtype=bool))
    left_out = _auc_left_out(codes, number, positive, scores)
    return _by_group(
        by_row,
        alpha,
        left_out=left_out,
        differing=(number, number),
        extremes=(1.0, 0.0),
        logit=True,
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
        return _no_bound(by_row)
    if group is None:
        return by_row
    codes, number = _compact(group, np.ones(len(positive), dtype=bool))
    left_out = _auc_left_out(codes, number, positive, ours) - _auc_left_out(codes, number, positive, theirs)
    differing = int((groups.sums(codes, number, moved != 0) > 0).sum())
    return _by_group(
        by_row,
        alpha,
        left_out=left_out,
        differing=(differing, differing),
        extremes=(0.0, 0.0),
        by_day=holdout.by_day,
    )


def _auc_left_out(codes: NDArray[np.int64], number: int, positive: _Mask, scores: Any) -> NDArray[np.float64]:
    own = groups.ordered_within(codes, positive, scores)
    return groups.auc_left_out(codes, number, positive, placements(positive, scores), own)


def _by_group(
    by_row: Estimate,
    alpha: float,
    *,
    left_out: NDArray[np.float64],
    differing: tuple[int, int],
    extremes: tuple[float, float],
    logit: bool = False,
    by_day: bool = False,
) -> Estimate:
    number, se = len(left_out), groups.jackknife_error(left_out)
    by_group = ByGroup(
        by_row=by_row,
        groups=number,
        se=se,
        differing=differing,
        extremes=extremes,
        logit=logit,
        by_day=by_day,
        leaning=groups.leaning(left_out) if isfinite(se) else 0.0,
    )
    if number < groups.FEWEST:
        return _few_days(by_group) if by_day else _few_groups(by_group)
    if alpha < FINITE_ONLY:
        return _no_bound(by_row, groups_seen=number)
    if not isfinite(se):
        return _no_bound(by_row, "one group holds all the rows that count", number)
    return by_group


def _few_groups(found: ByGroup) -> Unbounded:
    needed = f"{found.groups} groups of rows that belong together: at least {groups.FEWEST} are needed"
    return _no_bound(found.by_row, needed, found.groups)


def _few_days(found: ByGroup) -> Estimate:
    """Nobody said that rows of one day belong together: by row, unless they are seen to (statistics.md 7)."""
    effect = found.design_effect
    if effect is not None and effect <= _MOST_DESIGN_EFFECT:
        return found.by_row
    known = effect is not None and isfinite(effect)
    seen = f"rows of one day are alike (design effect {effect:.1f})" if known else "rows of one day may be alike"
    needed = f"{seen}, and {groups.FEWEST} days are needed to count by day: there are {found.groups}"
    return _no_bound(found.by_row, needed, found.groups)


def _compact(group: NDArray[np.int64], inside: _Mask) -> tuple[NDArray[np.int64], int]:
    """Codes 0, 1, … of the groups that have a row inside, shape (rows inside,), and their number."""
    values, codes = np.unique(group[inside], return_inverse=True)
    return codes.astype(np.int64), len(values)


def _no_bound(by_row: Estimate, note: str = "", groups_seen: int | None = None) -> Unbounded:
    told = note or "no valid bound is known at so high a confidence: 99.9 % is the most for this metric"
    return Unbounded(value=by_row.value, rows=by_row.rows, note=told, groups=groups_seen)


def _partly_paired(metric: str, sample: Sample, first: Predictions, second: Predictions, *, alpha: float) -> Estimate:
    """statistics.md 12: rows the champion could not answer may all have gone either way."""
    if sample.unanswered is None:
        raise ValueError("a sample that is paired in full")
    answered = ~sample.unanswered
    inner = Sample(holdout=sample.holdout, candidate=first, champion=second).cut(answered)
    estimate = paired(metric, inner, inner.candidate, inner.champion or second, alpha=alpha)
    if metric not in _TRUTH_DECIDES_MEMBERS:
        return _no_bound(
            estimate, "the champion could not be asked about some rows, and this metric allows no bound then"
        )
    member, _ = masks(metric, sample.holdout.truth, first.labels)
    share = float((member & sample.unanswered).sum() / member.sum())
    return PartlyPaired(inner=estimate, share=share) if share else estimate
