"""history: what was decided."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.ledger.history import HistoryRow
from mlops_ci.steps import ledger
from mlops_ci.steps.project import open_project


def history(start: Path, *, limit: int | None, everything: bool) -> tuple[HistoryRow, ...]:
    """The decisions of the project around `start`, or of all projects of its repository, the last recorded first."""
    project = open_project(start)
    name = None if everything else project.config.project
    return ledger.history(project.repository, project=name, limit=limit)
