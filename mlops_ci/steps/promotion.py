"""A move of an environment: settled from git and ledger, judged by the environment's rules and gates, carried out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import environment_file
from mlops_ci.edge import actions, remote
from mlops_ci.errors import MlopsCiError, UsageError
from mlops_ci.promotion import rules
from mlops_ci.promotion.rules import Way
from mlops_ci.records.environments import Move, Quarantined, ReleaseRef, Stay
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part, Result
from mlops_ci.steps import deploy_files, environments, ledger
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.packed import answers_by_itself
from mlops_ci.steps.project import Project, open_project
from mlops_ci.steps.publish import bring_in
from mlops_ci.steps.releases import named, releases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_ci.records.decisions import Evidence
    from mlops_ci.records.releases import Release
    from mlops_ci.steps.environments import Site
    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.progress import Clock


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: a release, "" the next one; how it reaches the default branch."""

    environment: str
    release: str = ""
    way: Way
    reason: str = ""
    """Of a rollback."""
    back: bool = False
    """A rollback."""
    emergency: bool = False
    """A rollback whose bundle cannot be tried out."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """Where the environment is, and which release is meant."""

    project: Project
    wish: Wish
    site: Site
    stays: tuple[Stay, ...]
    """Of the environment, the present one first."""
    release: Release
    made: StoredDecision | None
    judged: StoredDecision | None
    against: str
    before: Stay | None
    """The release's longest stay in the environment before."""
    now: datetime
    newest: str
    ledger: str
    files: Mapping[str, str]
    """What the environment is deployed from and has to change: path from the root of the repository -> text."""
    unfit: str
    """Why that cannot be done, in words."""

    @property
    def ref(self) -> ReleaseRef:
        """The release as the file names it."""
        return ref_of(self.release)

    @property
    def there(self) -> bool:
        """It runs there already."""
        return self.site.state.runs == self.ref and not self.files and not self.unfit


def ref_of(release: Release) -> ReleaseRef:
    """A release as environments name it."""
    return ReleaseRef(release=release.release, bundle=release.bundle, image=release.image or "")


def require_reason(wish: Wish) -> None:
    """UsageError for a rollback whose reason cannot stand in the environment's file."""
    if wish.back and not environment_file.is_line(wish.reason):
        raise UsageError("the reason is no line of text", "Give it in one line of up to 1,000 letters: --reason TEXT")


def fetched(project: Project, clock: Clock) -> None:
    """What others promoted, released and decided meanwhile; nothing where there is no remote."""
    if remote.remote_of(project.repository) is None:
        return
    branch = environments.default_branch(project)
    with clock.step("fetch", "looking at the remote") as line:
        remote.fetch(project.repository, f"+refs/heads/{branch}:refs/remotes/origin/{branch}")
        bring_in(project.repository)
        line.found = f"{branch} and the ledger"


def settle(project: Project, wish: Wish, *, at: str = "") -> Settled:
    """UsageError where the environment or the release does not exist. `at`: the commit it is built upon, where that is
    known already.
    """
    repository = project.repository
    commit = at or _start(project, wish)
    site = environments.site(project, wish.environment, commit)
    known = releases(repository, project.config.project)
    if not known:
        raise UsageError(f"{project.config.project} has no release yet", "Make one: mlops-ci release")
    stays = environments.stays(project, wish.environment, commit)
    release = _back(wish, site, stays, known) if wish.back else _asked(project, wish, site, known)
    made, judged = (ledger.by_id(repository, one) if one else None for one in (release.decision, release.judged))
    now = datetime.now(UTC).replace(microsecond=0)
    after = site.rules.after
    files, unfit = deploy_files.after(project, site, ref_of(release))
    return Settled(
        project=project,
        wish=wish,
        site=site,
        stays=stays,
        release=release,
        made=made,
        judged=judged,
        against="" if wish.back or judged is None else _against(project, judged),
        before=rules.longest(environments.stays(project, after, commit), release.bundle, now) if after else None,
        now=now,
        newest=_newest(project, commit),
        ledger=ledger.head(repository) or "",
        files=files,
        unfit=unfit,
    )


def asked_of(settled: Settled) -> rules.Asked:
    """What the rules are asked."""
    return rules.Asked(
        environment=settled.site.name,
        rules=settled.site.rules,
        where=settled.site.where,
        state=settled.site.state,
        release=settled.release,
        project=settled.site.config.project,
        made=settled.made.decision if settled.made else None,
        bundle=_made_of(settled.made.evidence) if settled.made else "",
        judged=settled.judged.decision if settled.judged else None,
        against=settled.against,
        stay=settled.before,
        now=settled.now,
        newest=settled.newest,
        unfit=settled.unfit,
        way=settled.wish.way,
    )


def _made_of(evidence: Evidence) -> str:
    """The bundle of a release, or the folder of an imported model."""
    found = evidence.bundle or evidence.imported
    return found.digest if found else ""


def move_of(settled: Settled) -> Move:
    """The move as it is kept."""
    state, back = settled.site.state, settled.wish.back
    return Move(
        environment=settled.site.name,
        before=state.runs,
        after=settled.ref,
        replaced=state.decision,
        released=settled.release.decision,
        judged=settled.release.judged,
        ledger=settled.ledger,
        at=settled.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        stay=settled.before,
        reason=settled.wish.reason,
        quarantined=_quarantined(settled) if back else msgspec.UNSET,
    )


def tried(settled: Settled, clock: Clock) -> tuple[Result, ...]:
    """Whether the bundle that is gone back to is there, whole, and answers its golden requests as it was judged.

    In an emergency a no is told and does not hold it back.
    """
    with clock.step("bundle", "loading the bundle by itself") as line:
        result = _tried(settled, lambda text: clock.say("bundle", text))
        line.found = result.message
    return (msgspec.structs.replace(result, blocking=not settled.wish.emergency),)


def _tried(settled: Settled, say: Callable[[str], None]) -> Result:
    release = settled.release
    if release.imported:
        told = "an imported model is MLflow's, and is not tried out here"
        return Result(check="bundle", part=Part.RULES, status=Status.SKIPPED, message=told)
    try:
        found = find_bundle(settled.project.root, release.release, say)
        judged = settled.made.evidence.bundle if settled.made else None
        answers = answers_by_itself(found.folder, judged.fingerprint if judged else "", say)
    except MlopsCiError as error:
        return Result(check="bundle", part=Part.RULES, status=Status.ERRORED, message=error.message)
    return msgspec.structs.replace(answers, check="bundle", part=Part.RULES)


def _quarantined(settled: Settled) -> Quarantined | msgspec.UnsetType:
    """What is rolled back is kept out from here on: promoters that go on would put it there again."""
    left = settled.site.state.runs
    if left is None or left.bundle == settled.release.bundle:
        return msgspec.UNSET
    by = actions.actor() or settled.project.repository.user() or "somebody without a name in git"
    return Quarantined(bundle=left.bundle, release=left.release, reason=settled.wish.reason, by=by)


def _start(project: Project, wish: Wish) -> str:
    """A local commit goes on from the branch here; anything else from what the remote has."""
    repository, branch = project.repository, environments.default_branch(project)
    if wish.way is not Way.COMMIT:
        return repository.find(f"refs/remotes/origin/{branch}") or environments.truth(project)
    here = repository.find(f"refs/heads/{branch}")
    there = repository.find(f"refs/remotes/origin/{branch}")
    if here is None or (there and not repository.is_ancestor(there, here)):
        told = f"{branch} here is not what the remote has"
        raise UsageError(told, f"Bring it up to date (git switch {branch}; git pull), or promote with --push.")
    return here


def _asked(project: Project, wish: Wish, site: Site, known: Mapping[int, Release]) -> Release:
    """The one that was named; else what runs in the environment before, else the newest."""
    if wish.release:
        return named(known, wish.release)
    if site.rules.after is None:
        return known[max(known)]
    before = environments.site(project, site.rules.after, site.commit).state.runs
    if before is None:
        raise UsageError(
            f"nothing runs in {site.rules.after} yet, from where {site.name} takes its release",
            f"Promote one there first: mlops-ci promote {site.rules.after}",
        )
    return _as_recorded(before, known, site.rules.after)


def _back(wish: Wish, site: Site, stays: tuple[Stay, ...], known: Mapping[int, Release]) -> Release:
    """The one that was named; else the last that ran there and was not rolled back."""
    if site.state.runs is None:
        raise UsageError(f"nothing runs in {site.name}: there is nothing to go back from")
    if wish.release:
        return named(known, wish.release)
    for stay in stays[1:]:
        if stay.runs.bundle != site.state.runs.bundle and not site.state.quarantined(stay.runs.bundle):
            return _as_recorded(stay.runs, known, site.name)
    advice = "Name one that may run there: mlops-ci rollback ENV --to v3 --reason TEXT"
    raise UsageError(f"nothing ran in {site.name} before {site.state.runs.release} that may run there again", advice)


def _as_recorded(runs: ReleaseRef, known: Mapping[int, Release], where: str) -> Release:
    """The release of a file; UsageError where the ledger knows its number as something else."""
    found = known.get(int(runs.release[1:]))
    if found is None or found.bundle != runs.bundle:
        told = "the ledger has no such release" if found is None else f"{runs.release} of the ledger is another bundle"
        raise UsageError(f"{where} names {runs.release}, {runs.bundle[:12]}: {told}", "`mlops-ci verify` says more.")
    return found


def _against(project: Project, judged: StoredDecision) -> str:
    """A decision of the same commit that was recorded later and did not pass, in words."""
    for row in ledger.history(project.repository, project=judged.decision.project):
        if row.id == judged.id:
            return ""
        if row.commit == judged.decision.subject.commit and row.kind == "check" and row.outcome != Outcome.PASSED:
            return f"decision {row.id[:12]} of the same commit, recorded later, did not pass: {row.verdict}"
    return ""


def _newest(project: Project, commit: str) -> str:
    """The latest time that git has seen: of the default branch and of the ledger."""
    found = [commit, ledger.head(project.repository)]
    return max(project.repository.commit_info(one).committed for one in found if one)


def usual_way(start: Path) -> Way:
    """By a pull request where there is a remote, else by a commit here."""
    project = open_project(start)
    return Way.PULL_REQUEST if remote.remote_of(project.repository) else Way.COMMIT
