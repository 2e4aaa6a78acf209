"""The held-out rows behind a verdict, joined with their columns at the desk; nothing of this is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data import canonical
from mlops_ci.data.times import iso
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.evaluation import proportions
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.records.evaluation import Holdout, Predictions, Task
from mlops_ci.records.tables import Column, Kind, Table
from mlops_ci.steps.project import Project
from mlops_ci.steps.rejudge import gates_of, stored_predictions, unanswered
from mlops_ci.steps.runs import Kept
from mlops_ci.steps.snapshot import make_snapshot
from mlops_ci.steps.trees import tree_at, working_tree
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: of a gate (its number, from 1), of a slice (`column=value`), flipped worse or better, or all."""

    gate: int | None = None
    slice: str | None = None
    flipped: str | None = None
    everything: bool = False


class RowList(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as texts, in the order of the holdout."""

    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def row_list(project: Project, kept: Kept, selection: Selection) -> RowList:
    """The rows of a selection: what was answered, then every column of the data."""
    holdout, candidate = kept.holdout, stored_predictions(kept, "")
    if holdout is None or candidate is None:
        raise UsageError(f"decision {kept.id[:12]} kept no rows", "It ended before there were predictions.")
    champion = stored_predictions(kept, "champion_")
    silent = unanswered(kept.arrays)
    silent = np.zeros(holdout.rows, dtype=bool) if silent is None else silent
    chosen, about = _chosen(kept, holdout, candidate, champion, selection)
    if selection.flipped:
        chosen &= ~silent
    table = canonical.take(_held_out(project, kept), chosen)
    columns: list[tuple[str, list[str]]] = [("truth", _labels(holdout, holdout.truth[chosen]))]
    for name, predictions in (("predicted", candidate), ("champion", champion)):
        if predictions is not None:
            labels = _labels(holdout, predictions.labels[chosen])
            if name == "champion":
                labels = ["" if empty else label for label, empty in zip(labels, silent[chosen], strict=True)]
            columns.append((name, labels))
    if candidate.scores is not None and candidate.scores.ndim == 1:
        columns.append(("score", [f"{score:.6g}" for score in candidate.scores[chosen]]))
    columns += [(column.name, _texts(column)) for column in table.columns]
    names, values = zip(*columns, strict=True)
    return RowList(about=about, columns=tuple(names), rows=tuple(zip(*values, strict=True)))


def held_out_rows(project: Project) -> RowList:
    """The held-out rows of the working tree's data, before anything was predicted.

    Without the target where some of them are kept for verdicts.
    """
    tree = working_tree(project)
    snapshot, _ = make_snapshot(project, tree, workshop=Workshop(project, tree, lambda _: None))
    if snapshot.gate_part is None:
        table = canonical.take(snapshot.table, snapshot.holdout)
    else:  # all must be predicted, and of some nobody is to see the answer
        whole = snapshot.gate_part.whole
        names = tuple(name for name in whole.table.names if name != tree.config.data.target)
        table = canonical.take(canonical.select(whole.table, names), whole.holdout)
    texts = (_texts(column) for column in table.columns)
    return RowList(
        about="all held-out rows of the data here", columns=table.names, rows=tuple(zip(*texts, strict=True))
    )


def _chosen(
    kept: Kept, holdout: Holdout, candidate: Predictions, champion: Predictions | None, selection: Selection
) -> tuple[NDArray[np.bool_], str]:
    if selection.everything:
        return np.ones(holdout.rows, dtype=bool), "all held-out rows"
    if selection.flipped:
        return _flipped(holdout, candidate, champion, selection.flipped)
    if selection.gate is not None:
        return _of_gate(kept, holdout, candidate, selection.gate)
    wrong = _wrong(holdout, candidate)
    if selection.slice:
        return _in_slice(holdout, selection.slice) & wrong, f"predicted wrong in {selection.slice}"
    return wrong, "predicted wrong"


def _wrong(holdout: Holdout, predictions: Predictions) -> NDArray[np.bool_]:
    if holdout.task is not Task.REGRESSION:
        return np.asarray(predictions.labels != holdout.truth)
    errors = np.abs(predictions.labels.astype(np.float64) - holdout.truth.astype(np.float64))
    return np.asarray(errors >= np.quantile(errors, 0.95))


def _flipped(
    holdout: Holdout, candidate: Predictions, champion: Predictions | None, way: str
) -> tuple[NDArray[np.bool_], str]:
    if champion is None or holdout.task is Task.REGRESSION:
        raise UsageError(
            "there is no champion's label to flip from", "Rows flip only against a champion of a classification."
        )
    was, now = champion.labels == holdout.truth, candidate.labels == holdout.truth
    if way == "worse":
        return np.asarray(was & ~now), "right by the champion, wrong now"
    return np.asarray(~was & now), "wrong by the champion, right now"


def _of_gate(kept: Kept, holdout: Holdout, candidate: Predictions, number: int) -> tuple[NDArray[np.bool_], str]:
    verdicts = kept.decision.gates
    if not 1 <= number <= len(verdicts):
        raise UsageError(f"there is no gate {number}", f"The decision has gates 1 to {len(verdicts)}.")
    verdict, gate = verdicts[number - 1], gates_of(kept)[number - 1]
    inside = _in_slice(holdout, verdict.slice) if verdict.slice else np.ones(holdout.rows, dtype=bool)
    named = [METRICS[term.name] for term in gate.terms if term.name in METRICS]
    metric = next((one for one in named if one.kind == "proportion" and holdout.task in one.tasks), None)
    if metric is not None:
        member, success = proportions.masks(metric, holdout.truth, candidate.labels, candidate.scores)
        against = ~success if metric.higher_is_better else success
        return inside & member & against, f"what {verdict.gate} counts against this commit"
    return inside & _wrong(holdout, candidate), f"predicted wrong among the rows of {verdict.gate}"


def _in_slice(holdout: Holdout, text: str) -> NDArray[np.bool_]:
    column, _, value = text.partition("=")
    factor = holdout.slices.get(column)
    if factor is None:
        raise UsageError(f"{column!r} is no slice", f"Slices are {', '.join(holdout.slices) or 'not set'}.")
    if value not in factor.values:
        raise UsageError(f"{column} has no value {value!r}", f"It has {', '.join(factor.values[:20])}.")
    return np.asarray(factor.codes == factor.values.index(value))


def _held_out(project: Project, kept: Kept) -> Table:
    subject = kept.decision.subject
    tree = tree_at(project, subject.commit) if subject.commit else working_tree(project)
    if tree is None:
        raise OutsideError("the commit of this decision has no project any more")
    promise = kept.evidence.promise
    apart = promise is not None and promise.verdicts_only
    snapshot, _ = make_snapshot(project, tree, workshop=Workshop(project, tree, lambda _: None), apart=apart)
    if snapshot.info.digest != subject.data:
        raise OutsideError(
            "the data at this desk is not the data that was judged",
            "Get the same files, or judge again: mlops-ci check.",
        )
    return canonical.take(snapshot.table, snapshot.holdout)


def _labels(holdout: Holdout, values: NDArray[np.generic]) -> list[str]:
    if holdout.task is Task.REGRESSION:
        return [f"{value:.6g}" for value in values.tolist()]
    names = (*holdout.classes, "(other)")
    return [names[code] for code in values.tolist()]


def _texts(column: Column) -> list[str]:
    absent = canonical.missing(column)
    if column.kind is Kind.TEXT:
        names = (*column.categories, "")
        return [names[code] for code in column.values.tolist()]
    text = iso if column.kind in (Kind.DATE, Kind.TIMESTAMP) else str
    return ["" if gone else text(value) for value, gone in zip(column.values, absent, strict=True)]
