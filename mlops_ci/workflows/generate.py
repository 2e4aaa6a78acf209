"""The text of every generated workflow, from the settings alone: the same on every machine."""

from __future__ import annotations

import json
import math
import re

import msgspec

from mlops_ci.errors import ConfigError
from mlops_ci.render import render
from mlops_ci.workflows.pins import PINS

_FOLDER = re.compile(r"(?!-)[A-Za-z0-9._-]+(/(?!-)[A-Za-z0-9._-]+)*")
_BRANCH = re.compile(r"(?!-)[A-Za-z0-9._/-]{1,200}")
_SETUP_MINUTES = 15


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What the workflows are made from. `folder`: of the project in the repository, posix, empty at its root."""

    version: str
    project: str
    folder: str
    default_branch: str
    labels: tuple[str, ...]
    timeout: int
    """Seconds."""


def generate(inputs: Inputs) -> dict[str, str]:
    """Path in the repository -> text. ConfigError for a folder or branch whose name cannot stand in a workflow."""
    _plain(inputs.folder or "root", _FOLDER, "the project's folder")
    _plain(inputs.default_branch, _BRANCH, "the default branch")
    suffix = f"-{inputs.project}" if inputs.folder else ""
    values: dict[str, object] = {
        "version": inputs.version,
        "suffix": suffix,
        "title": f" ({inputs.project})" if inputs.folder else "",
        "folder": json.dumps(inputs.folder or "."),
        "default_branch": json.dumps(inputs.default_branch),
        "labels": json.dumps(inputs.labels[0] if len(inputs.labels) == 1 else list(inputs.labels)),
        # A check trains, predicts and tests, each with the limit of its own.
        "minutes": 3 * math.ceil(inputs.timeout / 60) + _SETUP_MINUTES,
        "pins": {name: str(pin) for name, pin in PINS.items()},
    }
    return {
        f".github/workflows/mlops-{name}{suffix}.yml": render(f"workflows/mlops-{name}.yml", **values)
        for name in ("check", "record")
    }


def _plain(text: str, allowed: re.Pattern[str], what: str) -> None:
    if not allowed.fullmatch(text) or ".." in text:
        raise ConfigError(
            f"{what} is named {text!r}, which cannot stand in a workflow",
            "Allowed: letters, digits, `.`, `_`, `-`, and `/` between them.",
        )
