"""An environment: its file through the history of the default branch, and the decision behind each change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.config import environment_file
from mlops_ci.errors import MlopsCiError
from mlops_ci.ledger import names
from mlops_ci.promotion import audit
from mlops_ci.records.environments import EnvironmentFile
from mlops_ci.records.verified import Finding, Note, Problem
from mlops_ci.steps import deploy_files, environments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.ledger.audit import Parts
    from mlops_ci.records.environments import Move
    from mlops_ci.steps.verify_decision import Scene


def environment(at: Scene, name: str) -> Iterator[Finding]:
    """What does not hold of its file: now, and at each commit that changed it."""
    path = at.project.path(environment_file.path(name))
    try:
        site = environments.site(at.project, name, at.commit)
    except MlopsCiError as error:
        yield Problem(where=error.where or path, message=error.message)
        return
    runs = site.state.runs
    if wrong := deploy_files.foreign(at.project, name, site.rules.deploy, at.commit, runs):
        where, _, message = wrong.partition(": ")
        yield Problem(where=where, message=message)
    if runs is None:
        yield Note(where=path, message=f"nothing runs in {name} yet")
    past: list[EnvironmentFile] = [EnvironmentFile()]
    for change, state in environments.states(at.project, name, at.commit):
        where = f"{path} at {change.commit[:12]}"
        if state is None:
            yield Problem(where=where, message="it could not be read then")
        elif _is_revert(past, state):
            yield Note(where=where, message=f"{change.author} went back by reverting: there is no decision of its own")
            past.append(state)
        else:
            parts = at.shelf.parts(state.decision)
            decision = parts.decision if parts else None
            yield from audit.change(where, name, past[-1], state, decision, _move(parts))
            past.append(state)
    if runs is not None:
        yield from _release(at, path, past[-1])


def environments_of(at: Scene) -> tuple[str, ...]:
    """Those that mlops.yaml has on the default branch. ConfigError where it cannot be read."""
    return tuple(environments.settings_at(at.project, at.commit).environments)


def behind(at: Scene, name: str) -> str:
    """The decision that put there what runs there; empty where nothing does."""
    try:
        return environments.site(at.project, name, at.commit).state.decision
    except MlopsCiError:
        return ""


def named(at: Scene, name: str) -> Iterator[tuple[str, Parts]]:
    """Every decision that its file ever named, with the commit that named it, the last first."""
    found = []
    for change, state in environments.states(at.project, name, at.commit):
        parts = at.shelf.parts(state.decision) if state and state.decision else None
        if parts is not None:
            found.append((change.commit, parts))
    yield from reversed(found)


def release_of(at: Scene, name: str) -> str:
    """The path of the release that runs there; empty where none does."""
    try:
        runs = environments.site(at.project, name, at.commit).state.runs
    except MlopsCiError:
        return ""
    return names.release_path(at.project.config.project, int(runs.release[1:])) if runs else ""


def _release(at: Scene, path: str, state: EnvironmentFile) -> Iterator[Problem]:
    """The ledger knows what runs there under that number."""
    runs = state.runs
    if runs is None:
        return
    found = at.shelf.release(names.release_path(at.project.config.project, int(runs.release[1:])))
    if isinstance(found, Problem):
        yield Problem(where=path, message=f"it names {runs.release}: {found.message}")
    elif (found.bundle, found.image or "") != (runs.bundle, runs.image):
        yield Problem(where=path, message=f"{runs.release} of the ledger is another bundle or image than it names")


def _is_revert(past: list[EnvironmentFile], state: EnvironmentFile) -> bool:
    """The file as it was before the last change, with nothing lifted by that from quarantine."""
    changed = len(past) > 1 and state == past[-2] and state != past[-1] and state.runs is not None
    return changed and all(one in state.quarantine for one in past[-1].quarantine)


def _move(parts: Parts | None) -> Move | None:
    return (parts.evidence.move or None) if parts and parts.evidence else None
