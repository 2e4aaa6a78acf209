"""The held-out rows behind a verdict, joined with their columns at the desk; nothing of this is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data import canonical
from mlops_ci.data.times import iso
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.gates.gate import Whose
from mlops_ci.records.evaluation import Holdout, Predictions, Task
from mlops_ci.records.tables import Column, Kind, Table
from mlops_ci.steps.gate_rows import AskedGate, asked_gate, rows_against, wrong_rows
from mlops_ci.steps.project import Project
from mlops_ci.steps.rejudge import no_rows, stored_predictions, unanswered
from mlops_ci.steps.runs import Kept
from mlops_ci.steps.snapshot import make_snapshot
from mlops_ci.steps.trees import tree_at, working_tree
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: of a gate (its number in the report), a slice (`column=value`), flipped worse or better, or all."""

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
    asked = asked_gate(kept, selection.gate) if selection.gate is not None else None
    holdout, candidate = kept.holdout, stored_predictions(kept, "")
    if holdout is None or candidate is None:
        raise no_rows(kept)
    rival = (asked.gate.against if asked else None) or Whose.CHAMPION
    chosen, about = _chosen(kept, holdout, candidate, selection, asked)
    table = canonical.take(_held_out(project, kept), chosen)
    columns: list[tuple[str, list[str]]] = [
        ("truth", _labels(holdout, holdout.truth[chosen])),
        ("predicted", _labels(holdout, candidate.labels[chosen])),
    ]
    beside = stored_predictions(kept, f"{rival}_")
    if beside is not None:
        silent = unanswered(kept.arrays, f"{rival}_")
        labels = _labels(holdout, beside.labels[chosen])
        if silent is not None:
            labels = ["" if empty else label for label, empty in zip(labels, silent[chosen], strict=True)]
        columns.append((rival, labels))
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
    kept: Kept, holdout: Holdout, candidate: Predictions, selection: Selection, asked: AskedGate | None
) -> tuple[NDArray[np.bool_], str]:
    every = np.ones(holdout.rows, dtype=bool)
    if selection.everything:
        return every, "all held-out rows"
    if selection.flipped:
        return _flipped(kept, holdout, candidate, selection.flipped)
    if asked is not None:
        inside = _in_slice(holdout, asked.verdict.slice) if asked.verdict.slice else every
        return rows_against(kept, asked, holdout, candidate, inside)
    if selection.slice:
        chosen, told = wrong_rows(holdout, candidate, _in_slice(holdout, selection.slice))
        return chosen, f"{told} in {selection.slice}"
    return wrong_rows(holdout, candidate, every)


def _flipped(kept: Kept, holdout: Holdout, candidate: Predictions, way: str) -> tuple[NDArray[np.bool_], str]:
    champion, silent = stored_predictions(kept, "champion_"), unanswered(kept.arrays)
    if champion is None or holdout.task is Task.REGRESSION:
        raise UsageError(
            "there is no champion's label to flip from", "Rows flip only against a champion of a classification."
        )
    was, now = champion.labels == holdout.truth, candidate.labels == holdout.truth
    chosen, told = (
        (was & ~now, "right by the champion, wrong now")
        if way == "worse"
        else (~was & now, "wrong by the champion, right now")
    )
    return (chosen if silent is None else chosen & ~silent), told


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
