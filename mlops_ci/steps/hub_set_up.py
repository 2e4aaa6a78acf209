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

ENVIRONMENT, SIGNING = "mlops", "mlops-release"
"""Where the generated workflows take secrets from: the jobs that run the project, and the one that signs."""
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
    """What jobs of one environment get: where a secret of a name is; `all_seen`: no place was out of sight."""

    environment: Environment | Unseen | None = None
    places: dict[str, str] = {}
    all_seen: bool = True


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """What GitHub said."""

    facts: RepositoryFacts
    default: Guard
    reports: Guard
    owners: Owners | Unseen | None
    actions: ActionsPermissions | Unseen
    job_token: WorkflowPermissions | Unseen
    secrets: Secrets
    signing: Secrets
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


def ask(hub: GitHub, *, secrets: bool, signs: bool) -> SetUp:
    """Ask for everything; GitHubError where GitHub is not reached or does not know the repository.

    `secrets`: whether the names of those matter that the project's jobs get; `signs`: of the job's that signs.
    """
    facts = hub.repository_facts()
    environments = _seen(hub.environments) if secrets or signs else []
    shared = _shared(hub, facts) if secrets or signs else {}
    return SetUp(
        facts=facts,
        default=_guard(hub, facts.default_branch),
        reports=_guard(hub, BRANCH),
        owners=_owners(hub),
        actions=_seen(hub.actions_permissions),
        job_token=_seen(hub.workflow_permissions),
        secrets=_secrets(hub, ENVIRONMENT, environments, shared) if secrets else Secrets(),
        signing=_secrets(hub, SIGNING, environments, shared) if signs else Secrets(),
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


def _shared(hub: GitHub, facts: RepositoryFacts) -> dict[str, list[str] | Unseen]:
    """Place -> names of the secrets that every job gets which asks; the nearer place last."""
    here = {"the repository": _seen(hub.secret_names)}
    if facts.owner_type != "Organization":
        return here
    return {"the organization": _seen(hub.organization_secret_names)} | here


def _secrets(
    hub: GitHub, name: str, environments: list[Environment] | Unseen, shared: dict[str, list[str] | Unseen]
) -> Secrets:
    """The nearer place wins, as GitHub has it: environment, repository, organization."""
    asked, environment = dict(shared), _named(name, environments)
    if isinstance(environment, Unseen):
        asked[environment_place(name)] = environment
    elif environment is not None:
        asked[environment_place(name)] = _seen(lambda: hub.environment_secret_names(name))
    places = {each: place for place, names in asked.items() if not isinstance(names, Unseen) for each in names}
    all_seen = not any(isinstance(names, Unseen) for names in asked.values())
    return Secrets(environment=environment, places=places, all_seen=all_seen)


def environment_place(name: str) -> str:
    """An environment as a place of secrets, in words."""
    return f"the environment {name}"


def _named(name: str, environments: list[Environment] | Unseen) -> Environment | Unseen | None:
    if isinstance(environments, Unseen):
        return environments
    return next((each for each in environments if each.name == name), None)


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
