"""What killed runs left behind: removed before the next one writes."""

from __future__ import annotations

from mlops_ci.edge import files
from mlops_ci.steps.project import Project


def sweep(project: Project) -> None:
    """Remove half-written files and folders of processes that are gone, here and among the temporary folders."""
    state = project.state
    for folder in (state, state / "runs", state / "reports", *(state / "cache").glob("*")):
        files.sweep(folder)
    files.sweep_temporary()
