"""GitHub's API for one repository, as far as it is needed: one method, one call or one list."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import quote

from mlops_ci.edge.github.access import Access
from mlops_ci.edge.github.received import Received
from mlops_ci.edge.github.set_up import (
    ActionsPermissions,
    Branch,
    CodeownersError,
    CodeownersErrors,
    Content,
    Environment,
    Listed,
    Protection,
    RepositoryFacts,
    Rule,
    Secret,
    WorkflowPermissions,
)
from mlops_ci.edge.github.transport import Transport
from mlops_ci.edge.github.values import (
    Artifact,
    Comment,
    Permission,
    PullRequest,
    Review,
    Status,
    StatusState,
    WorkflowRun,
)
from mlops_ci.errors import UsageError


class GitHub:
    """One repository on GitHub. Every method raises GitHubError where GitHub refuses or is not reached.

    What only the right of an administrator can read (`protection`, `actions_permissions`, `workflow_permissions`, names
    of secrets) is out of reach of a job's token.
    """

    def __init__(self, access: Access, transport: Transport | None = None) -> None:
        self.repository = access.repository
        self._root = f"/repos/{access.repository}"
        self._transport = transport or Transport(access)

    # Runs and what they left

    def run(self, number: int) -> WorkflowRun:
        return self._transport.get(f"{self._root}/actions/runs/{number:d}", WorkflowRun)

    def runs(self, *, head_sha: str, workflow: str) -> list[WorkflowRun]:
        """Runs for a commit of the workflow in the file `workflow` (`mlops-check.yml`), the newest first."""
        path = f"{self._root}/actions/workflows/{_part(workflow)}/runs"
        return self._transport.pages(path, WorkflowRun, key="workflow_runs", head_sha=head_sha)

    def artifacts(self, run: int) -> list[Artifact]:
        return self._transport.pages(f"{self._root}/actions/runs/{run:d}/artifacts", Artifact, key="artifacts")

    def download(self, artifact: Artifact, file: Path, *, limit: int) -> None:
        """Write the artifact's zip to `file`. Over `limit` bytes, or with another digest, there is no file."""
        received = Received(file, artifact, limit)
        with received:
            path = f"{self._root}/actions/artifacts/{artifact.id:d}/zip"
            self._transport.fetched(path, received.add, restart=received.restart)

    # Pull requests

    def pull(self, number: int) -> PullRequest:
        return self._transport.get(f"{self._root}/pulls/{number:d}", PullRequest)

    def pulls(
        self, *, head: str | None = None, base: str | None = None, state: Literal["open", "all"] = "open"
    ) -> list[PullRequest]:
        """Pull requests from a branch of this repository (of another: `owner:branch`), into a branch."""
        query: dict[str, str] = {"state": state}
        if head is not None:
            query["head"] = head if ":" in head else f"{self.repository.split('/')[0]}:{head}"
        if base is not None:
            query["base"] = base
        return self._transport.pages(f"{self._root}/pulls", PullRequest, **query)

    def pulls_of(self, commit: str) -> list[PullRequest]:
        """Pull requests a commit belongs to: the one that merged it, else all that hold it."""
        return self._transport.pages(f"{self._root}/commits/{_part(commit)}/pulls", PullRequest)

    def create_pull(self, *, head: str, base: str, title: str, body: str) -> PullRequest:
        fields = {"head": head, "base": base, "title": title, "body": body}
        return self._transport.send("POST", f"{self._root}/pulls", fields, PullRequest, repeatable=False)

    def update_pull(self, number: int, *, title: str, body: str) -> PullRequest:
        """Give a pull request this title and text."""
        path = f"{self._root}/pulls/{number:d}"
        return self._transport.send("PATCH", path, {"title": title, "body": body}, PullRequest, repeatable=True)

    def close_pull(self, number: int) -> PullRequest:
        """Close a pull request without merging it."""
        path = f"{self._root}/pulls/{number:d}"
        return self._transport.send("PATCH", path, {"state": "closed"}, PullRequest, repeatable=True)

    def reviews(self, number: int) -> list[Review]:
        """Reviews of a pull request, the oldest first; of one person's the last that is no comment counts."""
        return self._transport.pages(f"{self._root}/pulls/{number:d}/reviews", Review)

    def permission(self, login: str) -> str:
        """What somebody may do here: `admin`, `write`, `read` or `none`."""
        path = f"{self._root}/collaborators/{_part(login)}/permission"
        return self._transport.get(path, Permission).permission

    # Comments on a pull request

    def comments(self, number: int) -> list[Comment]:
        return self._transport.pages(f"{self._root}/issues/{number:d}/comments", Comment)

    def create_comment(self, number: int, body: str) -> Comment:
        """Write a comment. A lost answer is an error: whether it was written, only `comments` can tell."""
        path = f"{self._root}/issues/{number:d}/comments"
        return self._transport.send("POST", path, {"body": body}, Comment, repeatable=False)

    def update_comment(self, comment: int, body: str) -> Comment:
        path = f"{self._root}/issues/comments/{comment:d}"
        return self._transport.send("PATCH", path, {"body": body}, Comment, repeatable=True)

    def delete_comment(self, comment: int) -> None:
        """Remove a comment; one that is gone already is no error."""
        self._transport.delete(f"{self._root}/issues/comments/{comment:d}")

    # Statuses of a commit

    def set_status(
        self, sha: str, state: StatusState, *, context: str, description: str, target_url: str | None = None
    ) -> Status:
        """Set a status; `description` may have 140 characters. Set twice it is the same, so it is tried again."""
        fields = {"state": state, "context": context, "description": description}
        if target_url is not None:
            fields["target_url"] = target_url
        path = f"{self._root}/statuses/{_part(sha)}"
        return self._transport.send("POST", path, fields, Status, repeatable=True)

    def statuses(self, sha: str) -> list[Status]:
        """Statuses of a commit, the newest first."""
        return self._transport.pages(f"{self._root}/commits/{_part(sha)}/statuses", Status)

    # How the repository is set up

    def repository_facts(self) -> RepositoryFacts:
        return self._transport.get(self._root, RepositoryFacts)

    def branch(self, name: str) -> Branch:
        return self._transport.get(f"{self._root}/branches/{_part(name)}", Branch)

    def protection(self, branch: str) -> Protection:
        """Classic protection of a branch that has one."""
        return self._transport.get(f"{self._root}/branches/{_part(branch)}/protection", Protection)

    def rules(self, branch: str) -> list[Rule]:
        """Rules of rulesets, of the organization too, that hold for a branch."""
        return self._transport.pages(f"{self._root}/rules/branches/{_part(branch)}", Rule)

    def codeowners_errors(self) -> tuple[CodeownersError, ...]:
        return self._transport.get(f"{self._root}/codeowners/errors", CodeownersErrors).errors

    def file(self, path: str) -> Content:
        """A file of the default branch, by its path from the root."""
        return self._transport.get(f"{self._root}/contents/{quote(path)}", Content)

    def folder(self, path: str) -> list[Listed]:
        """What lies in a folder of the default branch; GitHub lists 1,000 entries."""
        return self._transport.get(f"{self._root}/contents/{quote(path)}", list[Listed])

    def environments(self) -> list[Environment]:
        return self._transport.pages(f"{self._root}/environments", Environment, key="environments")

    def actions_permissions(self) -> ActionsPermissions:
        return self._transport.get(f"{self._root}/actions/permissions", ActionsPermissions)

    def workflow_permissions(self) -> WorkflowPermissions:
        return self._transport.get(f"{self._root}/actions/permissions/workflow", WorkflowPermissions)

    def secret_names(self) -> list[str]:
        """Names of the repository's secrets for Actions; nobody can read a value."""
        return self._names("/actions/secrets")

    def organization_secret_names(self) -> list[str]:
        """Names of the organization's secrets that this repository may use."""
        return self._names("/actions/organization-secrets")

    def environment_secret_names(self, environment: str) -> list[str]:
        return self._names(f"/environments/{_part(environment)}/secrets")

    def _names(self, path: str) -> list[str]:
        return [secret.name for secret in self._transport.pages(self._root + path, Secret, key="secrets")]


def _part(name: str) -> str:
    """A name as one part of a path, whatever signs it has."""
    if name in ("", ".", ".."):
        raise UsageError(f"{name!r} cannot name anything on GitHub")
    return quote(name, safe="")
