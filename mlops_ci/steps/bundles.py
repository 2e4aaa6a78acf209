"""Which bundle is meant: a release by its number, a digest, or a folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.errors import UsageError
from mlops_ci.steps import signatures
from mlops_ci.steps.project import Project, open_project
from mlops_ci.steps.releases import releases
from mlops_ci.steps.stores import find
from mlops_ci.steps.tombstones import tombstone

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBER = re.compile(r"(?:([a-z0-9][a-z0-9-]*)/)?v([1-9]\d{0,8})")
_MANIFEST = "manifest.json"


class FoundBundle(NamedTuple):
    """The folder of a bundle, and of which release it is, `v3`; empty for a folder that was named itself."""

    folder: Path
    release: str


def find_bundle(start: Path, asked: str, say: Callable[[str], None], *, keep_link: bool = False) -> FoundBundle:
    """UsageError where there is none. asked: `v3`, `churn/v3`, or a folder; "" is the newest release.

    One that lies in a store elsewhere is fetched; `say`: that this is done. keep_link: a folder stays the link it was
    named by, for whom it matters where that points later.
    """
    folder = start / asked
    if asked and (folder / _MANIFEST).is_file():
        return FoundBundle(folder.absolute() if keep_link else folder.resolve(), "")
    match = _NUMBER.fullmatch(asked)
    if asked and match is None:
        raise UsageError(f"{asked} is no bundle", "Name a release such as v3, or a folder that holds a manifest.json.")
    project = open_project(start)
    name = (match and match[1]) or project.config.project
    return _of_release(project, name, int(match[2]) if match else 0, say)


def _of_release(project: Project, name: str, number: int, say: Callable[[str], None]) -> FoundBundle:
    known = releases(project.repository, name)
    if not known:
        raise UsageError(f"{name} has no release yet", "Make one: mlops-ci release")
    wanted = number or max(known)
    if wanted not in known:
        raise UsageError(f"{name} has no release v{wanted}", f"It has v{min(known)} to v{max(known)}.")
    digest = known[wanted].bundle
    folder = find(project, digest, say)
    if folder is None:
        if erased := tombstone(project.repository, digest):
            raise UsageError(
                f"the bundle of v{wanted} was erased from {erased.store} on {erased.time[:10]}: {erased.reason}",
                f"The same commit gives it again: git checkout {known[wanted].commit[:12]}, then mlops-ci release",
            )
        raise UsageError(
            f"the bundle of v{wanted} is not in the store",
            f"Look for {digest[:12]} where it was made, or release again. What a workflow released while no `store` is "
            "named, is fetched from GitHub where GH_TOKEN is set.",
        )
    if known[wanted].imported:
        advice = f"Serve it with MLflow: mlflow models serve -m {folder}"
        raise UsageError(f"v{wanted} was imported: it is a model of MLflow, without our runtime", advice)
    if signature := known[wanted].signature:
        signatures.lay(project, folder, signature, say)
    return FoundBundle(folder, f"v{wanted}")
