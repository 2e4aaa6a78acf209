"""eject: which files are only for the tool → removed, on request → what the rest is without it."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.records.ejected import Ejecting
from mlops_ci.steps.eject import leave, look
from mlops_ci.steps.project import open_project


def eject(start: Path, *, do: bool) -> Ejecting:
    """Show what leaving means, and with `do` leave."""
    project = open_project(start)
    found = look(project)
    return leave(project, found) if do else found
