"""Which commit a tree is compared with."""

from __future__ import annotations

from mlops_ci.edge.git import Repository
from mlops_ci.errors import OutsideError
from mlops_ci.steps.project import Project
from mlops_ci.steps.trees import Tree


def find_base(project: Project, tree: Tree, *, asked: str | None) -> str:
    """The commit compared with, or empty when there is none.

    `--base` as asked; for a dirty tree HEAD; on a side branch the merge base with the default branch; else the
    first parent. OutsideError when a shallow clone does not hold it.
    """
    repository = project.repository
    if asked:
        return repository.resolve(asked)
    if tree.dirty or not tree.commit:
        return tree.commit
    return base_on(repository, tree.commit, repository.default_branch())


def base_on(repository: Repository, commit: str, branch: str | None) -> str:
    """Where `commit` left a branch; of one that is on it, or without a branch, the first parent. Empty for a root."""
    tip = tip_of(repository, branch) if branch else None
    if tip:
        common = repository.merge_base(commit, tip)
        if common and common != commit:
            return common
        if not common and repository.is_shallow():
            raise _cut_off(f"where {commit[:7]} left {branch}")
    return _first_parent(repository, commit)


def tip_of(repository: Repository, branch: str) -> str | None:
    """The branch here; a clone of a side branch only has the remote's."""
    return repository.find(f"refs/heads/{branch}") or repository.find(f"refs/remotes/origin/{branch}")


def _first_parent(repository: Repository, commit: str) -> str:
    parents = repository.parents(commit)
    if parents:
        return parents[0]
    if repository.is_shallow():
        raise _cut_off(f"the commit before {commit[:7]}")
    return ""


def _cut_off(what: str) -> OutsideError:
    return OutsideError(
        f"{what} is not in this shallow clone",
        "Fetch it: `git fetch --deepen=50` (in a workflow: `fetch-depth: 0`), or name another with `--base`.",
    )
