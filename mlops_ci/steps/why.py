"""The chain of reasons behind an environment or a release, read by path: nothing is searched for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_ci.config import environment_file
from mlops_ci.errors import UsageError
from mlops_ci.records.chains import Chain, FileCommit, Link
from mlops_ci.steps import environments, ledger
from mlops_ci.steps.releases import named, releases

if TYPE_CHECKING:
    from mlops_ci.records.releases import Release
    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.project import Project

_RELEASE = re.compile(r"v\d+")


def chain_of(project: Project, asked: str) -> Chain:
    """Of an environment by its name, or of a release such as `v3`. UsageError where there is neither."""
    if _RELEASE.fullmatch(asked) and asked not in project.config.environments:
        return _of_release(project, _release(project, asked))
    return _of_environment(project, asked)


def _of_environment(project: Project, name: str) -> Chain:
    commit = environments.truth(project)
    standing = environments.standing_of(project, name, commit)
    if standing.release is None or standing.decision is None:
        raise UsageError(f"nothing runs in {name} yet", f"Promote a release there: mlops-ci promote {name}")
    stay = environments.stays(project, name, commit)[0]
    info = project.repository.commit_info(stay.commit)
    found = _of_release(project, _release(project, standing.release))
    moved = ledger.by_id(project.repository, standing.decision)
    missing = () if moved else (f"the ledger here has no decision {standing.decision[:12]}, which the file names",)
    return Chain(
        project=found.project,
        standing=standing,
        file=project.path(environment_file.path(name)),
        commit=FileCommit(commit=stay.commit, title=info.title, by=stay.by, time=stay.since),
        moved=_link(moved),
        release=found.release,
        made=found.made,
        judged=found.judged,
        missing=(*missing, *_otherwise(standing.digest, found.release), *found.missing),
    )


def _of_release(project: Project, release: Release) -> Chain:
    made = ledger.by_id(project.repository, release.decision)
    judged = ledger.by_id(project.repository, release.judged) if release.judged else None
    missing = [f"the ledger here has no decision {release.decision[:12]}, which made {release.release}"] * (not made)
    if release.judged and judged is None:
        missing.append(f"the ledger here has no decision {release.judged[:12]}, which passed the model")
    return Chain(
        project=project.config.project,
        standing=None,
        file="",
        commit=None,
        moved=None,
        release=release,
        made=_link(made),
        judged=_link(judged),
        missing=tuple(missing),
    )


def _otherwise(digest: str | None, release: Release) -> tuple[str, ...]:
    if digest == release.bundle:
        return ()
    return (f"the file names another bundle than the ledger's {release.release}: `mlops-ci verify` says more",)


def _release(project: Project, asked: str) -> Release:
    return named(releases(project.repository, project.config.project), asked)


def _link(stored: StoredDecision | None) -> Link | None:
    if stored is None:
        return None
    return Link(id=stored.id, decision=stored.decision, evidence=stored.evidence, run=stored.run)
