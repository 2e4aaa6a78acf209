"""What the fake GitHub knows. Tests fill it and look at it; requests change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

NOBODY = "0" * 40
BOT = "github-actions[bot]"


class Token(msgspec.Struct, kw_only=True):
    """`job`: has what `permissions:` of the calling job grants. `fork`: of that only the right to read.

    `person`: may do everything in the repository, from a desk.
    """

    kind: Literal["job", "fork", "person"]
    login: str = BOT


class Pull(msgspec.Struct, kw_only=True):
    number: int
    head_ref: str
    head_sha: str
    head_repository: str | None = "acme/ml"
    base_ref: str = "main"
    base_sha: str = NOBODY
    title: str = "A change"
    body: str = ""
    login: str | None = "ada"
    state: Literal["open", "closed"] = "open"
    merged_at: str | None = None
    commits: list[str] = msgspec.field(default_factory=list)
    """Beside the head; for a merged one the commit of the merge too."""


class Comment(msgspec.Struct, kw_only=True):
    id: int
    number: int
    body: str
    login: str | None = BOT
    created_at: str


class Review(msgspec.Struct, kw_only=True):
    id: int
    number: int
    login: str | None
    state: str
    commit_id: str


class Status(msgspec.Struct, kw_only=True):
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    login: str = BOT
    created_at: str


class Run(msgspec.Struct, kw_only=True):
    id: int
    head_sha: str
    head_branch: str | None = "feature"
    head_repository: str | None = "acme/ml"
    path: str = ".github/workflows/mlops-check.yml"
    name: str = "mlops check"
    event: str = "pull_request"
    status: str = "completed"
    conclusion: str | None = "success"
    run_number: int = 1
    run_attempt: int = 1


class Artifact(msgspec.Struct, kw_only=True):
    id: int
    run: int
    name: str
    content: bytes
    expired: bool = False
    size: int | None = None
    """What GitHub says instead of its size."""


class Asset(msgspec.Struct, kw_only=True):
    """A file of a release; of one that did not arrive whole there is its name, and `open`."""

    id: int
    name: str
    content: bytes
    state: Literal["uploaded", "open"] = "uploaded"


class Release(msgspec.Struct, kw_only=True):
    id: int
    tag: str
    name: str | None = None
    body: str | None = None
    draft: bool = False
    latest: bool = False
    login: str = BOT
    created_at: str
    assets: list[Asset] = msgspec.field(default_factory=list)


class Branch(msgspec.Struct, kw_only=True):
    """`protected`: classic protection, so pushes to it are refused; the rest is what that asks.

    `ruled`: a ruleset alone makes the branch one that GitHub calls protected.
    """

    sha: str = NOBODY
    protected: bool = False
    ruled: bool = False
    contexts: list[str] = msgspec.field(default_factory=list)
    strict: bool = False
    asks_owners: bool = False


class State(msgspec.Struct, kw_only=True):
    """One repository."""

    repository: str = "acme/ml"
    web: str = "https://github.com"
    """Where the repository's pages are."""
    private: bool = True
    default_branch: str = "main"
    archived: bool = False
    protects_private: bool = True
    """Whether the owner's plan has protection and rulesets for a private repository."""
    owner_type: Literal["Organization", "User"] = "Organization"
    tokens: dict[str, Token] = msgspec.field(
        default_factory=lambda: {
            "job-token": Token(kind="job"),
            "fork-token": Token(kind="fork"),
            "person-token": Token(kind="person", login="ada"),
        }
    )
    pulls: dict[int, Pull] = msgspec.field(default_factory=dict)
    comments: dict[int, Comment] = msgspec.field(default_factory=dict)
    reviews: list[Review] = msgspec.field(default_factory=list)
    statuses: list[Status] = msgspec.field(default_factory=list)
    runs: dict[int, Run] = msgspec.field(default_factory=dict)
    artifacts: dict[int, Artifact] = msgspec.field(default_factory=dict)
    releases: dict[int, Release] = msgspec.field(default_factory=dict)
    tags: set[str] = msgspec.field(default_factory=set)
    """Those that published releases made."""
    immutable_releases: bool = False
    """Whether the repository keeps published releases as they are."""
    uploads: str = "https://uploads.github.com"
    """Where files of releases are sent."""
    keeping: dict[int, Path] = msgspec.field(default_factory=dict)
    """Run that goes on -> the folder with a folder for each artifact it has left so far."""
    branches: dict[str, Branch] = msgspec.field(default_factory=dict)
    rules: dict[str, list[dict[str, Any]]] = msgspec.field(default_factory=dict)
    """Of rulesets, by branch, as the API writes them."""
    files: dict[str, str] = msgspec.field(default_factory=dict)
    """Of the default branch, as far as the API is asked for their contents."""
    codeowners_errors: list[dict[str, Any]] = msgspec.field(default_factory=list)
    secrets: list[str] = msgspec.field(default_factory=list)
    organization_secrets: list[str] = msgspec.field(default_factory=list)
    environment_secrets: dict[str, list[str]] = msgspec.field(default_factory=dict)
    permissions: dict[str, str] = msgspec.field(default_factory=dict)
    """Login -> admin, write, read; everybody else has none."""
    environments: list[dict[str, Any]] = msgspec.field(default_factory=list)
    default_workflow_permissions: Literal["read", "write"] = "read"
    actions_may_open_pulls: bool = False
    actions: Literal["off", "all", "local_only", "selected"] = "all"
    sha_pinning_required: bool = False
    next_id: int = 1000

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id
