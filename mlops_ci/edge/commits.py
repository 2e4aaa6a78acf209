"""Commits on the branches of a working repository: only `demo` makes them, in the repository it made; and clones."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.edge.git import Repository

_AUTHOR = ("-c", "user.name=mlops-ci demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false")


def commit_all(repository: Repository, message: str) -> str:
    """Commit everything that is not ignored; the commit's sha."""
    repository.run("add", "--all")
    repository.run(*_AUTHOR, "commit", "--quiet", "--no-verify", f"--message={message}")
    return repository.resolve("HEAD")


def switch(repository: Repository, branch: str, *, new: bool = False) -> None:
    """Go to a branch; `new` makes it where we stand."""
    repository.run("checkout", "--quiet", *(["-b"] if new else []), branch)


def fast_forward(repository: Repository, branch: str) -> None:
    """Bring the branch we are on forward to `branch`."""
    repository.run("merge", "--quiet", "--ff-only", branch)


def apply_patch(repository: Repository, patch: bytes) -> None:
    """Change the working files by a unified diff; OutsideError when it does not fit."""
    repository.run("apply", "--whitespace=nowarn", "-", stdin=patch)


def clone_at(repository: Repository, commit: str, target: Path) -> None:
    """A clone in a new folder with a commit checked out; it borrows the objects of `repository` while it lasts."""
    repository.run("clone", "--quiet", "--shared", "--no-checkout", "--no-tags", str(repository.root), str(target))
    Repository(target).run("-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit)
