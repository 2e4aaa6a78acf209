"""What is read of GitHub's answers about how a repository is set up: branches, rules, owners, Actions, secrets.

As in `values`, every text was written by somebody.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from mlops_ci.edge.github.values import Body, Sha, Text


class _Owner(msgspec.Struct, frozen=True):
    type: Text


class RepositoryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`visibility` and the owner's kind say which plan features there can be."""

    full_name: Text
    html_url: Text
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


class _Summary(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool = False
    required_status_checks: _RequiredStatusChecks | None = None


class _Commit(msgspec.Struct, frozen=True):
    sha: Sha


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A branch and what its classic protection asks; what rulesets ask is in its rules."""

    name: Text
    commit: _Commit
    protected: bool
    protection: _Summary | None = None

    @property
    def sha(self) -> str:
        return self.commit.sha

    @property
    def is_classic(self) -> bool:
        """Whether branch protection holds for it; `protected` is true of rulesets too."""
        return self.protection.enabled if self.protection else False

    @property
    def required_contexts(self) -> tuple[str, ...]:
        checks = self.protection.required_status_checks if self.protection else None
        return checks.contexts if checks else ()


class _Strict(msgspec.Struct, frozen=True, kw_only=True):
    strict: bool = False


class _RequiredReviews(msgspec.Struct, frozen=True, kw_only=True):
    require_code_owner_reviews: bool = False


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """What classic protection asks beyond what the branch tells; for administrators."""

    required_status_checks: _Strict | None = None
    required_pull_request_reviews: _RequiredReviews | None = None

    @property
    def is_strict(self) -> bool:
        """Whether a branch has to be up to date."""
        return self.required_status_checks is not None and self.required_status_checks.strict

    @property
    def asks_owners(self) -> bool:
        reviews = self.required_pull_request_reviews
        return reviews is not None and reviews.require_code_owner_reviews


class _RequiredCheck(msgspec.Struct, frozen=True, kw_only=True):
    context: Text
    integration_id: int | None = None


class _RuleParameters(msgspec.Struct, frozen=True, kw_only=True):
    required_status_checks: tuple[_RequiredCheck, ...] = ()
    strict_required_status_checks_policy: bool = False
    required_approving_review_count: int = 0
    require_code_owner_review: bool = False
    dismiss_stale_reviews_on_push: bool = False
    require_last_push_approval: bool = False


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a ruleset that holds for a branch: `pull_request`, `required_status_checks`, `merge_queue`, ..."""

    type: Text
    parameters: _RuleParameters = _RuleParameters()
    ruleset_source_type: Text = ""
    """Repository, Organization or Enterprise, whose ruleset it is; `ruleset_source`: its name."""
    ruleset_source: Text = ""

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

    @property
    def takes_some(self) -> bool:
        """Whether only jobs for some branches and tags may use it."""
        return any(rule.type == "branch_policy" for rule in self.protection_rules)


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in a folder: `sha` is git's name of the content, as `git hash-object` gives it."""

    name: Text
    sha: Sha


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A file; of one over a megabyte GitHub leaves the content out."""

    path: Text
    content: Body = ""
    encoding: Text = ""

    @property
    def text(self) -> str | None:
        """None where it is no text that can be read."""
        try:
            return base64.b64decode(self.content).decode() if self.encoding == "base64" else None
        except (binascii.Error, UnicodeDecodeError):
            return None
