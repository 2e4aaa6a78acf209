"""The answers of champion and anchor on the candidate's holdout: as recorded, or the model asked about new rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from mlops_ci.data import canonical
from mlops_ci.errors import MlopsCiError
from mlops_ci.evaluation.pairing import pair
from mlops_ci.gates.gate import Whose
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.evaluation import Champion, Holdout, Predictions
from mlops_ci.steps.case import Case
from mlops_ci.steps.fit import Fitted, fit
from mlops_ci.steps.given import predictions_digest
from mlops_ci.steps.imported import again
from mlops_ci.steps.kept_rows import rows_of
from mlops_ci.steps.ledger import StoredDecision
from mlops_ci.steps.predict import predict
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.snapshot import Snapshot, make_snapshot
from mlops_ci.steps.trees import Tree, tree_at
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNANSWERED = "unanswered"
"""After `champion_` or `anchor_` the array of a decision's evidence that says which rows it has no answer for; left
out: none."""
FEATURES = "features"
"""The array of a decision's evidence that says what every row's features were, for pairing."""


Again = Callable[[StoredDecision], Predictions]
"""Answers of a recorded decision's model on every row that is asked about. MlopsCiError where it cannot be asked."""


class _Asking(NamedTuple):
    """The check that asks, and about which rows."""

    case: Case
    snapshot: Snapshot
    holdout: Holdout
    again: Again


def feature_digests(snapshot: Snapshot, columns: tuple[str, ...]) -> NDArray[np.uint64] | None:
    """The content of `columns` for every held-out row, shape (rows,); None when a column is gone."""
    if snapshot.told is not None:
        told = snapshot.told  # of other columns nothing is known, so that nothing pairs
        return told.digests if set(told.columns) == set(columns) else np.zeros_like(told.digests)
    if not set(columns) <= set(snapshot.table.names):
        return None
    return canonical.row_digests(canonical.take(snapshot.table, snapshot.holdout), columns)


def champion_on(case: Case, snapshot: Snapshot, holdout: Holdout, again: Again) -> Champion | None:
    """The champion's, paired row by row (statistics.md 12); None where there is none."""
    if case.champion is None:
        return None
    return _answers(_Asking(case, snapshot, holdout, again), case.champion.stored, case.champion.name)


def anchor_on(case: Case, snapshot: Snapshot, holdout: Holdout, again: Again) -> Champion | None:
    """The anchor's in the same way; None where no gate names it, without a decision where it cannot be found."""
    anchor = case.anchor
    if anchor is None or not any(gate.against is Whose.ANCHOR for gate in case.judge.every_gate):
        return None
    if anchor.stored is None:
        return Champion(name=anchor.name, decision="", commit="", reason=anchor.reason)
    return _answers(_Asking(case, snapshot, holdout, again), anchor.stored, anchor.name)


def _answers(asking: _Asking, stored: StoredDecision, name: str) -> Champion:
    """What a recorded decision answers on the rows that are asked about."""
    case, snapshot, holdout = asking.case, asking.snapshot, asking.holdout
    commit = stored.decision.subject.commit
    model = stored.evidence.training.digest if stored.evidence.training else ""
    base = Champion(name=name, decision=stored.id, commit=commit, model=model)
    reason = _not_comparable(stored, holdout)
    if reason:
        return _without(base, reason)
    arrays, before, lost = rows_of(case.project.repository, case.project, stored)
    if lost:
        return _all_again(asking, stored, base, lost)
    if before is None or "labels" not in arrays or FEATURES not in arrays:
        return _without(base, "its predictions were not recorded")
    training = stored.evidence.training
    features = feature_digests(snapshot, training.features) if training else None
    if features is None:
        return _without(base, "a column it reads is gone from the data")
    places = pair(holdout.ids, features, before.ids, arrays[FEATURES].astype(np.uint64))
    new_rows = ~np.isin(holdout.ids, before.ids)
    unpaired = places < 0
    if not unpaired.any():
        return _with(base, _gathered(arrays, places), new_rows, 0.0)
    try:
        asked = asking.again(stored)
    except MlopsCiError as error:
        why = f"{int(unpaired.sum()):,} of {holdout.rows:,} held-out rows are new to it or changed, and {error.message}"
        if unpaired.all():
            return _without(base, why)
        told = f"{why}; what is said of it is said of the other {int((~unpaired).sum()):,}"
        base = msgspec.structs.replace(base, reason=told, unanswered=unpaired)
        return _with(base, _filled(_gathered(arrays, places), unpaired), new_rows, 0.0)
    if unpaired.all():
        return _with(base, asked, new_rows, 1.0)
    return _with(base, _merged(_gathered(arrays, places), asked, unpaired), new_rows, float(unpaired.mean()))


def _all_again(asking: _Asking, stored: StoredDecision, base: Champion, lost: str) -> Champion:
    """Of a model whose recorded answers are not to be had. Which rows are new to it nobody knows then."""
    try:
        return _with(base, asking.again(stored), np.zeros(asking.holdout.rows, dtype=np.bool_), 1.0)
    except MlopsCiError as error:
        return _without(base, f"{lost}, and {error.message}")


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """A model with the tree it is from and where its code runs."""

    tree: Tree
    fitted: Fitted
    workshop: Workshop


def champion_model(case: Case, stored: StoredDecision, clock: Clock) -> Asker:
    """The model of a decision, restored or trained again from its commit. MlopsCiError where it cannot be had."""
    tree = tree_at(case.project, stored.decision.subject.commit)
    imported = stored.decision.kind is DecisionKind.IMPORT
    if tree is None or (not imported and (tree.config.train is None or tree.config.train.predictions)):
        raise MlopsCiError("its model cannot be asked")

    def say(text: str) -> None:
        clock.say("champion", text)

    workshop = Workshop(case.project, tree, say)
    own, _ = make_snapshot(case.project, tree, workshop=workshop, apart=case.apart)
    if imported:
        model = again(case.project, tree, own, stored, say)
        return Asker(tree=tree, fitted=model.fitted, workshop=model.workshop)
    return Asker(tree=tree, fitted=fit(case.project, tree, own, workshop), workshop=workshop)


def asked_again(case: Case, snapshot: Snapshot, holdout: Holdout, clock: Clock, stored: StoredDecision) -> Predictions:
    """The model of a recorded decision, restored or trained again, asked about the rows."""
    commit, before = stored.decision.subject.commit, stored.evidence.snapshot
    if before is None or before.split != snapshot.info.split:
        # What it held out it was not trained on; of every other row nothing is recorded (statistics.md 12).
        raise MlopsCiError("the split changed, so it may have been trained on them")
    clock.say("champion", f"asking the model of {commit[:7]} about new rows")
    asker = champion_model(case, stored, clock)
    predictions, _ = predict(case.project, asker.tree, snapshot, holdout, asker.fitted, asker.workshop)
    return predictions


def _not_comparable(stored: StoredDecision, holdout: Holdout) -> str:
    evidence = stored.evidence
    if evidence.evaluation is None or evidence.snapshot is None:
        return "it has no predictions"
    if evidence.evaluation.task is not holdout.task or evidence.evaluation.classes != holdout.classes:
        return "it answers another question (task or classes changed)"
    return ""


def _gathered(arrays: dict[str, NDArray[np.generic]], places: NDArray[np.int64]) -> Predictions:
    rows = np.maximum(places, 0)
    scores = arrays["scores"][rows].astype(np.float32) if "scores" in arrays else None
    return _predictions(arrays["labels"][rows], scores)


def _filled(recorded: Predictions, unanswered: NDArray[np.bool_]) -> Predictions:
    """No class and even scores where there is no answer, so that nothing there can be taken for one."""
    labels = recorded.labels.copy()
    labels[unanswered] = -1 if np.issubdtype(labels.dtype, np.integer) else 0
    scores = None if recorded.scores is None else recorded.scores.copy()
    if scores is not None:
        scores[unanswered] = 0.5 if scores.ndim == 1 else 1 / scores.shape[1]
    return _predictions(labels, scores)


def _merged(recorded: Predictions, asked: Predictions, unpaired: NDArray[np.bool_]) -> Predictions:
    labels = np.where(unpaired, asked.labels, recorded.labels).astype(asked.labels.dtype)
    if recorded.scores is None or asked.scores is None:
        return _predictions(labels, None)
    rows = unpaired if asked.scores.ndim == 1 else unpaired[:, None]
    return _predictions(labels, np.where(rows, asked.scores, recorded.scores).astype(np.float32))


def _predictions(labels: NDArray[np.generic], scores: NDArray[np.float32] | None) -> Predictions:
    return Predictions(digest=predictions_digest(labels, scores), labels=labels, scores=scores)


def _with(base: Champion, predictions: Predictions, new_rows: NDArray[np.bool_], unpaired: float) -> Champion:
    return msgspec.structs.replace(
        base, predictions=predictions, unpaired=unpaired, new_rows=new_rows if new_rows.any() else None
    )


def _without(base: Champion, reason: str) -> Champion:
    return msgspec.structs.replace(base, reason=reason)
