"""The rows of a recorded decision for `verify`: from the ledger, or from the store as far as it is on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlops_ci.errors import MlopsCiError
from mlops_ci.ledger import names
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.evaluation import Task
from mlops_ci.records.verified import Problem
from mlops_ci.steps.holdout import ids_digest
from mlops_ci.steps.kept_rows import Rows, rows_here
from mlops_ci.steps.rejudge import stored_predictions
from mlops_ci.steps.runs import Kept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlops_ci.ledger.audit import Parts
    from mlops_ci.records.evaluation import Holdout
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.verify_shelf import Shelf


class Found(NamedTuple):
    """`kept` without its rows where they are not to be had or do not hold; None: there is no evidence at all."""

    kept: Kept | None
    problems: tuple[Problem, ...]


def kept_of(shelf: Shelf, project: Project | None, parts: Parts) -> Found:
    """A decision with its rows. project: whose store is looked into."""
    evidence = parts.evidence
    if evidence is None:
        return Found(None, ())
    rows, problems = _rows(shelf, project, parts)
    if not problems and rows.holdout is not None:
        problems = [*_unfit(f"{parts.path}/evidence", rows.holdout, rows.arrays)]
    if problems:
        rows = Rows({}, None, f"they do not hold: {problems[0].where}")
    kept = Kept(
        id=parts.id,
        decision=parts.decision,
        evidence=evidence,
        run=parts.run,
        arrays=rows.arrays,
        holdout=rows.holdout,
        no_rows=rows.reason,
    )
    if rows.holdout is not None:
        problems += _identity(kept)
    return Found(kept, tuple(problems))


def _rows(shelf: Shelf, project: Project | None, parts: Parts) -> tuple[Rows, list[Problem]]:
    item = parts.evidence.rows if parts.evidence else None
    if item and parts.decision.kind is not DecisionKind.RELEASE:
        if project is None:
            told = f"they are in the store of {parts.decision.project}, which is no project here"
            return Rows({}, None, told), []
        try:
            return rows_here(project, parts.decision, item), []
        except MlopsCiError as error:
            return Rows({}, None), [Problem(where=f"the store: predictions {item.digest[:12]}", message=error.message)]
    named = [(name, sha) for name, sha in parts.decision.evidence.items() if name.startswith(f"{names.HOLDOUTS}/")]
    if not named:
        return Rows(parts.arrays, None), []
    found = shelf.holdout(*named[0])
    return (Rows({}, None), [found]) if isinstance(found, Problem) else (Rows(parts.arrays, found), [])


def _unfit(where: str, holdout: Holdout, arrays: dict[str, NDArray[np.generic]]) -> Iterator[Problem]:
    """Arrays that no holdout and no model of ours has: asked before anything is computed from them."""
    rows, classes = holdout.rows, len(holdout.classes)
    beside = {f"slice {name}": factor.codes for name, factor in holdout.slices.items()}
    groups = {} if holdout.group is None else {"group": holdout.group}
    everything = {"truth": holdout.truth, **groups, **beside, **arrays}
    for name, array in everything.items():
        if array.ndim not in (1, 2) or len(array) != rows:
            yield Problem(where=where, message=f"{name} has the shape {array.shape}, and the holdout {rows} rows")
        elif array.dtype.kind == "f" and not np.isfinite(array).all() and "metric_" not in name:
            yield Problem(where=where, message=f"{name} holds numbers that are not finite")
    codes: dict[str, tuple[NDArray[np.generic], int]] = {
        f"slice {name}": (factor.codes, len(factor.values)) for name, factor in holdout.slices.items()
    }
    if holdout.task is not Task.REGRESSION:
        labels = {name: (found, classes) for name, found in arrays.items() if name.endswith("labels")}
        codes |= {"truth": (holdout.truth, classes), **labels}
    for name, (found, many) in codes.items():
        if found.dtype.kind not in "iu" or (found.size and not (found.min() >= -1 and found.max() < many)):
            yield Problem(where=where, message=f"{name} holds codes that are none of {many}")


def _identity(kept: Kept) -> Iterator[Problem]:
    """The digests by which evidence names its rows and its predictions."""
    holdout, where = kept.holdout, f"decision {kept.id[:12]}"
    if holdout is not None and not kept.evidence.holdout == holdout.digest == ids_digest(holdout.ids):
        yield Problem(where=where, message="its rows are not those of the holdout that its evidence names")
    predictions = stored_predictions(kept, "")
    if predictions is not None and predictions.digest != kept.evidence.predictions:
        yield Problem(where=where, message="its predictions are not those that its evidence names")
