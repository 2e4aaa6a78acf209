"""What is asked of GitHub about a run: which commit and pull request it is about, and what it left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import archives, files, remote
from mlops_ci.edge.github import access
from mlops_ci.edge.github.client import GitHub
from mlops_ci.edge.github.values import Artifact, PullRequest
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.records.decisions import Trust
from mlops_ci.steps import stores
from mlops_ci.steps.ci_job import RUNS

if TYPE_CHECKING:
    from mlops_ci.edge.actions import Job, Run
    from mlops_ci.edge.git import Repository

CHECK = "mlops-check.yml"
_LARGEST_ARTIFACT = 256 * 1024 * 1024
_LARGEST_UNPACKED = 512 * 1024 * 1024
_LARGEST_BUNDLE = 2 * 1024 * 1024 * 1024
_MOST_FILES = 2_000


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The commit a run was about, as GitHub says it: nothing of this comes from the run itself."""

    commit: str
    trust: Trust
    pull: PullRequest | None
    branch: str
    """The default branch, whose rules decide wherever the commit is to be merged: a status holds for the commit."""
    queued: bool
    """It was made by the merge queue, on top of the branch as it was then."""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence a run left: an artifact a project."""

    hub: GitHub
    artifacts: dict[str, Artifact]
    largest: int = _LARGEST_ARTIFACT
    """Bytes of one, packed."""
    unpacked: int = _LARGEST_UNPACKED
    most_files: int = _MOST_FILES
    maker: str = "mlops-ci check"
    """The command that leaves it."""
    again: str = "Run the check again."

    def take(self, project: str, into: Path) -> bool:
        """Fetch and unpack that of a project into an empty folder; False where there is none.

        UsageError or OutsideError says what was wrong with it.
        """
        artifact = self.artifacts.get(project)
        if artifact is None:
            return False
        with files.temporary() as folder:
            archive = folder / "artifact.zip"
            self.hub.download(artifact, archive, limit=self.largest)
            try:
                archives.unpack(archive, into, most_bytes=self.unpacked, most_files=self.most_files)
            except archives.ArchiveError as error:
                raise UsageError(f"the artifact is not what `{self.maker}` leaves: {error}", self.again) from error
        return True


def github() -> GitHub:
    """The client for the repository of this job."""
    return GitHub(access.from_environment())


def subject_of(hub: GitHub, run: Run) -> Subject | None:
    """What a run was about. None where nobody waits: its pull request is closed, or moved on and cancelled it."""
    facts = hub.repository_facts()
    own = run.head_repository is not None and run.head_repository.full_name == facts.full_name
    if run.event not in ("pull_request", "pull_request_review"):
        on_default = run.event == "push" and own and run.head_branch == facts.default_branch
        trust = Trust.DEFAULT_BRANCH if on_default else Trust.PULL_REQUEST
        return Subject(
            commit=run.head_sha,
            trust=trust,
            pull=None,
            branch=facts.default_branch,
            queued=run.event == "merge_group",
        )
    pull = pull_of(hub, run)
    if pull is None or (pull.head.sha != run.head_sha and run.conclusion == "cancelled"):
        return None
    return Subject(
        commit=run.head_sha,
        trust=Trust.PULL_REQUEST if own and pull.head.repository == facts.full_name else Trust.FORK,
        pull=pull,
        branch=facts.default_branch,
        queued=False,
    )


def pull_of(hub: GitHub, run: Run) -> PullRequest | None:
    """The open pull request of a run: its head is the run's commit, or comes from the same branch and has moved on."""
    repository = run.head_repository.full_name if run.head_repository else None

    def from_there(pull: PullRequest) -> bool:
        return pull.head.repository == repository and pull.head.ref == run.head_branch

    found = [pull for pull in hub.pulls_of(run.head_sha) if (pull.state, pull.head.sha) == ("open", run.head_sha)]
    if not found and repository and run.head_branch:
        found = [*filter(from_there, hub.pulls(head=f"{repository.partition('/')[0]}:{run.head_branch}"))]
    return min(found, key=lambda pull: (not from_there(pull), pull.number), default=None)


def fetch_commit(repository: Repository, subject: Subject) -> None:
    """Bring the commit's objects here. Nothing of it is checked out."""
    refs = [f"refs/pull/{subject.pull.number}/head"] if subject.pull else []
    for ref in (*refs, subject.commit):
        if repository.find(subject.commit):
            return
        remote.fetch(repository, f"+{ref}:refs/mlops-ci/subject")
    if not repository.find(subject.commit):
        raise OutsideError(f"the commit {subject.commit[:7]} is not to be had any more", "Was the branch pushed over?")


def left_by(hub: GitHub, run: Run) -> Left:
    """The artifacts with evidence, by project. A review leaves none: the last check of the same commit did."""
    evidence = _last_check(hub, run) if run.event == "pull_request_review" else run.id
    return Left(hub=hub, artifacts=_named(hub, evidence, f"{RUNS}-"))


def bundles_of(hub: GitHub, job: Job, prefix: str) -> Left:
    """The artifacts with bundles that jobs of this same run left, by project; no other run's are looked at."""
    found = _named(hub, int(job.run), f"{prefix}-")
    return Left(
        hub=hub,
        artifacts=found,
        largest=_LARGEST_BUNDLE,
        unpacked=_LARGEST_BUNDLE,
        most_files=stores.MOST_FILES,
        maker="mlops-ci ci package",
        again="Run the workflow `mlops release` again.",
    )


def _named(hub: GitHub, run: int, prefix: str) -> dict[str, Artifact]:
    """Of two of a name, as a second attempt leaves them, the newer."""
    found = sorted(hub.artifacts(run), key=lambda one: one.id)
    return {one.name.removeprefix(prefix): one for one in found if one.name.startswith(prefix)}


def _last_check(hub: GitHub, run: Run) -> int:
    done = [
        one.id
        for one in hub.runs(head_sha=run.head_sha, workflow=CHECK)
        if one.event == "pull_request" and one.status == "completed"
    ]
    return max(done, default=run.id)
