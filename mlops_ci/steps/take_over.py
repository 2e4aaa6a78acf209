"""What this version of mlops-ci makes of a repository that another one wrote. Nothing of it is written here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci import __version__
from mlops_ci.edge import files
from mlops_ci.errors import MlopsCiError
from mlops_ci.records.outcomes import Status
from mlops_ci.records.upgrades import Changed, JudgedAgain, TakenOver
from mlops_ci.steps import generated, ledger, runs
from mlops_ci.steps.project import Project
from mlops_ci.steps.project_files import read_text
from mlops_ci.steps.projects import projects_at
from mlops_ci.steps.rejudge import disagreements, only_told
from mlops_ci.workflows.compare import State

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.edge.git import Repository
    from mlops_ci.ledger.history import HistoryRow
    from mlops_ci.steps.runs import Kept

_DECISIONS = 20


def take_over(repository: Repository) -> TakenOver:
    """The generated files as they would be, and the last decisions judged again.

    ConfigError where a project's settings cannot be read by this version.
    """
    found = generated.look(repository)
    texts = generated.texts(found.without_conflicts())
    return TakenOver(
        version=__version__,
        files={
            path: text.encode("utf-8", "surrogateescape")
            for path, text in texts.items()
            if text != read_text(repository.root / path)
        },
        conflicts=tuple(each.path for each in found.files if each.state in (State.CONFLICT, State.UNKNOWN)),
        judged=judged_again(repository),
    )


def answer(repository: Repository, into: Path) -> None:
    """The same as JSON in the file `into`, for the version that asks."""
    files.write(into, msgspec.json.encode(take_over(repository)))


def judged_again(repository: Repository) -> JudgedAgain:
    """The last decisions of all projects, judged from what the ledger kept of them."""
    rows, projects = ledger.history(repository, limit=_DECISIONS), _projects(repository)
    verdicts, stay, without_rows, changed = 0, 0, 0, list[Changed]()
    for row in rows:
        try:
            kept = runs.recorded(repository, projects.get(row.project), ledger.find(repository, row.id))
            told = disagreements(kept)
        except MlopsCiError as error:
            changed.append(_changed(row, f"it cannot be read: {error.message}"))
            continue
        of_rows = _verdicts(kept)
        verdicts += of_rows
        stay += max(of_rows - len(told), 0)
        without_rows += kept.holdout is None
        changed += [_changed(row, each) for each in told]
    return JudgedAgain(
        decisions=len(rows), verdicts=verdicts, stay=stay, without_rows=without_rows, changed=tuple(changed)
    )


def _projects(repository: Repository) -> dict[str, Project]:
    """By name: those of the commit that is checked out, whose stores may hold rows."""
    at = repository.find("HEAD")
    found = projects_at(repository, at).values() if at else ()
    return {one.config.project: one for one in found if isinstance(one, Project)}


def _verdicts(kept: Kept) -> int:
    """How many follow from rows that were kept."""
    decision = kept.decision
    if kept.holdout is None or all(one.verdict is Status.SKIPPED for one in decision.gates):
        return 0
    return sum(not only_told(kept, one) for one in (*decision.gates, *(decision.environments or ())))


def _changed(row: HistoryRow, told: str) -> Changed:
    return Changed(decision=row.id, project=row.project, commit=row.commit, told=told)
