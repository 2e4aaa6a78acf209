"""The text of the generated workflows, one set for all projects of the repository: the same on every machine."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

from mlops_ci.errors import ConfigError
from mlops_ci.render import render
from mlops_ci.workflows.pins import PINS

FOLDER = ".github/workflows"
_NAMES = ("mlops-check", "mlops-record", "mlops-release", "mlops-upgrade")
_PATH = re.compile(r"(?!-)[A-Za-z0-9._-]+(/(?!-)[A-Za-z0-9._-]+)*")
_BRANCH = re.compile(r"(?!-)[A-Za-z0-9._/-]{1,200}")
_SETUP_MINUTES = 15


class ProjectInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What one project asks of the workflows. `folder`: of the project in the repository, posix, empty at its root."""

    name: str
    folder: str
    labels: tuple[str, ...]
    timeout: int
    """Seconds."""
    secrets: tuple[str, ...] = ()
    pushes: tuple[str, ...] = ()
    """Where a release pushes to: the repository of its image, and its store."""
    signs: bool = False
    """Whether a release has to be signed."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What the workflows are made from. `projects`: at least one; their order does not matter."""

    version: str
    default_branch: str
    projects: tuple[ProjectInputs, ...]


def generate(inputs: Inputs) -> dict[str, str]:
    """Path in the repository -> text. ConfigError for a folder or branch whose name cannot stand in a workflow."""
    _plain(inputs.default_branch, _BRANCH, "the default branch")
    for project in inputs.projects:
        _plain(project.folder or "root", _PATH, "the project's folder")
    values = settings(inputs)
    values |= {
        "version": inputs.version,
        "default_branch": json.dumps(inputs.default_branch),
        "labels": _runner(values["labels"]),
        "pins": {name: str(pin) for name, pin in PINS.items()},
    }
    return {f"{FOLDER}/{name}.yml": render(f"workflows/{name}.yml", **values) for name in _NAMES}


def settings(inputs: Inputs) -> dict[str, Any]:
    """What of the projects' settings the texts are made from, as JSON holds it."""
    projects = inputs.projects
    labels = {project.labels for project in projects}
    return {
        "default_branch": inputs.default_branch,
        "several": len(projects) > 1,
        # Where projects ask for different runners, each job of the matrix names its own.
        "labels": list(*labels) if len(labels) == 1 else "${{ matrix.labels }}",
        # A check sets up, trains, predicts and tests, each with the limit of its own.
        "minutes": 4 * math.ceil(max(project.timeout for project in projects) / 60) + _SETUP_MINUTES,
        # GitHub's own registry takes the token of the job; another one has a login of its own.
        "packages": any(
            place.startswith(("ghcr.io/", "oci://ghcr.io/")) for project in projects for place in project.pushes
        ),
        "signs": any(project.signs for project in projects),
        "secrets": sorted({name for project in projects for name in project.secrets}),
    }


def _runner(labels: str | list[str]) -> str:
    """The labels as YAML."""
    if isinstance(labels, str):
        return labels
    meant = " # zizmor: ignore[self-hosted-runner] named in mlops.yaml" if "self-hosted" in labels else ""
    return json.dumps(labels[0] if len(labels) == 1 else labels) + meant


def _plain(text: str, allowed: re.Pattern[str], what: str) -> None:
    if not allowed.fullmatch(text) or ".." in text:
        raise ConfigError(
            f"{what} is named {text!r}, which cannot stand in a workflow",
            "Allowed: letters, digits, `.`, `_`, `-`, and `/` between them.",
        )
