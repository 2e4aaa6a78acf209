"""doctor: is everything in place, each thing with its mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.errors import MlopsCiError
from mlops_ci.steps import health, health_of_rows, health_on_github

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.steps.health import Finding

_LOOKS = (
    ("data", health.data),
    ("contract", health.data_contract),
    ("store", health.store),
    ("code", health.code),
    ("locks", health.locks),
    ("workflows", health.workflows),
    ("rows", health_of_rows.rows),
    ("uv", health.uv),
    ("GitHub", health_on_github.github),
)


def doctor(start: Path) -> tuple[Finding, ...]:
    """Look at everything a check and CI need, here and on GitHub; nothing is changed, no code of the project runs."""
    try:
        around = tuple(health.repository(start))
    except MlopsCiError as error:
        return (health.missing("repository", error.message, error.advice),)
    project, settings = health.settings(start)
    if project is None:
        return (*around, settings)
    found = (finding for name, look in _LOOKS for finding in health.looked(name, look, project))
    return (*around, settings, *found)
