"""Which held-out rows a gate counts against a commit.

A gate over facts has no rows, and of rows that are kept for verdicts none is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import msgspec
import numpy as np

from mlops_ci.errors import UsageError
from mlops_ci.evaluation import proportions
from mlops_ci.evaluation.own import registry
from mlops_ci.gates import grammar
from mlops_ci.gates.bounds.delong import placements
from mlops_ci.gates.gate import Gate, TermKind, bound
from mlops_ci.gates.words import percent
from mlops_ci.records.evaluation import Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.steps.rejudge import only_told, stored_predictions, unanswered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.evaluation.metric import Metric
    from mlops_ci.records.verdicts import Verdict
    from mlops_ci.steps.runs import Kept

_WORST = 0.05
_NOT_JUDGED = {Status.SKIPPED: "was skipped", Status.ERRORED: "could not be judged"}


class AskedGate(msgspec.Struct, frozen=True, kw_only=True):
    """A gate as it is read, its names followed to metrics, with the answer it got."""

    verdict: Verdict
    gate: Gate


def asked_gate(kept: Kept, number: int) -> AskedGate:
    """The gate with this number in the report. UsageError where there is none, or no row may or can be told of it."""
    verdicts = kept.decision.numbered_gates
    if not 1 <= number <= len(verdicts):
        there = f"The decision has gates 1 to {len(verdicts)}." if verdicts else "The decision has no gates."
        raise UsageError(f"there is no gate {number}", there)
    verdict = verdicts[number - 1]
    gate = bound(grammar.parse(verdict.gate, name=verdict.name), registry(kept.evidence.own_metrics))
    if only_told(kept, verdict):
        raise UsageError(
            f"the rows of gate {number} ({verdict.gate}) are kept for verdicts: nothing else is told of them",
            f"`disclose: verdict` says so. Of the other rows: mlops-ci rows {kept.id[:12]}, without --gate.",
        )
    if all(term.kind is TermKind.FACT for term in gate.terms):
        _refuse_fact(kept, gate, number)
    if verdict.verdict in _NOT_JUDGED:
        raise UsageError(
            f"gate {number} ({verdict.gate}) {_NOT_JUDGED[verdict.verdict]}, so no rows are behind it",
            f"{verdict.reason[:1].upper()}{verdict.reason[1:]}.",
        )
    return AskedGate(verdict=verdict, gate=gate)


def rows_against(
    kept: Kept, asked: AskedGate, holdout: Holdout, candidate: Predictions, inside: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], str]:
    """(the rows, bool of shape (n,), and what they are): of those `inside` what the gate counts against the commit.

    Where it compares, what it counts more than against the other: what both miss moves no difference.
    """
    text, against = asked.verdict.gate, asked.gate.against
    rival = stored_predictions(kept, f"{against}_") if against else None
    silent = unanswered(kept.arrays, f"{against}_")
    if rival is not None and silent is not None:
        inside = inside & ~silent
    if rival is not None and asked.gate.terms[0].kind is TermKind.CHANGED:
        return inside & (candidate.labels != rival.labels), f"answered otherwise than by the {against}"
    metric = next((term.metric for term in asked.gate.terms if term.metric is not None), None)
    if metric is not None and metric.kind == "proportion" and holdout.task in metric.tasks:
        missed, told = _missed(metric, holdout, candidate), f"what {text} counts against this commit"
        if rival is None:
            return inside & missed, told
        return inside & missed & ~_missed(metric, holdout, rival), f"{told} and not against the {against}"
    costs = None if metric is None else _costs(metric, holdout, candidate, inside)
    if metric is None or costs is None:
        wrong, told = wrong_rows(holdout, candidate, inside)
        return wrong, f"{told} among the rows of {text}"
    told = f"the {percent(_WORST)} of its rows that {text} counts most against this commit"
    beside = None if rival is None else _costs(metric, holdout, rival, inside)
    if beside is None:
        return _largest(costs, inside), told
    return _largest(costs - beside, inside) & (costs > beside), f"{told}, compared with the {against}"


def wrong_rows(holdout: Holdout, predictions: Predictions, inside: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], str]:
    """Predicted wrong; of numbers the largest errors."""
    if holdout.task is not Task.REGRESSION:
        return inside & (predictions.labels != holdout.truth), "predicted wrong"
    errors = np.abs(predictions.labels.astype(np.float64) - holdout.truth.astype(np.float64))
    return _largest(errors, inside), f"the {percent(_WORST)} of the rows with the largest errors"


def _missed(metric: Metric, holdout: Holdout, predictions: Predictions) -> NDArray[np.bool_]:
    member, success = proportions.masks(metric, holdout.truth, predictions.labels, predictions.scores)
    return np.asarray(member & (~success if metric.higher_is_better else success))


def _costs(
    metric: Metric, holdout: Holdout, predictions: Predictions, inside: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """What each row costs, shape (n,), larger is worse; None: the metric is none of single rows.

    Of ROC AUC the share of the other class's rows that it is on the wrong side of.
    """
    scores, positive = predictions.scores, holdout.truth == 1
    if metric.kind == "auc" and scores is not None and scores.ndim == 1:
        if not (inside & positive).any() or not (inside & ~positive).any():
            return None
        costs = np.zeros(holdout.rows)
        costs[inside] = 1.0 - placements(positive[inside], scores[inside])
        return costs
    losses = metric.by_row(holdout.truth, predictions)
    return None if losses is None else np.asarray(-losses if metric.higher_is_better else losses)


def _largest(costs: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not inside.any():
        return inside
    least = np.quantile(costs[inside], 1.0 - _WORST)
    return np.asarray(inside & (costs >= least) & (costs > costs[inside].min()))


def _refuse_fact(kept: Kept, gate: Gate, number: int) -> NoReturn:
    """A fact is one number: say where it is told instead."""
    fact = gate.terms[0].name
    report = f"mlops-ci report {kept.id[:12]}"
    advice = {
        "tests": f"The tests that failed: {report}.",
        "drift": f"The columns that moved: {report}, or mlops-ci data diff.",
        "data": f"The checks of the data: {report}. Its held-out rows: mlops-ci rows {kept.id[:12]} --holdout.",
    }
    told = f"What it is and how it is found: mlops-ci explain {fact}. What was predicted wrong: mlops-ci rows."
    raise UsageError(
        f"gate {number} is about {fact}, a number that no single rows are behind",
        advice.get(fact.partition(".")[0], told),
    )
