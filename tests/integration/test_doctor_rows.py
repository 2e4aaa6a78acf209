"""Rows in a registry or a bucket: `doctor` names the jobs that are not let in, until they have the page's lines."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mlops_ci.steps import generated, health_of_rows
from mlops_ci.steps.health import Condition
from mlops_ci.steps.project import open_project
from tests import helpers
from tests.integration.test_releases import SETTINGS

DOCS = Path(__file__).parents[2] / "docs" / "store.md"
GHCR, OTHER, BUCKET = "oci://ghcr.io/acme/models", "oci://registry.example.org/acme/models", "s3://acme-models/flights"


def project(folder: Path, store: str) -> Path:
    settings = f"{SETTINGS}store: {store}\nevidence: {{rows: store}}\n"
    root = helpers.repo(folder / "p", {"mlops.yaml": settings, ".mlops-ci/tool.lock": "x --hash=sha256:0\n"})
    repository = open_project(root).repository
    generated.update(generated.look(repository), root=root, repository=repository)
    return root


def found(root: Path) -> list[tuple[Condition, str]]:
    return [(one.condition, one.found) for one in health_of_rows.rows(open_project(root))]


def edited(root: Path, name: str, job: str, shown: str) -> None:
    """A job with a piece of the page: a step, or keys of its permissions or of its last step."""
    path = root / ".github/workflows" / name
    written = yaml.safe_load(path.read_text())
    piece, last = yaml.safe_load(shown), written["jobs"][job]["steps"][-1]
    if isinstance(piece, list):
        written["jobs"][job]["steps"][-1:] = [*piece, last]
    elif "packages" in piece:
        written["jobs"][job]["permissions"] |= piece
    else:
        last["env"] = {**last.get("env", {}), **piece}
    path.write_text(yaml.safe_dump(written, sort_keys=False))


def shown(start: str) -> list[str]:
    """The block of the page that begins so, comment by comment."""
    (block,) = [each for each in DOCS.read_text().split("```yaml\n") if each.startswith(start)]
    return [part.partition("\n")[2] if start.startswith("#") else part for part in _parts(block.partition("```")[0])]


def _parts(block: str) -> list[str]:
    return [part for part in block.split("# mlops-") if part.strip()] if block.startswith("#") else [block]


ALL = [("mlops-record.yml", "judge"), ("mlops-record.yml", "record"), ("mlops-release.yml", "rescore")]
WRITES = ("mlops-release.yml", "release")


@pytest.mark.parametrize(
    ("store", "start", "jobs", "first"),
    [
        (GHCR, "# mlops-record.yml", ALL, "judge of mlops-record.yml packages: read"),
        (OTHER, "      - name: Log in", [*ALL, WRITES], "judge of mlops-record.yml credentials to read"),
        (BUCKET, "          AWS_REGION", [*ALL, WRITES], "judge of mlops-record.yml credentials to read"),
    ],
    ids=["ghcr", "another registry", "bucket"],
)
def test_the_lines_of_the_page_are_what_is_lacking(
    tmp_path: Path, store: str, start: str, jobs: list[tuple[str, str]], first: str
) -> None:
    root, lines = project(tmp_path, store), shown(start)
    ((condition, said),) = found(root)
    assert (condition, said.count(" of mlops-")) == (Condition.MISSING, len(jobs))
    assert first in said
    for at, (name, job) in enumerate(jobs):
        ((condition, said),) = found(root)
        assert (condition, f"{job} of {name}" in said) == (Condition.MISSING, True)
        edited(root, name, job, lines[at % len(lines)])
    assert found(root) == [(Condition.OK, f"in {store}, which jobs are let into")]


def test_who_may_read_may_not_write(tmp_path: Path) -> None:
    root = project(tmp_path, GHCR)
    for name, job in ALL:
        edited(root, name, job, "packages: read")
    ((condition, said),) = found(root)
    assert (condition, said) == (
        Condition.MISSING,
        f"are in {GHCR}, and jobs lack: record of mlops-record.yml packages: write",
    )


@pytest.mark.parametrize("store", ["github-release", ".mlops-ci/store"])
def test_where_nothing_is_lacking_nothing_is_said(tmp_path: Path, store: str) -> None:
    assert found(project(tmp_path, store)) == []
