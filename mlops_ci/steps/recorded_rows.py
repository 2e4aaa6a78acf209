"""The rows of a decision that a job writes down, put where the settings of its commit say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.records.decisions import Trust
from mlops_ci.steps.due import project_at
from mlops_ci.steps.kept_rows import keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.edge.git import Repository
    from mlops_ci.ledger.entries import Entry


def keep_recorded(repository: Repository, folder: str, entry: Entry, say: Callable[[str], None]) -> str:
    """Why the rows are not in the store; empty: they are, or need not be. Only the default branch is listened to.

    folder: of the project in the repository.
    """
    if not entry.evidence.rows or entry.decision.trust is not Trust.DEFAULT_BRANCH:
        return ""
    project = project_at(repository, entry.decision.subject.commit, folder or ".")
    if project is None:
        return f"the rows of {entry.decision.project} are not in the store: its settings cannot be read"
    return keep(project, entry, say)
