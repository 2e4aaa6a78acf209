"""Which decision a commit's model is compared with: that of what an environment runs, else the last that passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.errors import MlopsCiError
from mlops_ci.steps import environments, ledger
from mlops_ci.steps.releases import releases

if TYPE_CHECKING:
    from mlops_ci.config.settings import Config
    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.project import Project


class Incumbent(NamedTuple):
    """The decision on a model, and how reports name it: `v12 in production`."""

    stored: StoredDecision
    name: str


def incumbent(project: Project, called: str, config: Config, commit: str) -> Incumbent | None:
    """Of the project that is `called` so, as `commit` has its environments.

    That of the environment `champion:`; left out, of the last in which something runs. None where nothing runs, and
    nothing passed at `commit` or before.
    """
    for name in (config.champion,) if config.champion else reversed(config.environments):
        if found := _running(project, called, name, commit):
            return found
    stored = ledger.last_passed(project.repository, called, commit)
    return Incumbent(stored, _last(stored)) if stored else None


def _running(project: Project, called: str, name: str, commit: str) -> Incumbent | None:
    """None where nothing runs there, or the ledger does not have it: what is compared with is named in the report."""
    try:
        runs = environments.site(project, name, commit).state.runs
    except MlopsCiError:
        return None
    known = releases(project.repository, called) if runs else {}
    release = known.get(int(runs.release[1:])) if runs else None
    if runs is None or release is None or release.bundle != runs.bundle:
        return None
    stored = ledger.by_id(project.repository, release.judged or release.decision)
    return Incumbent(stored, f"{release.release} in {name}") if stored else None


def _last(stored: StoredDecision) -> str:
    if found := stored.evidence.imported or None:
        return f"{found.source}, imported as {found.release}"
    return f"{stored.decision.subject.commit[:7]}, the last that passed"
