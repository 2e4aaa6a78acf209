"""Which releases environments run, or ran last: what their files in git say, now and before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_ci.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.steps.project import Project

_FOLDER = "environments"
_NAMED = re.compile(rb"\b(?:v[1-9]\d{0,8}|[0-9a-f]{64})\b")
"""A release or a digest, wherever it stands: what is named there for any reason is better kept."""


def deployed(project: Project) -> dict[str, tuple[str, ...]]:
    """Release (`v3`) or digest -> the environments whose file names it now, or named it before it was last changed.

    UsageError where the history that says what ran last was cut off.
    """
    found: dict[str, list[str]] = {}
    paths = [path for path in _files(project) if path.endswith((".yaml", ".yml"))]
    if paths and project.repository.is_shallow():
        raise UsageError("the history of environments/ is cut off here", "Fetch all of it: git fetch --unshallow")
    for path in paths:
        name = path.rpartition("/")[2].rpartition(".")[0]
        for named in _last_two(project, path):
            for each in named:
                found.setdefault(each, [])
                found[each] += [name] if name not in found[each] else []
    return {each: tuple(names) for each, names in found.items()}


def _files(project: Project) -> list[str]:
    """Those that are there, and those that were: an environment that is gone ran something too."""
    repository, folder = project.repository, project.path(_FOLDER)
    there = {f"{folder}/{path.name}" for path in (project.root / _FOLDER).glob("*") if path.is_file()}
    out = repository.run("log", "--all", "--format=", "--name-only", "-z", "--", folder) if repository.head() else b""
    were = {path.strip(b"\n").decode("utf-8", "surrogateescape") for path in out.split(b"\0")}
    return sorted((there | were) - {""})


def _last_two(project: Project, path: str) -> Iterator[frozenset[str]]:
    """What a file names now, here and on every branch, and what it named before that was changed."""
    here = project.repository.root / path
    seen = [_named(here.read_bytes())] if here.is_file() else []
    yield from seen
    for head in _heads(project):
        last: list[frozenset[str]] = []
        for commit in project.repository.run("log", "--format=%H", head, "--", path).decode().split():
            named = _named(project.repository.show(commit, path) or b"")
            if named and named not in last:
                last.append(named)
                yield named
            if len(last) == 2:
                break


def _heads(project: Project) -> list[str]:
    """Of the branches an environment can be read from: what is checked out, and the default branch, here and there."""
    repository, default = project.repository, project.repository.default_branch()
    names = ["HEAD", *([f"refs/heads/{default}", f"refs/remotes/origin/{default}"] if default else [])]
    return list(dict.fromkeys(commit for name in names if (commit := repository.find(name))))


def _named(content: bytes) -> frozenset[str]:
    return frozenset(each.decode() for each in _NAMED.findall(content))
