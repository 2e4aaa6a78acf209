"""May jobs on GitHub do what the generated workflows ask of them? Actions, their token, their secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.edge import signing
from mlops_ci.edge.http import plain
from mlops_ci.steps.health import missing, note, ok, unseen
from mlops_ci.steps.hub_set_up import ENVIRONMENT, SIGNING, Unseen, environment_place
from mlops_ci.workflows.pins import PINS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.steps.health import Finding
    from mlops_ci.steps.hub_set_up import SetUp

_APPROVAL = "; a person has to approve the checks of what a job's token opens"
"""Since 2026-06-11, https://docs.github.com/en/actions/concepts/security/github_token"""


def actions(seen: SetUp) -> Iterator[Finding]:
    """Workflows run, and what their token may do."""
    page = seen.page("settings/actions")
    if isinstance(seen.actions, Unseen) or isinstance(seen.job_token, Unseen):
        yield unseen("Actions", page)
        return
    yield _allowed(seen.actions.allowed_actions if seen.actions.enabled else None, page)
    if seen.job_token.default_workflow_permissions == "read":
        yield ok("job token", "reads, where a workflow asks for nothing else")
    else:
        said = "writes in workflows that name no permissions; the generated ones name theirs"
        yield note("job token", said, f"Take read repository contents and packages permissions: {page}")
    if seen.job_token.can_approve_pull_request_reviews:
        yield ok("pull requests", "Actions may open them" + (_APPROVAL if seen.is_on_github_com else ""))
    else:
        said = "Actions may not open any; the workflows for checks open none"
        yield note("pull requests", said, f"For workflows that do, as a promotion's, allow it: {page}")


def secrets(seen: SetUp, wanted: tuple[str, ...]) -> Iterator[Finding]:
    """Those that `runner.secrets` names, by name; and what else the environment asks before they are given."""
    page = seen.page("settings/secrets/actions")
    for name in wanted:
        place = seen.secrets.places.get(name)
        if place:
            yield ok(f"secret {name}", f"in {place}")
        elif seen.secrets.all_seen:
            mend = f"Set it in the repository or in an environment {ENVIRONMENT}: {page}"
            yield missing(f"secret {name}", "runner.secrets names it, and it is not there", mend)
        else:
            yield unseen(f"secret {name}", page)
    environment = seen.secrets.environment
    if environment is None or isinstance(environment, Unseen):
        return
    name, page = f"environment {ENVIRONMENT}", seen.page("settings/environments")
    if environment.reviewers:
        yield note(name, "each check waits until somebody approves it", f"Take its reviewers out: {page}")
    if environment.takes_some:
        mend = f"Let it take all branches, or refs/pull/*/merge too: {page}"
        yield note(name, "only for some branches: checks of pull requests may be refused", mend)


def signing_key(seen: SetUp) -> Iterator[Finding]:
    """The private half of `package.trust`, where the job that signs finds it and, at best, no other workflow."""
    name, page = f"secret {signing.KEY}", seen.page("settings/environments")
    place, environment = seen.signing.places.get(signing.KEY), seen.signing.environment
    apart = f"an environment {SIGNING} that takes {seen.branch} alone"
    if place is None and not seen.signing.all_seen:
        yield unseen(name, page)
    elif place is None:
        said = "package.trust names its public half, and it is not there: nothing is released"
        yield missing(name, said, f"Put the text of the PEM file into {apart}: {page}")
    elif place != environment_place(SIGNING):
        said = f"in {place}: any workflow that somebody pushes can read it"
        yield note(name, said, f"Move it into {apart}: {page}")
    elif environment is None or isinstance(environment, Unseen) or environment.takes_some:
        yield ok(name, f"in {place}")
    else:
        said = f"in {place}, which takes every branch: any workflow that somebody pushes can read it"
        yield note(name, said, f"Let it take {seen.branch} alone: {page}")


def _allowed(which: str | None, page: str) -> Finding:
    """Which actions may run; None: none at all."""
    if which is None:
        return missing("Actions", "off: no workflow runs", f"Allow them: {page}")
    used = ", ".join(sorted({"/".join(pin.action.split("/")[:2]) for pin in PINS.values()}))
    if which == "all":
        return ok("Actions", "on")
    if which == "selected":
        return note("Actions", "only selected actions may run", f"Are these selected: {used}? {page}")
    return missing("Actions", f"actions of others may not run ({plain(which)})", f"Allow these: {used}. {page}")
