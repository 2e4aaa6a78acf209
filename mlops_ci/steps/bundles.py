"""Which bundle is meant: a release by its number, a digest, or a folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from mlops_ci.edge import store
from mlops_ci.errors import UsageError
from mlops_ci.steps.project import Project, open_project
from mlops_ci.steps.releases import releases

_NUMBER = re.compile(r"(?:([a-z0-9][a-z0-9-]*)/)?v([1-9]\d{0,8})")
_MANIFEST = "manifest.json"


class FoundBundle(NamedTuple):
    """The folder of a bundle, and of which release it is, `v3`; empty for a folder that was named itself."""

    folder: Path
    release: str


def find_bundle(start: Path, asked: str) -> FoundBundle:
    """UsageError where there is none. asked: `v3`, `churn/v3`, or a folder; "" is the newest release."""
    folder = start / asked
    if asked and (folder / _MANIFEST).is_file():
        return FoundBundle(folder.resolve(), "")
    match = _NUMBER.fullmatch(asked)
    if asked and match is None:
        raise UsageError(f"{asked} is no bundle", "Name a release such as v3, or a folder that holds a manifest.json.")
    project = open_project(start)
    return _of_release(project, match[1] or project.config.project if match else "", int(match[2]) if match else 0)


def _of_release(project: Project, name: str, number: int) -> FoundBundle:
    name = name or project.config.project
    known = releases(project.repository, name)
    if not known:
        raise UsageError(f"{name} has no release yet", "Make one: mlops-ci release")
    wanted = number or max(known)
    if wanted not in known:
        raise UsageError(f"{name} has no release v{wanted}", f"It has v{min(known)} to v{max(known)}.")
    digest = known[wanted].bundle
    folder = store.place(project.root / project.config.store, digest)
    if not folder.is_dir():
        raise UsageError(
            f"the bundle of v{wanted} is not in the store",
            f"Look for {digest[:12]} where it was made, or release again.",
        )
    if problem := store.damage(folder, digest):
        raise UsageError(f"the bundle of v{wanted} was changed: {problem}", f"Remove {folder} and release again.")
    return FoundBundle(folder, f"v{wanted}")
