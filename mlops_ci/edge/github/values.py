"""What is read of GitHub's answers, and nothing else of them.

Every text here was written by somebody: titles, branch names and logins are data, to be escaped where they are shown.
A text longer than GitHub itself allows makes the answer one that is not understood.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(max_length=4_096)]
"""A name, title, address or sentence."""
Body = Annotated[str, msgspec.Meta(max_length=262_144)]
"""GitHub stops bodies at 65,536 characters, counted in its own way."""
Sha = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40}([0-9a-f]{24})?$")]
StatusState = Literal["error", "failure", "pending", "success"]

_DELETED_USER = "ghost"


class _User(msgspec.Struct, frozen=True):
    login: Text
    type: Text = "User"


class _Repository(msgspec.Struct, frozen=True):
    full_name: Text


class _ByUser(msgspec.Struct, frozen=True, kw_only=True):
    """Made by a user; GitHub shows the user `ghost` for one who is gone."""

    user: _User | None

    @property
    def login(self) -> str:
        return self.user.login if self.user else _DELETED_USER

    @property
    def is_bot(self) -> bool:
        """An app, or nobody who can still be asked."""
        return self.user is None or self.user.type != "User" or self.login.endswith("[bot]")


class WorkflowRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a workflow. `path` is the workflow's file, with `@REF` behind it where another repository owns it."""

    id: int
    name: Text | None
    path: Text
    run_number: int
    run_attempt: int
    event: Text
    status: Text | None
    conclusion: Text | None
    """None while it runs."""
    head_sha: Sha
    head_branch: Text | None
    head_repository: _Repository | None
    html_url: Text

    @property
    def repository(self) -> str | None:
        """Full name of the repository the commit came from; None when that fork is deleted."""
        return self.head_repository.full_name if self.head_repository else None


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """What a run uploaded: always a zip."""

    id: int
    name: Text
    size_in_bytes: int
    expired: bool
    digest: Text | None = None
    """`sha256:` and 64 hex digits of the zip; GitHub knows none for uploads before 2025."""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a release. `state` is `uploaded` once it is whole; a broken upload leaves one that is not."""

    id: int
    name: Text
    state: Text
    size: int
    digest: Text | None = None
    """`sha256:` and 64 hex digits; GitHub knows none for files of before June 2025."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A release on GitHub: a tag with files. A draft makes its tag when it is published."""

    id: int
    tag_name: Text
    draft: bool
    html_url: Text
    upload_url: Text
    """A template: `https://…/assets{?name,label}`."""
    assets: tuple[Asset, ...]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """The branch a pull request comes from, or goes to."""

    ref: Text
    sha: Sha
    repo: _Repository | None

    @property
    def repository(self) -> str | None:
        """Full name; None when the fork is deleted."""
        return self.repo.full_name if self.repo else None


class PullRequest(_ByUser, frozen=True, kw_only=True):
    number: int
    state: Literal["open", "closed"]
    title: Text
    body: Body | None = None
    base: Side
    head: Side
    html_url: Text
    merged_at: datetime | None

    @property
    def merged(self) -> bool:
        return self.merged_at is not None


class Review(_ByUser, frozen=True, kw_only=True):
    """`state` is APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING; it speaks of the commit `commit_id`."""

    id: int
    state: Text
    commit_id: Sha | None


class Comment(_ByUser, frozen=True, kw_only=True):
    """A comment on the conversation of a pull request."""

    id: int
    body: Body = ""
    html_url: Text
    created_at: datetime


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One status of a commit; of those with one context the newest counts."""

    id: int
    state: StatusState
    context: Text
    description: Text | None
    target_url: Text | None
    created_at: datetime
    creator: _User | None

    @property
    def login(self) -> str:
        return self.creator.login if self.creator else _DELETED_USER


class Permission(msgspec.Struct, frozen=True):
    permission: Text
