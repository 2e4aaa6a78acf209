"""GitHub's API for one repository, as far as it is needed: one method, one call or one list."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import quote

from mlops_ci.edge.github.access import Access
from mlops_ci.edge.github.errors import GitHubError
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
    Asset,
    Comment,
    Permission,
    PullRequest,
    Release,
    Review,
    Status,
    StatusState,
    WorkflowRun,
)
from mlops_ci.edge.received import Expected, Received
from mlops_ci.errors import OutsideError, UsageError


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
        named = f"the artifact {artifact.name!r}"
        if artifact.expired:
            advice = "Run the workflow again: GitHub keeps what a run uploads for a time."
            raise OutsideError(f"{named} has expired", advice)
        expected = Expected(
            what=named,
            size=artifact.size_in_bytes,
            digest=artifact.digest,
            limit=limit,
            too_large="What a check leaves is smaller: is the artifact the right one?",
        )
        with Received(file, expected) as received:
            self._transport.fetched(f"{self._root}/actions/artifacts/{artifact.id:d}/zip", received)

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

    # Releases and their files

    def release(self, tag: str) -> Release | None:
        """The published release of a tag; None where there is none: a draft has no tag yet."""
        try:
            return self._transport.get(f"{self._root}/releases/tags/{_part(tag)}", Release)
        except GitHubError as error:
            if error.status == 404:
                return None
            raise

    def releases(self) -> list[Release]:
        """All releases; drafts are among them for a token that may write."""
        return self._transport.pages(f"{self._root}/releases", Release)

    def create_release(self, *, tag: str, title: str, body: str) -> Release:
        """A draft: nobody but those who may write sees it, and it makes no tag."""
        fields = {"tag_name": tag, "name": title, "body": body, "draft": True}
        return self._transport.send("POST", f"{self._root}/releases", fields, Release, repeatable=False)

    def publish_release(self, release: int) -> Release:
        """Let everybody see a draft, and make its tag at the default branch. It is not shown as the latest."""
        fields = {"draft": False, "make_latest": "false"}
        return self._transport.send("PATCH", f"{self._root}/releases/{release:d}", fields, Release, repeatable=True)

    def delete_release(self, release: int) -> None:
        """Remove a release with its files; its tag stays."""
        self._transport.delete(f"{self._root}/releases/{release:d}")

    def delete_tag(self, tag: str) -> None:
        """Remove a tag; one that is gone already is no error."""
        self._transport.delete(f"{self._root}/git/refs/tags/{_part(tag)}", gone=422)

    def assets(self, release: int) -> list[Asset]:
        return self._transport.pages(f"{self._root}/releases/{release:d}/assets", Asset)

    def upload(self, release: Release, name: str, file: Path) -> Asset:
        """Add a file to a release. It is sent once: what came of a lost answer, only `assets` can tell."""
        return self._transport.uploaded(release.upload_url.partition("{")[0], file, Asset, name=name)

    def delete_asset(self, asset: int) -> None:
        self._transport.delete(f"{self._root}/releases/assets/{asset:d}")

    def download_asset(self, asset: Asset, file: Path, *, limit: int) -> None:
        """Write a file of a release to `file`. Over `limit` bytes, or with another digest, there is no file."""
        expected = Expected(
            what=f"the file {asset.name!r} of a release on GitHub",
            size=asset.size,
            digest=asset.digest,
            limit=limit,
            too_large="Is it what mlops-ci put there?",
        )
        with Received(file, expected) as received:
            path = f"{self._root}/releases/assets/{asset.id:d}"
            self._transport.fetched(path, received, accept="application/octet-stream")

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
