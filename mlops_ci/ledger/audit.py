"""What does not hold in the files of a ledger, from their bytes alone."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from mlops_ci.errors import OutsideError
from mlops_ci.ledger import arrays as npy
from mlops_ci.ledger import holdouts, looks, names
from mlops_ci.ledger.entries import EVIDENCE
from mlops_ci.ledger.statements import parse_statement
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.decisions import Decision, DecisionKind, Evidence, RunInfo
from mlops_ci.records.prunes import Tombstone
from mlops_ci.records.verified import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

_Record = TypeVar("_Record")
_CHART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.svg")
_NAMED_BY_CONTENT = re.compile(r"[a-z]+-([0-9a-f]{16})\.(npy|json)")


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as its folder has it; what could not be read, or is not what the decision names, is left out."""

    id: str
    path: str
    """The folder."""
    decision: Decision
    evidence: Evidence | None
    run: RunInfo | None
    arrays: dict[str, NDArray[np.generic]]

    @property
    def short(self) -> str:
        return self.id[:12]


def open_folder(path: str, files: Mapping[str, bytes]) -> tuple[Parts | None, tuple[Problem, ...]]:
    """A decision from the files of its folder, by name in it, and what does not hold there; None where it is none."""
    found: list[Problem] = []
    data = files.get("decision.json")
    if data is None:
        return None, (Problem(where=f"{path}/decision.json", message="is missing"),)
    identity = hashlib.sha256(data).hexdigest()
    if not path.endswith(f"/{identity}"):
        told = f"its sha256 is {identity[:12]}…: it was edited, or lies under the id of another"
        found.append(Problem(where=f"{path}/decision.json", message=told))
    try:
        decision = parse_statement(data, name="it")
    except OutsideError as error:
        found.append(Problem(where=f"{path}/decision.json", message=error.message))
        return None, tuple(found)
    found += _place(path, decision)
    evidence = _evidence(path, files, decision, found)
    parts = Parts(
        id=path.rpartition("/")[2],
        path=path,
        decision=decision,
        evidence=evidence,
        run=_record(f"{path}/run.json", files.get("run.json"), RunInfo, found),
        arrays=_arrays(path, files, decision, evidence, found),
    )
    found += _others(path, files, decision)
    return parts, tuple(found)


def _place(path: str, decision: Decision) -> Iterator[Problem]:
    identity = path.rpartition("/")[2]
    try:
        expected = names.decision_folder(identity, decision.subject.commit_time)
    except ValueError:
        expected = ""
    if path != expected:
        told = f"it lies in the folder of another day than that of its commit, {decision.subject.commit_time[:40]!r}"
        yield Problem(where=f"{path}/decision.json", message=told)


def _evidence(path: str, files: Mapping[str, bytes], decision: Decision, found: list[Problem]) -> Evidence | None:
    where = f"{path}/evidence/{EVIDENCE}"
    if EVIDENCE not in decision.evidence:
        found.append(Problem(where=f"{path}/decision.json", message=f"it names no {EVIDENCE}"))
        return None
    data = _pinned(where, files.get(f"evidence/{EVIDENCE}"), decision.evidence[EVIDENCE], found)
    return None if data is None else _record(where, data, Evidence, found)


def _arrays(
    path: str, files: Mapping[str, bytes], decision: Decision, evidence: Evidence | None, found: list[Problem]
) -> dict[str, NDArray[np.generic]]:
    read: dict[str, NDArray[np.generic]] = {}
    stored = evidence is not None and bool(evidence.rows)
    for name, sha256 in decision.evidence.items():
        if name == EVIDENCE or name.startswith(f"{names.HOLDOUTS}/"):
            continue
        where, data = f"{path}/evidence/{name}", files.get(f"evidence/{name}")
        if data is None and stored:
            continue
        data = _pinned(where, data, sha256, found)
        try:
            if data is not None:
                read[name.removesuffix(".npy")] = npy.decode(data, name="it")
        except OutsideError as error:
            found.append(Problem(where=where, message=error.message))
    return read


def _others(path: str, files: Mapping[str, bytes], decision: Decision) -> Iterator[Problem]:
    if "report.md" not in files:
        yield Problem(where=f"{path}/report.md", message="is missing")
    own = {"decision.json", "run.json", "report.md", *(f"evidence/{name}" for name in decision.evidence)}
    for name in sorted(files.keys() - own):
        if not _CHART.fullmatch(name):
            yield Problem(where=f"{path}/{name}", message="the decision names no such file")


def _pinned(where: str, data: bytes | None, sha256: str, found: list[Problem]) -> bytes | None:
    if data is not None and hashlib.sha256(data).hexdigest() == sha256:
        return data
    told = "is missing, and the decision was made from it" if data is None else "is not what the decision was made from"
    found.append(Problem(where=where, message=told))
    return None


def _record(where: str, data: bytes | None, kind: type[_Record], found: list[Problem]) -> _Record | None:
    """A record in its canonical form."""
    if data is None:
        found.append(Problem(where=where, message="is missing"))
        return None
    try:
        record = msgspec.json.decode(data, type=kind)
        if canonical_json(msgspec.json.decode(data)) != data:
            found.append(Problem(where=where, message="is not canonical JSON (RFC 8785): it was edited"))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        found.append(Problem(where=where, message=f"cannot be read: {error}"))
        return None
    return record


def consistent(parts: Parts) -> Iterator[Problem]:
    """Where a decision and its evidence say different things of the same."""
    decision, evidence, where = parts.decision, parts.evidence, f"{parts.path}/decision.json"
    if evidence is None:
        return
    evaluation = evidence.evaluation if decision.kind is DecisionKind.CHECK else None
    if evaluation is not None and evaluation.metrics != decision.metrics:
        yield Problem(where=where, message="its metrics are not those of its evidence")
    moves = decision.kind in (DecisionKind.PROMOTION, DecisionKind.ROLLBACK)
    if moves != bool(evidence.move):
        yield Problem(where=where, message=f"a {decision.kind} that moves {'nothing' if moves else 'an environment'}")
    indexes = [name for name in decision.evidence if name.startswith(f"{names.HOLDOUTS}/")]
    folder = f"{names.HOLDOUTS}/{evidence.holdout}/"
    if any(not name.startswith(folder) for name in indexes) and evidence.holdout:
        yield Problem(where=where, message="its rows are those of another holdout than its evidence names")


def look_of(parts: Parts) -> tuple[str, ...]:
    """The files that say this decision looked at its rows: the look, and the ids it was at."""
    look = parts.evidence.look if parts.evidence else None
    if look is None:
        return ()
    path = names.look_path(look.holdout, hashlib.sha256(canonical_json(look)).hexdigest())
    return (path, f"{path.rpartition('/')[0]}/{look.rows}") if look.rows else (path,)


def shared(path: str, data: bytes) -> Iterator[Problem]:
    """What does not hold in a file of `holdouts/` or `erased/`, of those named by what is in them."""
    name = path.rpartition("/")[2]
    if path.startswith(f"{names.ERASED}/"):
        found: list[Problem] = []
        stone = _record(path, data, Tombstone, found)
        yield from found
        if stone is not None and f"{stone.digest}.json" != name:
            yield Problem(where=path, message=f"it is about {stone.digest[:12]!r}, another one")
        return
    digest = hashlib.sha256(data).hexdigest()
    if match := _NAMED_BY_CONTENT.fullmatch(name):
        if not digest.startswith(match[1]):
            yield Problem(where=path, message="was changed: its name is the digest of other content")
    elif names.look(name):
        yield from _look(path, data, digest)
    else:
        yield Problem(where=path, message="is no file of a holdout")


def _look(path: str, data: bytes, digest: str) -> Iterator[Problem]:
    try:
        look = looks.parse(data, path="it")
    except OutsideError as error:
        yield Problem(where=path, message=error.message)
        return
    _, holdout, name = path.split("/")
    older = not look.rows and name == f"{look.predictions}.json"
    if (not older and name != f"{digest}.json") or look.holdout != holdout:
        yield Problem(where=path, message="was changed: its name is the digest of another look")


def index_of(path: str, data: bytes) -> holdouts.Index | Problem:
    """The index of a holdout, whose arrays lie beside it."""
    try:
        return holdouts.parse_index(data, path="it")
    except OutsideError as error:
        return Problem(where=path, message=error.message)
