"""One decision with all that is kept of it, as files of the ledger."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.ledger import arrays as npy
from mlops_ci.ledger import holdouts, looks
from mlops_ci.ledger.names import decision_folder, plain, release_path
from mlops_ci.ledger.statements import encode
from mlops_ci.records.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.records.decisions import Decision, Evidence, RunInfo
    from mlops_ci.records.evaluation import Holdout
    from mlops_ci.records.releases import Release

EVIDENCE = "evidence.json"
_NO_ARRAYS: dict[str, NDArray[np.generic]] = {}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded of a decision.

    `decision.evidence` is already filled (`with_evidence`, same evidence, arrays and holdout). `charts`: name -> SVG
    text, names without the ending. `arrays`: name -> outputs by row, in the order of the holdout's ids; without
    `holdout` the rows are not recorded. `ids`: of the rows that were looked at, shape (n,); they are kept either
    way, so that looks can be counted. `shown`: of the rows whose numbers were shown, where these are others.
    """

    decision: Decision
    run: RunInfo
    evidence: Evidence
    report_markdown: str
    charts: dict[str, str] = {}
    arrays: dict[str, NDArray[np.generic]] = {}
    holdout: Holdout | None = None
    ids: NDArray[np.uint64] | None = None
    shown: NDArray[np.uint64] | None = None
    release: Release | None = None
    """What the decision made a release: its number is taken once."""


def with_evidence(
    decision: Decision,
    evidence: Evidence,
    arrays: Mapping[str, NDArray[np.generic]] = _NO_ARRAYS,
    holdout: Holdout | None = None,
) -> Decision:
    """The decision with the sha256 of each file of its evidence: to be done before its id is asked for."""
    files = _evidence_files(evidence, arrays)
    if holdout is not None:
        index, content = holdouts.files(holdout)
        files[index] = content[index]
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    return msgspec.structs.replace(decision, evidence=digests)


def files(entry: Entry) -> dict[str, bytes]:
    """Path -> bytes of everything the entry adds to the branch: its rows, unless the store has them.

    ValueError when the decision's evidence is not what is stored beside it, or its commit has no time (a dirty tree).
    """
    if with_evidence(entry.decision, entry.evidence, entry.arrays, entry.holdout).evidence != entry.decision.evidence:
        raise ValueError("the decision was not made from this evidence")
    folder, stored = folder_of(entry), bool(entry.evidence.rows)
    own = {name: data for name, data in own_files(entry).items() if not (stored and name.endswith(".npy"))}
    return {f"{folder}/{name}": data for name, data in own.items()} | shared_files(entry, rows=not stored)


def own_files(entry: Entry) -> dict[str, bytes]:
    """What lies in the decision's own folder, by name in it."""
    found = {
        "decision.json": encode(entry.decision),
        "run.json": canonical_json(entry.run),
        "report.md": entry.report_markdown.encode(),
    }
    found |= {f"{plain(name)}.svg": text.encode() for name, text in entry.charts.items()}
    evidence = _evidence_files(entry.evidence, entry.arrays)
    return found | {f"evidence/{name}": data for name, data in evidence.items()}


def folder_of(entry: Entry) -> str:
    """The folder of the entry on the branch; its last part is the decision's id."""
    decision_id = hashlib.sha256(encode(entry.decision)).hexdigest()
    return decision_folder(decision_id, entry.decision.subject.commit_time)


def _evidence_files(evidence: Evidence, arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, bytes]:
    return {EVIDENCE: canonical_json(evidence), **_array_files(arrays)}


def _array_files(arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, bytes]:
    return {f"{plain(name)}.npy": npy.encode(array) for name, array in arrays.items()}


def row_files(arrays: Mapping[str, NDArray[np.generic]], holdout: Holdout) -> dict[str, bytes]:
    """Row-level evidence by itself, under the names a decision pins: the outputs, and the rows they are about."""
    return _array_files(arrays) | holdouts.files(holdout)[1]


def shared_files(entry: Entry, *, rows: bool = True) -> dict[str, bytes]:
    """The holdout with its rows, the look at it, and the release: what others write too, whatever the decision was."""
    found = holdouts.files(entry.holdout)[1] if rows and entry.holdout is not None else {}
    if entry.evidence.look is not None and entry.ids is not None:
        found |= looks.files(entry.evidence.look, entry.ids, entry.shown)
    if entry.release is not None:
        path = release_path(entry.release.project, int(entry.release.release.removeprefix("v")))
        found[path] = canonical_json(entry.release)
    return found
