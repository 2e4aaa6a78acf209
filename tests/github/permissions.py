"""Which job calls, and what its `permissions:` grant: read from the workflow files under test.

The job names itself in the User-Agent, `mlops-ci/1.2.3 (WORKFLOW; JOB)`, as nothing else does. GitHub knows it by the
token; a test cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import yaml

_CALLER = re.compile(r"\((?P<workflow>[^;()]*); (?P<job>[^;()]*)\)")
_IN_A_REF = re.compile(r"(?:^|/)\.github/workflows/(?P<file>[^/@]+)(?:@|$)")
_ALL = (
    *("actions", "attestations", "checks", "contents", "deployments", "discussions", "issues", "models"),
    *("packages", "pages", "pull_requests", "security_events", "statuses"),
)
_LEVELS = {"none": 0, "read": 1, "write": 2}


class Job(NamedTuple):
    """A job of a workflow file."""

    file: str
    name: str


def caller(user_agent: str, workflows: Path) -> Job | None:
    """The job a User-Agent names, or None where there is no such job."""
    found = _CALLER.search(user_agent)
    if found is None:
        return None
    workflow, job = unquote(found["workflow"]), unquote(found["job"])
    in_ref = _IN_A_REF.search(workflow)
    for path in sorted([*workflows.glob("*.yml"), *workflows.glob("*.yaml")]):
        written = _read(path)
        same = path.name == in_ref["file"] if in_ref else workflow in (written.get("name"), path.name)
        if same and job in written["jobs"]:
            return Job(path.name, job)
    return None


def granted(job: Job, workflows: Path, *, default: str, is_fork: bool) -> Mapping[str, str]:
    """Permission -> read or write, as the job's token has them. `default`: the repository's setting, read or write.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
    """
    written = _read(workflows / job.file)
    asked = written["jobs"][job.name].get("permissions", written.get("permissions", "unset"))
    if asked == "unset":
        asked = "write-all" if default == "write" else {"contents": "read", "packages": "read"}
    if isinstance(asked, str):
        asked = dict.fromkeys(_ALL, asked.removesuffix("-all"))
    levels = {str(name).replace("-", "_"): str(level) for name, level in (asked or {}).items()}
    if is_fork:
        levels = {name: "read" if level == "write" else level for name, level in levels.items()}
    return {**levels, "metadata": "read"}


def allows(levels: Mapping[str, str], needs: tuple[str, ...]) -> bool:
    """Whether one of `needs` (`issues=write`) is granted."""
    wanted = [need.partition("=") for need in needs]
    return any(_LEVELS[levels.get(name, "none")] >= _LEVELS[level] for name, _, level in wanted)


@contextmanager
def lowered(file: Path, job: str, name: str, level: str | None) -> Iterator[None]:
    """A workflow whose job asks for less while the block runs: `level` instead of what it asks for, None nothing."""
    before = file.read_text(encoding="utf-8")
    written = _read(file)
    asked = written["jobs"][job]["permissions"]
    if level:
        asked[name] = level
    else:
        del asked[name]
    file.write_text(yaml.safe_dump(written), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(before, encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    """A workflow file. The key `on` is read as true by YAML 1.1, which does not matter here."""
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(written, dict), path
    return written
