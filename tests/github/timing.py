"""How long the steps of jobs took: by the clock, as act tells it, and of the processor, as each step's shell does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_INSTALLS = re.compile(r"\buv pip sync\b|STANDIN_CACHE_PROGRAM")
_CACHES = re.compile(r"actions/cache(/\w+)?@|/setup-uv@")
TOLD_AT_THE_END = """
# Read by every bash that runs a step (BASH_ENV). A subshell would count from zero, so `times` writes into a file.
trap 'times > "$STANDIN_TIMES.one" && { tr "\\n" " " < "$STANDIN_TIMES.one"; tr "\\n" " " < "$0"; echo; } \
  >> "$STANDIN_TIMES"' EXIT
"""


class Seconds(NamedTuple):
    """Of all jobs together. `installs`: to install, to restore from a cache and to keep; `work`: everything else."""

    work: float
    installs: float


def clock(log: str, workflows: Path) -> Seconds:
    """Of the main steps in the log of one or more runs of act, written as JSON."""
    installs = _names(workflows)
    took: dict[tuple[Any, Any], float] = {}
    for told in map(_decoded, log.splitlines()):
        if told.get("stage") == "Main" and "executionTime" in told:
            step = (told["jobID"], told["step"])  # a step that uses an action is told twice
            took[step] = told["executionTime"] / 1e9
    apart = sum(value for (_, name), value in took.items() if name in installs)
    return Seconds(sum(took.values()) - apart, apart)


def processor(times: str) -> Seconds:
    """Of all processes of the steps; `times`: what TOLD_AT_THE_END wrote, a line a step."""
    work = apart = 0.0
    for line in times.splitlines():
        *counted, script = line.split(" ", 4)  # of the shell and of its children, user and system
        took = sum(float(minutes) * 60 + float(rest) for minutes, rest in (each[:-1].split("m") for each in counted))
        if _INSTALLS.search(script):
            apart += took
        else:
            work += took
    return Seconds(work, apart)


def sum_of(parts: Iterable[Seconds]) -> Seconds:
    found = [*parts]
    return Seconds(sum(part.work for part in found), sum(part.installs for part in found))


def _names(workflows: Path) -> set[str]:
    """Names of the steps that install, restore or keep."""
    jobs = [job for path in workflows.glob("*.yml") for job in yaml.safe_load(path.read_text())["jobs"].values()]
    return {
        step["name"]
        for job in jobs
        for step in job["steps"]
        if _CACHES.search(step.get("uses", "")) or _INSTALLS.search(step.get("run", ""))
    }


def _decoded(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
