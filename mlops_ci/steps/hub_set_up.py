"""How the repository on GitHub is set up, asked in one go; each answer may be out of sight."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec

from mlops_ci.config import codeowners
from mlops_ci.edge.github.errors import GitHubError, RateLimitedError
from mlops_ci.edge.http import plain
from mlops_ci.ledger.names import BRANCH
from mlops_ci.workflows.generate import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.edge.github.client import GitHub
    from mlops_ci.edge.github.set_up import (
        ActionsPermissions,
        Branch,
        CodeownersError,
        Environment,
        Protection,
        RepositoryFacts,
        Rule,
        WorkflowPermissions,
    )

ENVIRONMENT = "mlops"
"""Where the generated workflow takes secrets from."""
_T = TypeVar("_T")


class Unseen(StrEnum):
    """Why something is not known: the token lacks the right to see it, or the owner's plan does not have it."""

    RIGHT = "right"
    PLAN = "plan"


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a branch; `branch` None: it is not there. `protection` None: no classic one."""

    branch: Branch | Unseen | None
    protection: Protection | Unseen | None = None
    rules: list[Rule] | Unseen

    @property
    def is_classic(self) -> bool:
        return self.protection is not None

    @property
    def known_rules(self) -> list[Rule]:
        return [] if isinstance(self.rules, Unseen) else self.rules

    @property
    def is_strict(self) -> bool:
        """Whether a branch has to be up to date before it is merged into this one, as far as that is seen."""
        strict = any(rule.parameters.strict_required_status_checks_policy for rule in self.known_rules)
        return strict or (self._classic is not None and self._classic.is_strict)

    @property
    def asks_owners(self) -> bool:
        """Whether owners of code have to agree, as far as that is seen."""
        asked = any(rule.parameters.require_code_owner_review for rule in self.known_rules)
        return asked or (self._classic is not None and self._classic.asks_owners)

    @property
    def _classic(self) -> Protection | None:
        return None if isinstance(self.protection, Unseen) else self.protection

    @property
    def contexts(self) -> set[str]:
        """The statuses that are required."""
        classic = () if self.branch is None or isinstance(self.branch, Unseen) else self.branch.required_contexts
        return {*classic, *(context for rule in self.known_rules for context in rule.required_contexts)}


class Owners(msgspec.Struct, frozen=True, kw_only=True):
    """CODEOWNERS of the default branch; `text` None: it is no text."""

    path: str
    text: str | None
    errors: tuple[CodeownersError, ...] | Unseen


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Where a secret of a name is; `all_seen`: there is no place that was out of sight."""

    places: dict[str, str]
    all_seen: bool


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """What GitHub said."""

    facts: RepositoryFacts
    default: Guard
    reports: Guard
    owners: Owners | Unseen | None
    actions: ActionsPermissions | Unseen
    job_token: WorkflowPermissions | Unseen
    environment: Environment | Unseen | None
    secrets: Secrets
    workflows: dict[str, str] | Unseen
    """Of the default branch: path -> git's name of the content."""

    @property
    def branch(self) -> str:
        return plain(self.facts.default_branch)

    def page(self, path: str) -> str:
        """The address of a page of the repository."""
        return f"{plain(self.facts.html_url)}/{path}"

    @property
    def is_on_github_com(self) -> bool:
        """Not on a server of somebody's own, which may be older."""
        return self.facts.html_url.startswith("https://github.com/")

    def rules_page(self, rule: Rule) -> str:
        """Where the ruleset of a rule is: of the repository or of the organization."""
        if rule.ruleset_source_type != "Organization":
            return self.page("settings/rules")
        web = plain(self.facts.html_url).removesuffix(f"/{plain(self.facts.full_name)}")
        return f"{web}/organizations/{plain(rule.ruleset_source)}/settings/rules"


def ask(hub: GitHub, *, secrets: bool) -> SetUp:
    """Ask for everything; GitHubError where GitHub is not reached or does not know the repository.

    `secrets`: whether their names matter.
    """
    facts = hub.repository_facts()
    environments = _seen(hub.environments) if secrets else []
    environment = (
        environments
        if isinstance(environments, Unseen)
        else next((each for each in environments if each.name == ENVIRONMENT), None)
    )
    return SetUp(
        facts=facts,
        default=_guard(hub, facts.default_branch),
        reports=_guard(hub, BRANCH),
        owners=_owners(hub),
        actions=_seen(hub.actions_permissions),
        job_token=_seen(hub.workflow_permissions),
        environment=environment,
        secrets=_secrets(hub, facts, environment) if secrets else Secrets(places={}, all_seen=True),
        workflows=_workflows(hub),
    )


def _guard(hub: GitHub, name: str) -> Guard:
    branch = _there(lambda: hub.branch(name))
    is_classic = branch is not None and not isinstance(branch, Unseen) and branch.is_classic
    return Guard(
        branch=branch,
        protection=_seen(lambda: hub.protection(name)) if is_classic else None,
        rules=_seen(lambda: hub.rules(name)),
    )


def _owners(hub: GitHub) -> Owners | Unseen | None:
    for path in codeowners.PLACES:
        found = _there(partial(hub.file, path))
        if isinstance(found, Unseen):
            return found
        if found is not None:
            return Owners(path=path, text=found.text, errors=_seen(hub.codeowners_errors))
    return None


def _secrets(hub: GitHub, facts: RepositoryFacts, environment: Environment | Unseen | None) -> Secrets:
    """The nearer place wins, as GitHub has it: environment, repository, organization."""
    asked: dict[str, list[str] | Unseen] = {"the repository": _seen(hub.secret_names)}
    if facts.owner_type == "Organization":
        asked = {"the organization": _seen(hub.organization_secret_names)} | asked
    if isinstance(environment, Unseen):
        asked[f"the environment {ENVIRONMENT}"] = environment
    elif environment is not None:
        asked[f"the environment {ENVIRONMENT}"] = _seen(lambda: hub.environment_secret_names(ENVIRONMENT))
    places = {name: place for place, names in asked.items() if not isinstance(names, Unseen) for name in names}
    return Secrets(places=places, all_seen=not any(isinstance(names, Unseen) for names in asked.values()))


def _workflows(hub: GitHub) -> dict[str, str] | Unseen:
    found = _there(lambda: hub.folder(FOLDER))
    return found if isinstance(found, Unseen) else {f"{FOLDER}/{each.name}": each.sha for each in found or ()}


def _there(what: Callable[[], _T]) -> _T | Unseen | None:
    """The answer to a question whose 404 says that there is no such thing: the repository itself was seen."""
    try:
        return _seen(what, unseen=(403,))
    except GitHubError as error:
        if error.status != 404:
            raise
        return None


def _seen(what: Callable[[], _T], *, unseen: tuple[int, ...] = (403, 404)) -> _T | Unseen:
    """The answer, or why there is none; what stops any call goes on as an error."""
    try:
        return what()
    except GitHubError as error:
        if error.needs_plan:
            return Unseen.PLAN
        if isinstance(error, RateLimitedError) or error.status not in unseen:
            raise
        return Unseen.RIGHT
