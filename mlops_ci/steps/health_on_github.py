"""Is the repository on GitHub set up so that decisions bind? Each finding with the page where it is mended."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlops_ci.config.codeowners import PLACES
from mlops_ci.edge import remote
from mlops_ci.edge.github import access
from mlops_ci.edge.github.client import GitHub
from mlops_ci.edge.github.errors import GitHubError
from mlops_ci.edge.github.transport import Transport
from mlops_ci.edge.http import plain
from mlops_ci.ledger.names import BRANCH
from mlops_ci.reports.gate_status import CONTEXT
from mlops_ci.steps import generated, health_of_jobs, hub_set_up
from mlops_ci.steps.github_files import decisive
from mlops_ci.steps.health import missing, note, ok, unseen
from mlops_ci.steps.hub_set_up import Owners, SetUp, Unseen
from mlops_ci.steps.projects import projects
from mlops_ci.steps.unowned import unowned
from mlops_ci.workflows.generate import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_ci.steps.health import Finding
    from mlops_ci.steps.hub_set_up import Guard
    from mlops_ci.steps.project import Project

_SECONDS = 5.0
"""For one call: at a desk nobody waits for a network that is not there."""
_HARMLESS = ("deletion", "non_fast_forward")
"""Rules a branch may have that is only ever added to, with merges."""
_BINDING = ("pull_request", "required_status_checks", "merge_queue", "update")
"""Rules that keep pushes away which nobody judged."""


def github(project: Project) -> Iterator[Finding]:
    """All there is to see of the repository on GitHub; nothing where it is not there, one note without a token."""
    there = remote.remote_of(project.repository)
    named = access.repository_named(there.url if there else "")
    if not named:
        return
    if not access.given_token():
        yield note("GitHub", f"{plain(named)} was not looked at: no token is set", _how_to_look())
        return
    inputs = projects(project.repository)
    wanted = sorted({name for each in inputs for name in each.secrets})
    signs = any(each.signs for each in inputs)
    by = access.from_environment(named)
    try:
        seen = hub_set_up.ask(GitHub(by, Transport(by, seconds=_SECONDS)), secrets=bool(wanted), signs=signs)
    except GitHubError as error:
        yield note("GitHub", f"{plain(named)} was not looked at: {error.message}", error.advice)
        return
    yield from found(seen, project, tuple(wanted), signs=signs)


def found(seen: SetUp, project: Project, wanted: tuple[str, ...], *, signs: bool) -> Iterator[Finding]:
    """What follows from GitHub's answers. `wanted`: names of secrets; `signs`: releases are to be signed."""
    yield repository(seen)
    yield from workflows(seen, project)
    yield from protection(seen)
    yield reports_branch(seen)
    if seen.default.rules is not Unseen.PLAN:
        yield owners(seen, project)
        yield from owners_review(seen)
    yield from health_of_jobs.actions(seen)
    yield from health_of_jobs.secrets(seen, wanted)
    if signs:
        yield from health_of_jobs.signing_key(seen)


def repository(seen: SetUp) -> Finding:
    name = f"{plain(seen.facts.full_name)}, {plain(seen.facts.visibility)}"
    if seen.facts.archived:
        mend = f"Take it out of the archive, under Danger Zone: {seen.page('settings')}"
        return missing("GitHub", f"{name}, archived: no workflow runs", mend)
    return ok("GitHub", name)


def workflows(seen: SetUp, project: Project) -> Iterator[Finding]:
    """Those of the default branch: the one that records runs from nowhere else."""
    name, there, root = "on GitHub", seen.workflows, project.repository
    if isinstance(there, Unseen):
        yield unseen(name, seen.page(f"tree/{_in_address(seen.branch)}/{FOLDER}"))
        return
    here = [each.path for each in generated.look(root).files if (root.root / each.path).is_file()]
    absent = [path.rpartition("/")[2] for path in here if path not in there]
    other = [path.rpartition("/")[2] for path in here if path in there and there[path] != root.blob_of(path)]
    if absent:
        said = f"{_and(absent)} not on {seen.branch} yet: status and comment come after the first merge"
        yield note(name, said, f"Push your branch and open a pull request: {seen.page('compare')}")
    elif other:
        mend = "What is here counts from its merge on; is it merged already: git pull"
        yield note(name, f"{_and(other)} on {seen.branch}: not as here", mend)
    elif here:
        yield ok(name, f"{seen.branch} has the workflows that are here")


def protection(seen: SetUp) -> Iterator[Finding]:
    """Whether what is refused stays out of the default branch."""
    name, branch, guard = "default branch", seen.branch, seen.default
    binding = [rule.type for rule in guard.known_rules if rule.type in _BINDING]
    if guard.branch is None:
        yield note(name, f"{branch} is not on GitHub yet", f"git push --set-upstream origin {shlex.quote(branch)}")
    if guard.is_classic or binding:
        yield ok(name, f"{branch}, protected by {'a ruleset' if binding else 'branch protection'}")
    elif guard.rules is Unseen.PLAN:
        said = "the plan has no protection and no code owners for private repositories: a refusal stops nobody"
        mend = f"Merge only what `{CONTEXT}` lets through; or take GitHub Pro or Team, or make the repository public: "
        yield note(name, said, mend + seen.page("settings"))
        return
    elif guard.rules is Unseen.RIGHT:
        yield unseen(name, seen.page("settings/rules"))
        return
    else:
        mend = f"Require pull requests and the status `{CONTEXT}` for {branch}: {seen.page('settings/rules')}"
        yield missing(name, f"{branch} is not protected: what is refused can be merged or pushed", mend)
        return
    yield from required_status(seen)


def required_status(seen: SetUp) -> Iterator[Finding]:
    """The gate and nothing else of ours is required, of the newest state of the branch."""
    guard, page = seen.default, seen.page(_rules_page(seen.default))
    others = sorted(each for each in guard.contexts if each.startswith("mlops / ") and each != CONTEXT)
    if CONTEXT not in guard.contexts:
        said = f"`{CONTEXT}` is not required: what is refused can be merged"
        yield missing("required status", said, f"Require it, and no other job of ours: {page}")
    if others:
        names = _and([f"`{plain(each)}`" for each in others])
        said = f"{names} required: a job is no verdict, and stays red after an approval"
        yield missing("required status", said, f"Require `{CONTEXT}` in its place: {page}")
    if CONTEXT not in guard.contexts:
        return
    if not others:
        yield ok("required status", CONTEXT)
    if any(rule.type == "merge_queue" for rule in guard.known_rules):
        yield ok("up to date", "a merge queue judges each change as it will be merged")
    elif guard.is_strict:
        yield ok("up to date", "branches have to be, before they are merged")
    elif guard.protection is Unseen.RIGHT:
        yield unseen("up to date", page)
    else:
        said = "branches need not be: a verdict counts although data and rules moved on since"
        yield note("up to date", said, f"Require branches to be up to date, or a merge queue: {page}")


def reports_branch(seen: SetUp) -> Finding:
    """Nothing keeps the bot from adding to the ledger."""
    guard = seen.reports
    rules = [rule for rule in guard.known_rules if rule.type not in _HARMLESS]
    if rules:
        kinds = ", ".join(sorted({plain(rule.type) for rule in rules}))
        mend = f"Leave {BRANCH} out of it: {seen.rules_page(rules[0])}"
        return missing(BRANCH, f"a ruleset holds for it ({kinds}): the bot cannot write decisions", mend)
    if guard.is_classic:
        mend = f"Leave {BRANCH} out of it: {seen.page('settings/branches')}"
        return missing(BRANCH, "branch protection holds for it: the bot cannot write decisions", mend)
    if guard.rules is Unseen.RIGHT or guard.branch is Unseen.RIGHT:
        return unseen(BRANCH, seen.page("settings/rules"))
    return ok(BRANCH, "not protected, as it has to be" + ("" if guard.branch else "; the first decision makes it"))


def owners(seen: SetUp, project: Project) -> Finding:
    """Somebody owns each path whose change changes what is decided."""
    name, there = "CODEOWNERS", seen.owners
    paths = decisive(inside=project.folder, contract=project.config.data.contract)
    if isinstance(there, Unseen):
        return unseen(name, seen.page(f"tree/{_in_address(seen.branch)}"))
    if there is None:
        here = next((path for path in PLACES if (project.repository.root / path).is_file()), "")
        if here:
            return note(name, f"{here} is not on {seen.branch} yet", "It counts from its merge on.")
        page = seen.page(f"new/{_in_address(seen.branch)}?filename={PLACES[0]}")
        return note(name, "none: whoever may merge may change the rules", f"Name owners of {_and(paths)}: {page}")
    page = seen.page(f"blob/{_in_address(seen.branch)}/{there.path}")
    errors = () if isinstance(there.errors, Unseen) else there.errors
    if errors:
        lines = _and([f"line {each.line} ({plain(each.kind)})" for each in errors[:3]])
        more = f" and {len(errors) - 3} more" if len(errors) > 3 else ""
        return missing(name, f"{there.path} has errors: {lines}{more}", f"GitHub skips such a line: {page}")
    bare = unowned(there.text or "", (*paths, there.path))
    if bare:
        return note(name, f"nobody owns {_and(bare)}", f"Name owners, at the end of the file: {page}")
    return ok(name, f"{there.path}, with owners of all that decides")


def owners_review(seen: SetUp) -> Iterator[Finding]:
    """Owners are not only asked: their consent is required."""
    name, guard = "owners' review", seen.default
    if not isinstance(seen.owners, Owners):
        return
    if guard.asks_owners:
        yield ok(name, f"required for {seen.branch}")
    elif Unseen.RIGHT in (guard.protection, guard.rules):
        yield unseen(name, seen.page(_rules_page(guard)))
    else:
        mend = (
            "Require review from Code Owners (not where you are alone: nobody approves a pull request of their own): "
        )
        yield note(name, "not required: owners are asked, and need not agree", mend + seen.page(_rules_page(guard)))


def _rules_page(guard: Guard) -> str:
    return "settings/branches" if guard.is_classic else "settings/rules"


def _how_to_look() -> str:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return "In a job: env: {GITHUB_TOKEN: ${{ github.token }}}"
    host = access.host()
    elsewhere = "" if host == "github.com" else f" --hostname {host}"
    return f"GH_TOKEN=$(gh auth token{elsewhere}) mlops-ci doctor"


def _in_address(name: str) -> str:
    return quote(name, safe="/")


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
