"""Where a repository was cloned from: named, fetched from, pushed to. The only git processes that use the network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import actions
from mlops_ci.edge.git import is_name
from mlops_ci.edge.git_process import call, decoded, without_password
from mlops_ci.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from mlops_ci.edge.git import Repository


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """Where the repository was cloned from; the address is given without user and password."""

    name: str
    url: str


def remote_of(repository: Repository) -> Remote | None:
    """origin, else the first remote by name, else None."""
    answer = repository.call("config", "-z", "--get-regexp", r"^remote\..*\.url$")
    entries = (entry.split("\n", 1) for entry in decoded(answer.out).split("\0") if "\n" in entry)
    found = {key.removeprefix("remote.").removesuffix(".url"): url for key, url in entries}
    name = "origin" if "origin" in found else min(found, default=None)
    return None if name is None else Remote(name=name, url=without_password(found[name]))


def fetch(
    repository: Repository, *refspecs: str, depth: int | None = None, unshallow: bool = False, prune: bool = False
) -> bool:
    """Fetch from the remote. False when it has no such ref; OutsideError when it cannot be reached.

    `prune`: what the refspecs brought before and the remote has no more goes here too.
    """
    remote = remote_of(repository)
    if remote is None:
        raise OutsideError("there is no remote to fetch from", "Add one: git remote add origin ADDRESS")
    for refspec in refspecs:
        if not is_name(refspec):
            raise UsageError(f"{refspec!r} is not a name git can fetch", "Give a branch, a tag or a commit.")
    options = [f"--depth={depth}"] * bool(depth) + ["--unshallow"] * unshallow + ["--prune"] * prune
    arguments = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", *options, remote.name, *refspecs)
    answer = call(repository.root, *arguments, network=True, settings=_access(repository, remote.name))
    if answer.code != 0 and re.search(r"couldn't find remote ref|not our ref", answer.err):
        return False
    if answer.code != 0:
        advice = f"Check the network and your access to {remote.url}, then run the command again."
        raise repository.failure("fetch", answer, advice)
    return True


def push(repository: Repository, *refspecs: str) -> bool:
    """Push to the remote, never by force; of several refs all or none. False when the remote moved on; OutsideError
    when it says no.
    """
    remote = remote_of(repository)
    if remote is None:
        raise OutsideError("there is no remote to push to", "Add one: git remote add origin ADDRESS")
    together = ["--atomic"] if len(refspecs) > 1 else []
    options = ("--porcelain", "--no-follow-tags", "--recurse-submodules=no", *together)
    arguments = ("push", *options, remote.name, *refspecs)
    answer = call(repository.root, *arguments, network=True, settings=_access(repository, remote.name))
    if answer.code == 0:
        return True
    said = answer.out.decode("utf-8", "replace")
    moved = (
        r"^!.*\((fetch first|non-fast-forward|.*(failed to update ref|cannot lock ref|atomic transaction failed).*)\)"
    )
    if re.search(moved, said, re.M):
        return False
    told = [line.removeprefix("remote: ").strip() for line in answer.err.splitlines() if "remote: " in line]
    refused = [line.rpartition("\t")[2] for line in said.splitlines() if line.startswith("!")]
    reason = "; ".join(filter(None, (*refused, *told))) or answer.err.strip()
    raise OutsideError(
        f"git push to {remote.name} was refused: {without_password(reason)[:500]}",
        "May this user, or this job's token (`contents: write`), write that branch, and is it unprotected?",
        where=str(repository.root),
    )


def _access(repository: Repository, remote: str) -> dict[str, str]:
    """What lets a job of GitHub Actions in, for the remote's own host only."""
    address = decoded(call(repository.root, "ls-remote", "--get-url", remote, network=True).out)
    host = re.match(r"https?://[^/]+/", without_password(address))
    return actions.git_settings(host.group()) if host else {}
