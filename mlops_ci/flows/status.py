"""status: what runs where."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.records.environments import Standing
from mlops_ci.steps import environments
from mlops_ci.steps.project import open_project


def status(start: Path) -> tuple[Standing, ...]:
    """Every environment of mlops.yaml in its order, as the default branch has it; nothing is fetched."""
    project = open_project(start)
    return environments.standing(project)
