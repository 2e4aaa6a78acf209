"""The row-level evidence of a decision, wherever it is kept: the ledger, or the store by `evidence: {rows: store}`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.errors import MlopsCiError, OutsideError
from mlops_ci.ledger import arrays as npy
from mlops_ci.ledger import entries, holdouts
from mlops_ci.records.decisions import DecisionKind, Trust
from mlops_ci.steps import ledger, stores
from mlops_ci.steps.store_items import keep_rows
from mlops_ci.steps.tombstones import tombstone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.edge.git import Repository
    from mlops_ci.ledger.entries import Entry
    from mlops_ci.records.decisions import Decision
    from mlops_ci.records.evaluation import Holdout
    from mlops_ci.records.stores import StoredItem
    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.project import Project

_APART = (Trust.FORK, Trust.PULL_REQUEST)
IN_ARTIFACT = "rows of a pull request's check are in the artifact of its run, and not in the store"


class Rows(NamedTuple):
    """Outputs by name and the holdout they are about; without one `reason` is why rows that were kept are not to be
    had, or empty where none were kept.
    """

    arrays: dict[str, NDArray[np.generic]]
    holdout: Holdout | None
    reason: str = ""


def rows_of(repository: Repository, project: Project | None, stored: StoredDecision) -> Rows:
    """The rows of a recorded decision. OutsideError where the ledger's were changed; never for those of the store.

    project: whose store is asked; None: it is not there any more.
    """
    item = stored.evidence.rows or None
    if item is None or stored.decision.kind is DecisionKind.RELEASE:
        return Rows(ledger.arrays(repository, stored), ledger.holdout(repository, stored))
    if project is None:
        return Rows({}, None, f"its rows are in the store of {stored.decision.project}, which is no project here")
    try:
        folder = stores.find(project, item.digest, lambda _: None, kind="predictions")
        if folder is None:
            return Rows({}, None, _why_not(project, stored.decision.trust, item.digest))
        return _read(folder, stored.decision.evidence)
    except MlopsCiError as error:
        return Rows({}, None, f"its rows are in the store, and {error.message}")


def rows_here(project: Project, decision: Decision, item: StoredItem) -> Rows:
    """Rows that the store has, as far as they are on this machine: nothing is fetched.

    UsageError or OutsideError where what is here was changed.
    """
    folder = stores.here(project, item.digest, kind="predictions")
    if folder is None:
        return Rows({}, None, _why_not(project, decision.trust, item.digest))
    return _read(folder, decision.evidence)


def keep(project: Project, entry: Entry, say: Callable[[str], None], *, here: bool = False) -> str:
    """Put the rows of a decision into the store, where its evidence says they are there; why that could not be done.

    here: into the folder of this machine alone. Of a pull request nothing is put, so that nobody who may open one can
    fill the store.
    """
    item = entry.evidence.rows or None
    if item is None or entry.holdout is None or entry.decision.trust in _APART:
        return ""
    try:
        if not here:
            stores.require_lasting(project)
        if keep_rows(project, entry.arrays, entry.holdout, say, here=here) != item:
            raise OutsideError("they are not those that the decision names")
    except MlopsCiError as error:
        told = f"{error.where}: {error.message}" if error.where else error.message
        return f"the rows of decision {_id(entry)} are not in the store: {told}"
    return ""


def _id(entry: Entry) -> str:
    return Path(entries.folder_of(entry)).name[:12]


def _why_not(project: Project, trust: Trust, digest: str) -> str:
    if trust in _APART:
        return IN_ARTIFACT
    if erased := tombstone(project.repository, digest):
        return f"its rows were erased from {erased.store} on {erased.time[:10]}: {erased.reason}"
    return f"its rows ({digest[:12]}) are not in the store"


def _read(folder: Path, evidence: Mapping[str, str]) -> Rows:
    """evidence: name -> sha256, as the decision pins it."""
    pinned = {name: sha256 for name, sha256 in evidence.items() if name != entries.EVIDENCE}
    content = {name: (folder / name).read_bytes() for name in pinned if (folder / name).is_file()}
    for name, sha256 in pinned.items():
        if hashlib.sha256(content.get(name, b"")).hexdigest() != sha256:
            raise OutsideError(f"{name} there is not what the decision was made from")
    arrays = {
        name.removesuffix(".npy"): npy.decode(data, name=name)
        for name, data in content.items()
        if name.endswith(".npy")
    }
    path = next((name for name in content if name.endswith(".json")), "")
    if not path:
        return Rows(arrays, None)
    index = holdouts.parse_index(content[path], path=path)
    beside = (folder / path).parent
    return Rows(arrays, holdouts.parse(index, {one.file: (beside / one.file).read_bytes() for one in index.arrays}))
