"""Environments as the default branch has them: what runs where now, and what ran before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mlops_ci.config import environment_file, load, yaml
from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.records.environments import EnvironmentFile, Standing, Stay
from mlops_ci.records.results import Where
from mlops_ci.steps.project import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.config.settings import Config, Environment
    from mlops_ci.edge.git import Repository
    from mlops_ci.steps.project import Project


class Site(NamedTuple):
    """One environment at a commit of the default branch."""

    name: str
    commit: str
    path: str
    """Of its file, from the root of the repository."""
    text: str | None
    """None: there is no such file yet."""
    state: EnvironmentFile
    rules: Environment
    where: Where
    config: Config
    """The settings at that commit."""


def truth(project: Project) -> str:
    """The commit of the default branch that says what runs: of the remote's as it was fetched and the one here, the
    later; UsageError where there is none, or where each has what the other lacks.
    """
    repository = project.repository
    branch = default_branch(project)
    here, there = (repository.find(f"refs/{where}/{branch}") for where in ("heads", "remotes/origin"))
    if here and there and here != there:
        if repository.is_ancestor(here, there):
            return there
        if repository.is_ancestor(there, here):
            return here
        told = f"{branch} here and on the remote have each what the other lacks"
        raise UsageError(told, f"Bring them together first: git pull --rebase origin {branch}")
    found = here or there
    if found is None:
        raise UsageError(f"{branch} has no commit yet", "Commit the project first.")
    return found


def default_branch(project: Project) -> str:
    """UsageError where nobody can tell."""
    branch = project.repository.default_branch()
    if branch is None:
        raise UsageError("there is no default branch here", "Check one out: git switch main")
    return branch


def site(project: Project, name: str, commit: str) -> Site:
    """UsageError for a name that mlops.yaml does not have at that commit; ConfigError for files that cannot be read."""
    config = settings_at(project, commit)
    if name not in config.environments:
        known = ", ".join(config.environments) or "none"
        advice = f"mlops.yaml at {commit[:7]} has: {known}. Write `environments: {{{name}: {{}}}}` and commit it."
        raise UsageError(f"there is no environment {name}", advice)
    path = project.path(environment_file.path(name))
    found = text(project.repository, commit, path)
    return Site(
        name=name,
        commit=commit,
        path=path,
        text=found,
        state=_state(found, path),
        rules=config.environments[name],
        where=config.where(f"environments.{name}"),
        config=config,
    )


def settings_at(project: Project, commit: str) -> Config:
    """UsageError where the commit has none."""
    data = project.repository.show(commit, project.path(SETTINGS))
    if data is None:
        raise UsageError(f"{project.path(SETTINGS)} is not in {commit[:7]}", "Commit it to the default branch first.")
    return load.parse(yaml.decode(data, file=SETTINGS), file=SETTINGS)


def stays(project: Project, name: str, commit: str) -> tuple[Stay, ...]:
    """What the environment ran up to a commit, the present one first.

    Times are the committer's along the first parents, and never run backwards: a commit is no older than what it
    stands on, whatever its date says.
    """
    found: list[Stay] = []
    for change, state in states(project, name, commit):
        if state is None or state.runs is None:
            continue
        if found and found[-1].runs == state.runs and found[-1].decision == state.decision:
            continue
        if found:
            found[-1] = msgspec.structs.replace(found[-1], until=change.time)
        found.append(
            Stay(runs=state.runs, decision=state.decision, since=change.time, commit=change.commit, by=change.author)
        )
    return tuple(reversed(found))


def texts(project: Project, name: str, commit: str) -> tuple[str, ...]:
    """The file of an environment as it ever was up to a commit and can be read, the present one first."""
    repository, path = project.repository, project.path(environment_file.path(name))
    changes = _changes(repository, commit, path)
    there = [one.commit for one in reversed(changes) if readable(repository, one.commit, path) is not None]
    return tuple(found for each in there if (found := text(repository, each, path)) is not None)


def standing(project: Project) -> tuple[Standing, ...]:
    """Every environment as it stands on the default branch."""
    commit = truth(project)
    return tuple(standing_of(project, name, commit) for name in settings_at(project, commit).environments)


def standing_of(project: Project, name: str, commit: str) -> Standing:
    """One environment as it stands at a commit."""
    state = site(project, name, commit).state
    runs = state.runs
    stay = next(iter(stays(project, name, commit)), None) if runs else None
    return Standing(
        name=name,
        release=runs.release if runs else None,
        digest=runs.bundle if runs else None,
        image=(runs.image or None) if runs else None,
        since=stay.since if stay else None,
        decision=state.decision or None,
        by=stay.by if stay else None,
        quarantine=state.quarantine,
    )


class Change(NamedTuple):
    """A commit that changed an environment's file."""

    commit: str
    time: str
    """ISO 8601 UTC."""
    author: str
    blob: str
    """What it left; empty: the file is gone."""


def states(project: Project, name: str, commit: str) -> Iterator[tuple[Change, EnvironmentFile | None]]:
    """The file after each commit that changed it, the first first; None where it could not be read then."""
    path = project.path(environment_file.path(name))
    changes = _changes(project.repository, commit, path)
    there = [(change.commit, change.blob) for change in changes if change.blob]
    read = dict(zip((one for one, _ in there), _contents(project.repository, [blob for _, blob in there]), strict=True))
    for change in changes:
        yield change, _readable(read.get(change.commit), path)


def _changes(repository: Repository, commit: str, path: str) -> list[Change]:
    """The commits that changed the file, the first first."""
    blobs = _blobs(repository, commit, path)
    if not blobs:
        return []
    out = repository.run("log", "--first-parent", "-z", "--format=%H%x1f%ct%x1f%an", commit)
    rows = [row.split("\x1f", 2) for row in out.decode("utf-8", "replace").split("\0") if row]
    latest, found = 0, []
    for sha, seconds, author in reversed(rows):
        latest = max(latest, int(seconds))
        if sha in blobs:
            found.append(Change(sha, text_of(latest), author, blobs[sha]))
    return found


def _blobs(repository: Repository, commit: str, path: str) -> dict[str, str]:
    """Commit that changed the file -> what it left there, empty where that is nothing that could be read."""
    options = ("--first-parent", "-m", "--raw", "-z", "--no-abbrev", "--no-renames", "--format=tformat:%H")
    out = repository.run("log", *options, commit, "--", path).decode("utf-8", "replace")
    found, sha = {}, ""
    for field in (one.lstrip("\n") for one in out.split("\0")):
        if field.startswith(":"):
            _, mode, _, blob, _ = field.split(" ")
            found[sha] = blob if mode.startswith("100") else ""
        elif len(field) in (40, 64) and not field.strip("0123456789abcdef"):
            sha = field
    return found


def _contents(repository: Repository, blobs: list[str]) -> list[bytes]:
    return [content.read(size) for size, content in repository.blobs(blobs)]


def text_of(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def readable(repository: Repository, commit: str, path: str) -> EnvironmentFile | None:
    """An environment's file at a commit; None where it was something else: then nothing ran by it."""
    return _readable(repository.show(commit, path), path)


def _readable(data: bytes | None, path: str) -> EnvironmentFile | None:
    """None where the file could not be used: then nothing ran by it. Where it is gone, nothing runs."""
    try:
        return _state(None if data is None else yaml.decode(data, file=path), path)
    except ConfigError:
        return None


def text(repository: Repository, commit: str, path: str) -> str | None:
    """A file at a commit; None where there is none. ConfigError where it is no text."""
    data = repository.show(commit, path)
    return None if data is None else yaml.decode(data, file=path)


def _state(found: str | None, path: str) -> EnvironmentFile:
    return environment_file.parse(found or "", file=path)
