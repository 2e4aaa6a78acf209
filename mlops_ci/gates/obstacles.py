"""Why a gate cannot be judged at all: skipped, errored or undecided before any number is looked at."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.evaluation.evaluate import why_undefined
from mlops_ci.gates.facts import FACTS
from mlops_ci.gates.form import why_no_claim
from mlops_ci.gates.gate import Gate, Term, TermKind, Whose
from mlops_ci.gates.sample import Sample, rows_of, whole
from mlops_ci.gates.values import counted
from mlops_ci.records.evaluation import Task
from mlops_ci.records.outcomes import Status

if TYPE_CHECKING:
    from mlops_ci.gates.question import Question
    from mlops_ci.records.evaluation import Champion, Predictions


MOST_SLICES = 500
"""Values of a column that `worst` and `gap` judge: a claim over more is about noise."""


_CLASSES = frozenset({Task.BINARY, Task.MULTICLASS})


class Obstacle(msgspec.Struct, frozen=True):
    """The verdict and its reason."""

    status: Status
    reason: str


def obstacle(gate: Gate, question: Question) -> Obstacle | None:
    """The first thing that keeps the gate from being judged; None: it can be."""
    for term in gate.terms:
        found = _of_fact(term, question) if term.kind is TermKind.FACT else _of_metric(term, question)
        if found:
            return found
    if gate.confidence is not None and (why := why_no_claim(gate, question.holdout.task, question.histories)):
        return Obstacle(Status.ERRORED, f"{why}; leave out `@ …` to judge the value that was seen")
    return None


def _of_fact(term: Term, question: Question) -> Obstacle | None:
    if term.name in question.facts:
        if isfinite(question.facts[term.name]):
            return None
        return Obstacle(Status.ERRORED, f"{term.name} is not a finite number")
    if term.name in question.missing_facts:
        absence = question.missing_facts[term.name]
        return Obstacle(absence.status, absence.reason)
    meaning = FACTS[term.name].meaning if term.name in FACTS else "no such fact is known"
    return Obstacle(Status.ERRORED, f"{term.name} was not measured ({meaning})")


def _of_metric(term: Term, question: Question) -> Obstacle | None:
    holdout = question.holdout
    if term.kind is not TermKind.CHANGED and term.metric is None:
        return Obstacle(Status.ERRORED, f"there is no metric {term.name}")
    tasks = _CLASSES if term.metric is None else term.metric.tasks
    if holdout.task not in tasks:
        return Obstacle(Status.ERRORED, f"{term.name} does not exist for {holdout.task} (this holdout's task)")
    if term.column and term.column not in holdout.slices:
        return Obstacle(
            Status.ERRORED, f"the holdout cannot be cut by {term.column}: add it to `slices:` in mlops.yaml"
        )
    if term.against and (found := _of_rival(question.rival(term.against), term.against)):
        return found
    if term.metric and (found := _of_own(term, question) if term.metric.own else _of_scores(term, question)):
        return found
    if term.slice and not rows_of(term.column, term.value, holdout).any():
        return Obstacle(Status.SKIPPED, f"no held-out row has {term.slice}")
    return _of_slices(term, question) if term.over_slices else None


def _of_slices(term: Term, question: Question) -> Obstacle | None:
    enough = int((counted(term, whole(question, term.against))[1] >= term.min_rows).sum())
    if enough <= MOST_SLICES:
        return None
    return Obstacle(
        Status.ERRORED,
        f"{enough:,} values of {term.column} have {term.min_rows:,} or more rows that count, and {term.kind}(...) "
        f"judges at most {MOST_SLICES}: raise min_rows, or name a column with fewer values",
    )


def _of_rival(rival: Champion | None, whose: Whose) -> Obstacle | None:
    """A champion need not be there yet; an anchor was named, so without it nothing is known."""
    if rival is None:
        if whose is Whose.ANCHOR:
            return Obstacle(Status.ERRORED, "the anchor was not asked: run `mlops-ci check` with it in mlops.yaml")
        return Obstacle(Status.SKIPPED, "no model has passed before: nothing to compare with")
    if rival.predictions is None:
        why = rival.reason or "its predictions are not there"
        if whose is Whose.ANCHOR and not rival.decision:
            return Obstacle(Status.ERRORED, f"{rival.name}, cannot be used: {why}")
        return Obstacle(Status.UNDECIDED, f"{rival.name} cannot be compared on these rows: {why}")
    return None


def _answers(term: Term, question: Question) -> Predictions | None:
    if term.whose is Whose.CANDIDATE:
        return question.predictions
    rival = question.rival(term.whose)
    return rival.predictions if rival else None


def _of_own(term: Term, question: Question) -> Obstacle | None:
    answers = _answers(term, question)
    declared = next((one for one in question.own if one.name == term.name), None)
    if declared is None or answers is None or term.name not in answers.own:
        of_candidate = term.whose is Whose.CANDIDATE
        why = "" if declared is None else declared.reason if of_candidate else declared.champion_reason
        whose = "" if of_candidate else f"the {term.whose}'s "
        return Obstacle(Status.ERRORED, f"{whose}{term.name} could not be computed{f': {why}' if why else ''}")
    if term.column and not declared.by_row:
        return Obstacle(
            Status.ERRORED, f"{declared.function} gives one number for all rows: return one a row to judge some of them"
        )
    return None


def _of_scores(term: Term, question: Question) -> Obstacle | None:
    metric, answers = term.measure, _answers(term, question)
    who = "the model" if term.whose is Whose.CANDIDATE else f"the {term.whose}"
    scores = None if answers is None else answers.scores
    if metric.needs_scores and scores is None:
        return Obstacle(
            Status.ERRORED,
            f"{term.name} needs scores and {who} gives labels only: "
            "return an estimator with predict_proba, or gate a metric of labels such as accuracy",
        )
    if not metric.usable(scores):
        return Obstacle(Status.ERRORED, f"{term.name} needs probabilities and {who} gives other scores")
    if metric.needs_scores and scores is not None and not bool(np.isfinite(scores).all()):
        return Obstacle(Status.ERRORED, f"{who} gave scores that are not finite numbers")
    return None


def nobody_asked(whose: Whose) -> str:
    return f"the {whose} could be asked about none of these rows"


def undefined(term: Term, sample: Sample, answers: Predictions) -> str:
    """Why the metric has no value on the sample: `recall is not defined for origin=JFK: no positives`."""
    why = why_undefined(term.measure, sample.holdout, answers)
    return f"{term.name} is not defined{f' for {term.slice}' if term.slice else ''}: {why}"
