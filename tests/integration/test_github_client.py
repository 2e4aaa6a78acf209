"""The client against a GitHub with state, whose requests and answers are held to GitHub's own description."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_ci.edge.github.access import from_environment
from mlops_ci.edge.github.client import GitHub
from mlops_ci.edge.github.errors import GitHubError
from mlops_ci.edge.github.transport import Transport
from tests.github.fake import FakeGitHub
from tests.github.state import Artifact, Branch, Pull, Review, Run

SHA = "a" * 40
WORKFLOW = """\
name: mlops record
on: workflow_run
permissions: {}
jobs:
  post:
    permissions:
      actions: read
      contents: read
      pull-requests: write
      statuses: write
  judge:
    permissions:
      actions: read
"""


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def __call__(self) -> float:
        return 1_800_000_000 + sum(self.slept)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    (tmp_path / "mlops-record.yml").write_text(WORKFLOW, encoding="utf-8")
    with FakeGitHub(tmp_path) as github:
        github.state.pulls[7] = Pull(number=7, head_ref="feature", head_sha=SHA)
        yield github


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client(
    fake: FakeGitHub, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, job: str = "post", token: str = "job-token"
) -> GitHub:
    for name, value in fake.environment("mlops-record.yml", job, token=token).items():
        monkeypatch.setenv(name, value)
    access = from_environment()
    return GitHub(access, Transport(access, sleep=clock.sleep, clock=clock, now=clock))


@pytest.fixture
def github(fake: FakeGitHub, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    return client(fake, clock, monkeypatch)


def test_everything_a_job_reads(fake: FakeGitHub, github: GitHub) -> None:
    fake.state.runs[5] = Run(id=5, head_sha=SHA, head_repository=None)
    fake.state.artifacts[6] = Artifact(id=6, run=5, name="mlops-run", content=b"zip")
    fake.state.branches["main"] = Branch(sha=SHA, protected=True, contexts=["mlops / gate"])
    fake.state.reviews.append(Review(id=3, number=7, login="bob", state="APPROVED", commit_id=SHA))
    fake.state.permissions["bob"] = "write"
    assert github.run(5).repository is None
    assert [run.id for run in github.runs(head_sha=SHA, workflow="mlops-check.yml")] == [5]
    assert [each.name for each in github.artifacts(5)] == ["mlops-run"]
    assert github.pull(7).head.sha == SHA
    assert [pull.number for pull in github.pulls_of(SHA)] == [7]
    assert [pull.number for pull in github.pulls(head="feature", base="main")] == [7]
    assert [(review.login, review.state) for review in github.reviews(7)] == [("bob", "APPROVED")]
    assert github.permission("bob") == "write"
    assert github.branch("main").required_contexts == ("mlops / gate",)
    assert github.repository_facts().default_branch == "main"


def test_a_comment_is_made_changed_and_removed(fake: FakeGitHub, github: GitHub) -> None:
    made = github.create_comment(7, "one")
    github.update_comment(made.id, "two")
    assert [(each.body, each.login) for each in github.comments(7)] == [("two", "github-actions[bot]")]
    github.delete_comment(made.id)
    assert fake.state.comments == {}


def test_a_status_is_set(fake: FakeGitHub, github: GitHub) -> None:
    github.set_status(SHA, "success", context="mlops / gate", description="passed", target_url="https://example.org")
    [status] = github.statuses(SHA)
    assert (status.state, status.context, status.login) == ("success", "mlops / gate", "github-actions[bot]")


def test_an_artifact_arrives_whole_and_its_host_sees_no_token(fake: FakeGitHub, github: GitHub, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("decision.json", "{}")
    fake.state.runs[5] = Run(id=5, head_sha=SHA)
    fake.state.artifacts[6] = Artifact(id=6, run=5, name="mlops-run", content=packed.getvalue())
    [artifact] = github.artifacts(5)
    github.download(artifact, tmp_path / "run.zip", limit=1_000)
    assert (tmp_path / "run.zip").read_bytes() == packed.getvalue()
    [fetched] = fake.asked("GET", "storage/.*")
    assert "authorization" not in fetched.headers


def test_a_missing_permission_is_named(fake: FakeGitHub, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GitHubError) as error:
        client(fake, clock, monkeypatch, job="judge").create_comment(7, "one")
    assert error.value.status == 403
    assert error.value.needed == "`issues: write` or `pull-requests: write`"
