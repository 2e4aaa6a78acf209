"""What killed runs left behind, and what nobody asks for any more."""

from __future__ import annotations

from mlops_ci.edge import files
from mlops_ci.steps.project import Project

_DAYS = 14.0


def sweep(project: Project) -> None:
    """Remove half-written files and folders of processes that are gone, here and among the temporary folders."""
    state = project.state
    for folder in (state, state / "runs", state / "reports", *(state / "cache").glob("*")):
        files.sweep(folder)
    files.sweep_temporary()


def forget(project: Project) -> None:
    """Remove answers and runs that nothing asked for in a fortnight.

    For CI, which keeps them from commit to commit: what is handed on would grow with every one.
    """
    for folder in (project.state / "runs", *(project.state / "cache").glob("*")):
        files.forget(folder, days=_DAYS)
