"""A release: its number, the decisions it names, what of it lies in the store, its signature."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mlops_ci.errors import MlopsCiError
from mlops_ci.ledger import names
from mlops_ci.promotion import audit
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Outcome
from mlops_ci.records.verified import Finding, Note, Problem
from mlops_ci.steps import signatures, stores
from mlops_ci.steps.tombstones import tombstone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.ledger.audit import Parts
    from mlops_ci.records.releases import Release
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.verify_decision import Scene


def release(at: Scene, path: str) -> Iterator[Finding]:
    """What does not hold of the file and of what it names; the decisions themselves are others' to look at."""
    found = at.shelf.release(path)
    if isinstance(found, Problem):
        yield found
        return
    if at.shelf.read([path])[path] != canonical_json(found):
        yield Problem(where=path, message="is not in the canonical form that mlops-ci writes: it was edited")
    made, judged = at.shelf.parts(found.decision), at.shelf.parts(found.judged)
    evidence = made.evidence if made else None
    yield from audit.release(
        path, found, made.decision if made else None, evidence, judged.decision if judged else None
    )
    project = at.projects.get(found.project)
    if project is None:
        yield Note(where=path, message=f"{found.project} is no project here: its store was not looked into")
    else:
        yield from _stored(project, path, found)


def named_by(found: Release | Problem) -> tuple[str, ...]:
    """The decisions a release stands on."""
    return () if isinstance(found, Problem) else tuple(filter(None, (found.decision, found.judged)))


def numbered_once(at: Scene, parts: Parts) -> Iterator[Problem]:
    """Of a decision that made a release: its number is this one's."""
    evidence = parts.evidence
    if parts.decision.kind not in (DecisionKind.RELEASE, DecisionKind.IMPORT) or evidence is None:
        return
    made = evidence.bundle or evidence.imported or None
    if made is None or not made.number or parts.decision.outcome is not Outcome.PASSED:
        return
    try:
        path = names.release_path(parts.decision.project, made.number)
    except ValueError as error:
        yield Problem(where=f"{parts.path}/decision.json", message=str(error))
        return
    found = at.shelf.release(path)
    if isinstance(found, Problem):
        yield Problem(where=path, message=f"{found.message}; decision {parts.short} made it")
    elif found.decision != parts.id:
        told = f"the number was used twice: {parts.short} made it too, and it names {found.decision[:12]}"
        yield Problem(where=path, message=told)


def _stored(project: Project, path: str, found: Release) -> Iterator[Finding]:
    """What is on this machine is what the digests say; nothing is fetched."""
    for kind, digest in found.items:
        try:
            here = stores.here(project, digest, kind=kind)
        except MlopsCiError as error:
            yield Problem(where=f"the store: {kind} {digest[:12]}", message=f"{error.message} ({found.release})")
            continue
        if here is None:
            erased = tombstone(project.repository, digest)
            told = f"was erased on {erased.time[:10]}: {erased.reason}" if erased else "is not in the store here"
            yield Note(where=path, message=f"its {kind} {digest[:12]} {told}")
    if found.signature:
        yield from _signature(project, path, found.signature.digest)


def _signature(project: Project, path: str, digest: str) -> Iterator[Finding]:
    here = signatures.place(project, digest)
    if not here.is_file():
        yield Note(where=path, message=f"its signature {digest[:12]} is not in the store here")
    elif hashlib.sha256(here.read_bytes()).hexdigest() != digest:
        yield Problem(where=f"the store: signature {digest[:12]}", message="was changed")
