"""May jobs reach the store where `evidence: {rows: store}` keeps rows? What a registry or a bucket asks is by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_ci.config import yaml
from mlops_ci.records.stores import store_place
from mlops_ci.steps.health import missing, ok
from mlops_ci.steps.project_files import read_text
from mlops_ci.workflows.generate import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.records.stores import StorePlace
    from mlops_ci.steps.health import Finding
    from mlops_ci.steps.project import Project

_GITHUB = "ghcr.io"
_ASKED = (
    ("mlops-record.yml", "judge", "read"),
    ("mlops-record.yml", "record", "write"),
    ("mlops-release.yml", "rescore", "read"),
    ("mlops-release.yml", "release", "write"),
)
"""Workflow, job, and what it does with rows (docs/store.md)."""
_CREDENTIALS = {"oci": ("docker login", "docker/login-action", "DOCKER_CONFIG"), "s3": ("AWS_", "aws-actions/")}
"""Words of which a job that was given credentials has one."""


def rows(project: Project) -> Iterator[Finding]:
    """Nothing is said where rows lie elsewhere; of a workflow that is not there, another look does."""
    place = store_place(project.config.store)
    if project.config.evidence.rows != "store" or place is None or place.kind not in _CREDENTIALS:
        return
    lacking = [
        f"{job} of {name} {'packages: ' + level if place.host == _GITHUB else f'credentials to {level}'}"
        for name, job, level in _ASKED
        if (found := _job(project, name, job)) is not None and not _may(found, place, level)
    ]
    if lacking:
        mend = "Add the lines that docs/store.md shows under: Rows of every decision."
        yield missing("rows", f"are in {project.config.store}, and jobs lack: {', '.join(lacking)}", mend)
    else:
        yield ok("rows", f"in {project.config.store}, which jobs are let into")


def _job(project: Project, name: str, job: str) -> dict[str, Any] | None:
    path = f"{FOLDER}/{name}"
    text = read_text(project.repository.root / path)
    written = yaml.load(text, file=path).value if text else None
    jobs = written.get("jobs") if isinstance(written, dict) else None
    found = jobs.get(job) if isinstance(jobs, dict) else None
    return found if isinstance(found, dict) else None


def _may(job: dict[str, Any], place: StorePlace, level: str) -> bool:
    if place.host == _GITHUB:
        permissions = job.get("permissions")
        return isinstance(permissions, dict) and permissions.get("packages") in (level, "write")
    return any(word in str(job) for word in _CREDENTIALS[place.kind])
