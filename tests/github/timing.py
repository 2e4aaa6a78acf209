"""How long the steps of jobs took, from what act tells of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.github import commands


class Seconds(NamedTuple):
    """Of all jobs together. `ours`: commands of mlops-ci; `around`: to check out, install, restore and keep."""

    ours: float
    around: float


def seconds(log: str, workflows: Path) -> Seconds:
    """Of the main steps in the log of one or more runs of act, written as JSON."""
    known = _names(workflows)
    took: dict[tuple[Any, Any], float] = {}
    for told in map(_decoded, log.splitlines()):
        if told.get("stage") == "Main" and "executionTime" in told:
            step = (told["jobID"], told["step"])  # a step that uses an action is told twice
            took[step] = told["executionTime"] / 1e9
    ours = sum(value for (_, name), value in took.items() if name in known)
    return Seconds(ours, sum(took.values()) - ours)


def sum_of(parts: Iterable[Seconds]) -> Seconds:
    found = [*parts]
    return Seconds(sum(part.ours for part in found), sum(part.around for part in found))


def _names(workflows: Path) -> set[str]:
    """Names of the steps that are a command of mlops-ci."""
    jobs = [job for path in workflows.glob("*.yml") for job in yaml.safe_load(path.read_text())["jobs"].values()]
    return {step["name"] for job in jobs for step in job["steps"] if commands.words(step)}


def _decoded(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
