"""An upgrade written down: into the working files, a commit, or a branch with a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import branches, remote
from mlops_ci.edge.github import access
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.reports import upgrade as words
from mlops_ci.steps import ci_job, hub
from mlops_ci.steps.lock import TOOL_LOCK
from mlops_ci.steps.project_files import replace
from mlops_ci.workflows.generate import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.edge.git import Repository
    from mlops_ci.edge.github.values import PullRequest
    from mlops_ci.records.upgrades import TakenOver
    from mlops_ci.steps.newer import Newer

_BRANCH = "mlops-ci/upgrade"
"""One for all versions, so that there is one pull request."""
_THERE = f"refs/remotes/origin/{_BRANCH}"
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
    known = hub.github().pulls(head=_BRANCH, state="all")
    if any(pull.state == "open" for pull in known):
        return None
    told = [pull for pull in known if _is_about(pull, newer)]
    return Proposed(address=told[0].html_url, state="merged or closed before") if told else None


def close_overtaken(newer: Newer) -> Proposed | None:
    """The pull request that is still open though the default branch has gone that way without it: closed, and told so.

    Its branch stays.
    """
    ci_job.this_job()
    github = hub.github()
    opened = next(iter(github.pulls(head=_BRANCH)), None)
    if opened is None:
        return None
    github.create_comment(opened.number, words.overtaken(newer.current))
    github.close_pull(opened.number)
    return Proposed(address=opened.html_url, state="closed: the default branch has this version")


def propose(repository: Repository, newer: Newer, taken: TakenOver) -> Proposed:
    """Push the branch, never by force, and open one pull request; one that is open becomes that of this version."""
    github = hub.github()
    opened = next(iter(github.pulls(head=_BRANCH)), None)
    begun = opened is not None and _is_about(opened, newer)
    moved, left_out = _pushed(repository, content(newer, taken), words.title(newer.newest), begun=begun)
    body = words.body(newer.current, taken, left_out=left_out, waits=not access.has_own_token())
    if opened is None:
        base = github.repository_facts().default_branch
        pull = github.create_pull(head=_BRANCH, base=base, title=words.title(newer.newest), body=body)
        return Proposed(address=pull.html_url, state="opened", left_out=left_out)
    told = (opened.body or "").strip() == body.strip()
    if not told:
        title = opened.title if begun else words.title(newer.newest)  # of its own version a person may have changed it
        github.update_pull(opened.number, title=title, body=body)
    state = "open already" if told and not moved else "updated"
    return Proposed(address=opened.html_url, state=state, left_out=left_out)


def _is_about(pull: PullRequest, newer: Newer) -> bool:
    return words.version_told(pull.body or "") == newer.newest


def _pushed(
    repository: Repository, files: dict[str, bytes], message: str, *, begun: bool
) -> tuple[bool, tuple[str, ...]]:
    """Whether the remote's branch moved, and the files that it would not take: a job's token changes no workflows."""
    refused = tuple(path for path in files if path.startswith(f"{FOLDER}/"))
    try:
        return _push(repository, files, message, begun=begun), ()
    except OutsideError as error:
        if not refused or "`workflows` permission" not in error.message:
            raise
    # What was generated last is still what it was, so the lock that says so stays too.
    left_out = (*refused, *(path for path in files if path == _GENERATED_LOCK))
    kept = {path: data for path, data in files.items() if path not in left_out}
    return _push(repository, kept, message, begun=begun), left_out


def _push(repository: Repository, files: Mapping[str, bytes], message: str, *, begun: bool) -> bool:
    """`begun`: the branch is about this version already, and people may have added to it; else it begins anew here.

    Anew means a merge of which only what is here stays, so that nothing of another version is left over.
    """
    there = remote.fetch(repository, f"+refs/heads/{_BRANCH}:{_THERE}")
    before, here = repository.resolve(_THERE) if there else "", repository.resolve("HEAD")
    start = before if before and begun else here
    repository.run("update-ref", f"refs/heads/{_BRANCH}", start)
    over = "" if not before or repository.is_ancestor(before, start) else before
    written = branches.write_branch(repository, _BRANCH, files, message=f"{message}\n", over=over)
    if before and repository.tree(before, "") == repository.tree(written.commit, ""):
        return False
    if not remote.push(repository, f"{written.commit}:refs/heads/{_BRANCH}"):
        raise OutsideError(f"somebody pushed to {_BRANCH} meanwhile", "Run the job again.")
    return True
