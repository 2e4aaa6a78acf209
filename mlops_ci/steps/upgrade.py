"""An upgrade written down: into the working files, a commit, or a branch with a pull request."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import branches, remote
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.reports import upgrade as words
from mlops_ci.steps import ci_job, hub
from mlops_ci.steps.lock import TOOL_LOCK
from mlops_ci.steps.project_files import replace
from mlops_ci.workflows.generate import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.edge.git import Repository
    from mlops_ci.records.upgrades import TakenOver
    from mlops_ci.steps.newer import Newer

_OWN_TOKEN = "MLOPS_CI_TOKEN"  # noqa: S105 - the name of a variable
_GENERATED_LOCK = ".mlops-ci/generated.lock"


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """The pull request. `state`: what became of it; `left_out`: files that the token may not write."""

    address: str
    state: str
    left_out: tuple[str, ...] = ()


def content(newer: Newer, taken: TakenOver) -> dict[str, bytes]:
    """Path in the repository -> content: the lock of the tool, and what follows from it."""
    return {TOOL_LOCK: newer.lock.encode(), **taken.files}


def check_clean(repository: Repository) -> None:
    """UsageError where git could not bring back the lock that is replaced."""
    if not repository.is_clean(TOOL_LOCK):
        raise UsageError(f"{TOOL_LOCK} has changes that are not committed", "Commit or stash them, then upgrade again.")


def write(repository: Repository, files: Mapping[str, bytes]) -> None:
    """Write all of it into the working files."""
    replace(repository.root, {path: data.decode("utf-8", "surrogateescape") for path, data in files.items()})


def check_committable(repository: Repository, files: Mapping[str, bytes]) -> None:
    """UsageError where a commit would take a person's own changes along."""
    for path in files:
        if not repository.is_clean(path):
            raise UsageError(
                f"{path} has changes that are not committed", "Commit or stash them, or leave out --commit."
            )


def commit(repository: Repository, files: Mapping[str, bytes], version: str, why: str) -> str:
    """Commit these files alone; whatever else is staged stays staged."""
    repository.run("add", "--", *files)
    repository.run("commit", "--quiet", "--message", f"{words.title(version)}\n\n{why}", "--only", "--", *files)
    return repository.resolve("HEAD")


def answered(newer: Newer) -> Proposed | None:
    """The pull request for this version that somebody closed or merged: that is an answer, and is left alone."""
    ci_job.this_job()
    known = hub.github().pulls(head=_branch(newer), state="all")
    if not known or any(pull.state == "open" for pull in known):
        return None
    return Proposed(address=known[0].html_url, state="merged or closed before")


def propose(repository: Repository, newer: Newer, taken: TakenOver) -> Proposed:
    """Push a branch, never by force, and open one pull request; one that is open is brought up to date."""
    github, branch = hub.github(), _branch(newer)
    opened = next(iter(github.pulls(head=branch)), None)
    moved, left_out = _pushed(repository, branch, content(newer, taken), words.title(newer.newest))
    if opened is not None:
        return Proposed(address=opened.html_url, state="updated" if moved else "open already", left_out=left_out)
    pull = github.create_pull(
        head=branch,
        base=github.repository_facts().default_branch,
        title=words.title(newer.newest),
        body=words.body(newer.current, taken, left_out=left_out, waits=not os.environ.get(_OWN_TOKEN)),
    )
    return Proposed(address=pull.html_url, state="opened", left_out=left_out)


def _branch(newer: Newer) -> str:
    return f"mlops-ci/upgrade-{newer.newest}"


def _pushed(repository: Repository, branch: str, files: dict[str, bytes], message: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the remote's branch moved, and the files that it would not take: a job's token changes no workflows."""
    refused = tuple(path for path in files if path.startswith(f"{FOLDER}/"))
    try:
        return _push(repository, branch, files, message), ()
    except OutsideError as error:
        if not refused or "`workflows` permission" not in error.message:
            raise
    # What was generated last is still what it was, so the lock that says so stays too.
    left_out = (*refused, *(path for path in files if path == _GENERATED_LOCK))
    kept = {path: data for path, data in files.items() if path not in left_out}
    return _push(repository, branch, kept, message), left_out


def _push(repository: Repository, branch: str, files: Mapping[str, bytes], message: str) -> bool:
    there = remote.fetch(repository, f"+refs/heads/{branch}:refs/remotes/origin/{branch}")
    start = repository.resolve(f"refs/remotes/origin/{branch}" if there else "HEAD")
    repository.run("update-ref", f"refs/heads/{branch}", start)
    written = branches.write_branch(repository, branch, files, message=f"{message}\n")
    if not written.changed and there:
        return False
    if not remote.push(repository, f"{written.commit}:refs/heads/{branch}"):
        raise OutsideError(f"somebody pushed to {branch} meanwhile", "Run the job again.")
    return True
