"""A move of an environment as a pull request: one at a time for each, found again after a run that was killed.

What is proposed is told by its branch and what lies there, not by titles and texts, which people edit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.edge import actions, remote
from mlops_ci.edge.github import access
from mlops_ci.edge.github.client import GitHub
from mlops_ci.edge.github.errors import GitHubError
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports import promotion_pull as words
from mlops_ci.steps import environments, ledger, moving
from mlops_ci.steps.moving import Carried, Proposed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.edge.github.values import PullRequest
    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.promotion import Settled

_BRANCH = re.compile(r"mlops-ci/(promote|rollback)/([a-z0-9-]+)/(.+)-(v[1-9]\d{0,8})-([0-9a-f]{8})")
_HERE = "refs/mlops-ci/proposals"
_WITHOUT = "Or go without a pull request: --push."


class _Branch(NamedTuple):
    """A branch that moves this environment, by its name."""

    name: str
    back: bool
    release: str
    decision: str
    """The first digits of its id."""


class _Open(NamedTuple):
    """An open pull request of this environment. `fits`: it was planned on the file that the default branch has."""

    pull: PullRequest
    branch: _Branch
    fits: bool


def reach(project: Project) -> GitHub:
    """The GitHub of the remote. UsageError where there is none, or no token: it says what to set."""
    there = remote.remote_of(project.repository)
    if there is None:
        raise UsageError("there is no remote where a pull request could be opened", "Commit it here: --commit.")
    named = access.repository_named(there.url)
    if not named:
        advice = "Set GITHUB_REPOSITORY to OWNER/NAME, and GITHUB_API_URL for a GitHub of your own."
        raise UsageError(f"{there.url} is no repository on {access.host()}", f"{advice} {_WITHOUT}")
    try:
        return GitHub(access.from_environment(named))
    except UsageError as error:
        raise UsageError(error.message, f"{error.advice} {_WITHOUT}") from error


def proposed_already(hub: GitHub, settled: Settled) -> Carried | None:
    """The pull request that asks for the same already; one whose run was killed before it was opened is opened now.

    OutsideError where another one is open, unless this goes back: one at a time.
    """
    _look(settled)
    for one in _opened(hub, settled):
        if not one.fits:
            continue
        if _same(one.branch, settled):
            decision = _decision(settled, one.branch)
            return _carried(settled, one.branch, decision.id if decision else "", one.pull)
        if not settled.wish.back:
            raise OutsideError(
                f"{settled.site.name}: a pull request for {one.branch.release} is open already: #{one.pull.number}",
                f"One at a time: merge or close it first, {one.pull.html_url}",
            )
    for branch in _pushed(settled):
        stored = _decision(settled, branch)
        if stored and _same(branch, settled) and not hub.pulls(head=branch.name, state="all"):
            return opened(hub, settled, _carried(settled, branch, stored.id, None), stored.report_markdown)
    return None


def opened(hub: GitHub, settled: Settled, carried: Carried, report: str) -> Carried:
    """Open the pull request of what was pushed; those that stand in the way or are out of date are closed with a word.

    OutsideError where somebody opened another one at the same moment: the elder stays, and ours is closed.
    """
    for one in _opened(hub, settled):
        if one.pull.head.ref != carried.branch:
            _close(hub, settled, one)
    pull = _created(hub, settled, carried, report)
    _look(settled)
    for one in _opened(hub, settled):
        if one.pull.number == pull.number:
            continue
        if settled.wish.back and not one.branch.back:
            _close(hub, settled, one)
        elif one.fits and (one.pull.number < pull.number or (one.branch.back and not settled.wish.back)):
            return _given_up(hub, settled, pull, one)
    return carried._replace(pull=Proposed(pull.number, pull.html_url))


def _created(hub: GitHub, settled: Settled, carried: Carried, report: str) -> PullRequest:
    body = words.body(
        report,
        path=settled.site.path,
        environment=settled.site.name,
        decision=carried.decision,
        waits=actions.is_job() and not access.has_own_token(),
    )
    base = environments.default_branch(settled.project)
    try:
        return hub.create_pull(head=carried.branch, base=base, title=moving.title(settled), body=body)
    except GitHubError:  # it may be there all the same: the answer was lost, or another run was faster
        there = hub.pulls(head=carried.branch, base=base)
        if not there:
            raise
        return there[0]


def _given_up(hub: GitHub, settled: Settled, pull: PullRequest, other: _Open) -> Carried:
    name, number = settled.site.name, other.pull.number
    hub.create_comment(pull.number, words.second(name, number))
    hub.close_pull(pull.number)
    decision = _decision(settled, other.branch)
    if _same(other.branch, settled) and decision:
        return _carried(settled, other.branch, decision.id, other.pull)
    raise OutsideError(
        f"{name}: a pull request for {other.branch.release} was opened at the same moment: #{number}",
        f"Ours, #{pull.number}, was closed. Merge or close the other one first: {other.pull.html_url}",
    )


def _close(hub: GitHub, settled: Settled, one: _Open) -> None:
    site = settled.site
    runs = site.state.runs.release if site.state.runs else ""
    back = words.given_way(site.name, settled.release.release, settled.wish.reason)
    hub.create_comment(one.pull.number, back if one.fits else words.overtaken(site.name, runs))
    hub.close_pull(one.pull.number)


def _look(settled: Settled) -> None:
    """Fetch the branches of proposals: what is no more at the remote goes here too."""
    project = settled.site.config.project
    for verb in ("promote", "rollback"):
        spec = f"+refs/heads/mlops-ci/{verb}/{project}/*:{_HERE}/mlops-ci/{verb}/{project}/*"
        remote.fetch(settled.project.repository, spec, prune=True)


def _opened(hub: GitHub, settled: Settled) -> Iterator[_Open]:
    """The open ones of this environment that come from this repository, the eldest first."""
    found = hub.pulls(base=environments.default_branch(settled.project))
    for pull in sorted(found, key=lambda one: one.number):
        branch = _named(settled, pull.head.ref)
        if branch and pull.head.repository == pull.base.repository:
            yield _Open(pull, branch, _fits(settled, branch))


def _pushed(settled: Settled) -> list[_Branch]:
    """The branches of this environment that fit, whether or not a pull request was ever opened."""
    out = settled.project.repository.run("for-each-ref", "--format=%(refname)", _HERE).decode("utf-8", "replace")
    names = [line.removeprefix(f"{_HERE}/") for line in out.splitlines()]
    return [branch for name in names if (branch := _named(settled, name)) and _fits(settled, branch)]


def _named(settled: Settled, name: str) -> _Branch | None:
    found = _BRANCH.fullmatch(name)
    if found is None or found.group(2, 3) != (settled.site.config.project, settled.site.name):
        return None
    return _Branch(name, back=found[1] == "rollback", release=found[4], decision=found[5])


def _same(branch: _Branch, settled: Settled) -> bool:
    return (branch.back, branch.release) == (settled.wish.back, settled.release.release)


def _fits(settled: Settled, branch: _Branch) -> bool:
    """It was planned on the file that the default branch has, and its file names the release and the decision."""
    repository, site = settled.project.repository, settled.site
    commit = repository.find(f"{_HERE}/{branch.name}")
    base = repository.merge_base(commit, site.commit) if commit else None
    if commit is None or base is None or repository.show(base, site.path) != repository.show(site.commit, site.path):
        return False
    state = environments.readable(repository, commit, site.path)
    runs = state.runs if state else None
    return bool(state and runs and runs.release == branch.release and state.decision.startswith(branch.decision))


def _decision(settled: Settled, branch: _Branch) -> StoredDecision | None:
    """What its file names, where the ledger has it and it says so."""
    repository, site = settled.project.repository, settled.site
    commit = repository.find(f"{_HERE}/{branch.name}")
    state = environments.readable(repository, commit, site.path) if commit else None
    stored = ledger.by_id(repository, state.decision) if state and state.decision else None
    if stored is None or state is None:
        return None
    decision, move = stored.decision, stored.evidence.move or None
    kind = DecisionKind.ROLLBACK if branch.back else DecisionKind.PROMOTION
    passed = (decision.kind, decision.outcome, decision.project) == (kind, Outcome.PASSED, site.config.project)
    return stored if passed and move and move.environment == site.name and move.after == state.runs else None


def _carried(settled: Settled, branch: _Branch, decision: str, pull: PullRequest | None) -> Carried:
    commit = settled.project.repository.resolve(f"{_HERE}/{branch.name}")
    return Carried(commit, branch.name, decision, Proposed(pull.number, pull.html_url) if pull else None)
