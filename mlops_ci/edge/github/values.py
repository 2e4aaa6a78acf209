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


class _Repository(msgspec.Struct, frozen=True):
    full_name: Text


class _Owner(msgspec.Struct, frozen=True):
    type: Text


class _ByUser(msgspec.Struct, frozen=True, kw_only=True):
    """Made by a user; GitHub shows the user `ghost` for one who is gone."""

    user: _User | None

    @property
    def login(self) -> str:
        return self.user.login if self.user else _DELETED_USER


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


class RepositoryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`visibility` and the owner's kind say which plan features there can be."""

    full_name: Text
    private: bool
    visibility: Text
    default_branch: Text
    archived: bool
    owner: _Owner

    @property
    def owner_type(self) -> str:
        """`Organization` or `User`."""
        return self.owner.type


class _RequiredStatusChecks(msgspec.Struct, frozen=True, kw_only=True):
    contexts: tuple[Text, ...] = ()


class _Protection(msgspec.Struct, frozen=True, kw_only=True):
    required_status_checks: _RequiredStatusChecks | None = None


class _Commit(msgspec.Struct, frozen=True):
    sha: Sha


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A branch and what its classic protection asks; what rulesets ask is in its rules."""

    name: Text
    commit: _Commit
    protected: bool
    protection: _Protection | None = None

    @property
    def sha(self) -> str:
        return self.commit.sha

    @property
    def required_contexts(self) -> tuple[str, ...]:
        checks = self.protection.required_status_checks if self.protection else None
        return checks.contexts if checks else ()


class _RequiredCheck(msgspec.Struct, frozen=True, kw_only=True):
    context: Text
    integration_id: int | None = None


class _RuleParameters(msgspec.Struct, frozen=True, kw_only=True):
    required_status_checks: tuple[_RequiredCheck, ...] = ()
    required_approving_review_count: int = 0
    require_code_owner_review: bool = False
    dismiss_stale_reviews_on_push: bool = False
    require_last_push_approval: bool = False


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a ruleset that holds for a branch: `pull_request`, `required_status_checks`, `merge_queue`, ..."""

    type: Text
    parameters: _RuleParameters = _RuleParameters()

    @property
    def required_contexts(self) -> tuple[str, ...]:
        return tuple(check.context for check in self.parameters.required_status_checks)


class CodeownersError(msgspec.Struct, frozen=True, kw_only=True):
    """A line of CODEOWNERS that does not hold: wrong pattern, unknown owner, owner without write access."""

    line: int
    kind: Text
    message: Text
    path: Text


class CodeownersErrors(msgspec.Struct, frozen=True):
    errors: tuple[CodeownersError, ...]


class Permission(msgspec.Struct, frozen=True):
    permission: Text


class Secret(msgspec.Struct, frozen=True):
    name: Text


class ActionsPermissions(msgspec.Struct, frozen=True, kw_only=True):
    """`allowed_actions`: all, local_only or selected; None where Actions are off."""

    enabled: bool
    allowed_actions: Text | None = None
    sha_pinning_required: bool = False


class WorkflowPermissions(msgspec.Struct, frozen=True, kw_only=True):
    """What a job gets without `permissions:`, and whether it may open pull requests."""

    default_workflow_permissions: Text
    can_approve_pull_request_reviews: bool


class ProtectionRule(msgspec.Struct, frozen=True, kw_only=True):
    """`required_reviewers`, `wait_timer` (minutes) or `branch_policy`."""

    type: Text
    wait_timer: int = 0
    prevent_self_review: bool = False
    reviewers: tuple[msgspec.Raw, ...] = ()


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    name: Text
    protection_rules: tuple[ProtectionRule, ...] = ()

    @property
    def reviewers(self) -> int:
        """How many people and teams may approve a deployment; 0: nobody has to."""
        return sum(len(rule.reviewers) for rule in self.protection_rules)
