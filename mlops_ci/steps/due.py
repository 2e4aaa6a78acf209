"""Which commits of the default branch are to be released: those that passed there, and are no release yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.errors import UsageError
from mlops_ci.records.decisions import DecisionKind, Trust
from mlops_ci.records.due import Due
from mlops_ci.records.outcomes import Outcome
from mlops_ci.steps import ledger
from mlops_ci.steps.case import Asked, Case, settle
from mlops_ci.steps.project import Project
from mlops_ci.steps.projects import projects_at

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.edge.git import Repository
    from mlops_ci.ledger.history import HistoryRow
    from mlops_ci.steps.ledger import StoredDecision


def due(repository: Repository, tip: str, *, again: bool) -> tuple[Due, ...]:
    """Of every project at `tip` the newest commit that passed on the default branch, where that is no release yet.

    `again`: those whose release was refused or could not be made, too. Projects that train nothing have none.
    """
    found = []
    for project in projects_at(repository, tip).values():
        if not isinstance(project, Project):
            continue
        row = _newest(repository, project.config.project, tip, again=again)
        there = project_at(repository, row.commit, project.folder) if row else None
        if row is None or there is None or there.config.project != project.config.project or not _trains(there):
            continue
        found.append(
            Due(
                project=row.project,
                folder=project.folder or ".",
                labels=there.config.runner.labels,
                commit=row.commit,
                decision=row.id,
            )
        )
    return tuple(found)


def project_at(repository: Repository, commit: str, folder: str) -> Project | None:
    """The project in a folder at a commit; None where its settings are not there or cannot be read."""
    found = projects_at(repository, commit).get(folder.removeprefix("."))
    return found if isinstance(found, Project) else None


def passed_decision(repository: Repository, row: Due) -> StoredDecision:
    """The decision that lets it through. UsageError where the ledger has none that says so."""
    stored = ledger.find(repository, row.decision)
    decision = stored.decision
    said = (decision.kind, decision.outcome, decision.trust, decision.project, decision.subject.commit)
    if said != (DecisionKind.CHECK, Outcome.PASSED, Trust.DEFAULT_BRANCH, row.project, row.commit):
        raise UsageError(
            f"decision {row.decision[:12]} does not open a release of {row.project} {row.commit[:7]}",
            "Only a check of the default branch that passed does, recorded by the workflow `mlops record`.",
        )
    return stored


def case_of(repository: Repository, row: Due, work: Path) -> Case:
    """Of a commit that passed, in an empty folder below `work`: nothing but what git holds of the commit is read.

    UsageError where the ledger does not let it through.
    """
    passed_decision(repository, row)
    project = project_at(repository, row.commit, row.folder)
    if project is None:
        raise UsageError(f"{row.commit[:7]} has no project in {row.folder}", "Run the workflow again.")
    root = work / row.project
    root.mkdir(parents=True, exist_ok=True)
    here = msgspec.structs.replace(project, root=root)
    return settle(here, Asked(at=row.commit, trust=Trust.DEFAULT_BRANCH))


def _newest(repository: Repository, project: str, tip: str, *, again: bool) -> HistoryRow | None:
    """Of one commit the last check counts."""
    checks: dict[str, HistoryRow] = {}
    closed = set()
    for row in ledger.history(repository, project=project):
        if row.trust != Trust.DEFAULT_BRANCH:
            continue
        if row.kind == DecisionKind.CHECK:
            checks.setdefault(row.commit, row)
        elif row.kind == DecisionKind.RELEASE and (row.outcome == Outcome.PASSED or not again):
            closed.add(row.commit)
    passed = {commit: row for commit, row in checks.items() if row.outcome == Outcome.PASSED}
    if not passed:
        return None
    with repository.ancestors(tip) as commits:
        newest = next((commit for commit in commits if commit in passed), None)
    return passed[newest] if newest and newest not in closed else None


def _trains(project: Project) -> bool:
    train = project.config.train
    return train is not None and train.predictions is None
