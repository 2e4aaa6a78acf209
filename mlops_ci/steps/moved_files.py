"""A commit that changes files of environments: is each what a decision of the ledger says, by the rules of now.

Nothing of it is run or trained, and nothing of the commit but those files is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mlops_ci.config import environment_file
from mlops_ci.errors import MlopsCiError, OutsideError
from mlops_ci.promotion import changes, rules
from mlops_ci.promotion.rules import Way
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Outcome, Status, combine
from mlops_ci.steps import deploy_files, environments, ledger, promotion, promotion_decision
from mlops_ci.steps.promotion import Settled, Wish

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.config.settings import Config
    from mlops_ci.promotion.changes import Wrong
    from mlops_ci.records.environments import EnvironmentFile, Stay
    from mlops_ci.steps.project import Project


class Seen(NamedTuple):
    """What was found of the files that a commit changes."""

    outcome: Outcome
    told: str


class _File(NamedTuple):
    """The file of an environment as a commit leaves it. `at`: the commit whose rules decide."""

    project: Project
    name: str
    path: str
    at: str
    before: EnvironmentFile
    after: EnvironmentFile
    text: str | None
    stays: tuple[Stay, ...]
    """At `at`, the present one first."""


def judge_moves(project: Project, *, base: str, commit: str, at: str, root: Path) -> Seen | None:
    """None where the commit changes no such file. `base`: what it is compared with; `at`: the commit whose rules
    decide, and whose files have to be those of the base; `root`: an empty folder to work in.
    """
    names = _changed(project, base, commit, at)
    if not names:
        return None
    if not base:
        return Seen(Outcome.FAILED, f"{names[0]}: edited by hand: nothing was there before")
    found = [_judged(project, name, base=base, commit=commit, at=at, root=root) for name in names]
    outcome = combine(Status(one.outcome.value) for one in found)
    return Seen(outcome, "; ".join(one.told for one in found if one.outcome is outcome))


def _changed(project: Project, base: str, commit: str, at: str) -> list[str]:
    """The environments whose files are others."""
    folder = project.path(f"{environment_file.FOLDER}/")
    paths = [path for _, path in project.repository.changed_paths(base or None, commit, "")]
    inside = [path.removeprefix(folder) for path in paths if path.startswith(folder)]
    files = {path.removesuffix(".yaml") for path in inside if "/" not in path and path.endswith(".yaml")}
    deployed = {path.partition("/")[0] for path in inside if "/" in path}
    return sorted(files | (deployed & {*_settings(project, at).environments} if deployed else set()))


def _settings(project: Project, commit: str) -> Config:
    """Those that name the environments; of a commit whose settings cannot be read those of the working files."""
    try:
        return environments.settings_at(project, commit)
    except MlopsCiError:
        return project.config


def _judged(project: Project, name: str, *, base: str, commit: str, at: str, root: Path) -> Seen:
    path = project.path(environment_file.path(name))
    try:
        # Of the commit's own settings nothing counts: those it is to be merged into name the project and its store.
        config = environments.settings_at(project, at)
        ours = msgspec.structs.replace(project, root=root, config=config)
        seen = _held(ours, name, path, base=base, commit=commit, at=at)
        return _deployed(ours, name, commit, at, seen) if seen.outcome is Outcome.PASSED else seen
    except OutsideError as error:
        return Seen(Outcome.ERRORED, f"{path}: {error.message}")
    except MlopsCiError as error:
        return Seen(Outcome.FAILED, f"{error.where or path}: {error.message}")


def _deployed(project: Project, name: str, commit: str, at: str, seen: Seen) -> Seen:
    """What an engine reads names what the file says: else it would deploy what nobody decided."""
    site = environments.site(project, name, at)
    state = environments.readable(project.repository, commit, site.path)
    wrong = deploy_files.foreign(project, name, site.rules.deploy, commit, state.runs if state else None)
    return Seen(Outcome.FAILED, f"edited by hand: {wrong}") if wrong else seen


def _held(project: Project, name: str, path: str, *, base: str, commit: str, at: str) -> Seen:
    repository = project.repository
    was, text = (environments.text(repository, one, path) for one in (base, commit))
    if environments.text(repository, at, path) != was:
        return Seen(Outcome.FAILED, f"{path}: {name} was changed since: run it again on what runs there now")
    past = environments.texts(project, name, at)
    before = environments.readable(repository, base, path)
    if before is None:  # somebody broke it, and only what git had of it before mends it
        last = next((one for one in past if one != was), None)
        mended = text is not None and text == last
        told = f"{name} is restored as it was" if mended else f"{path}: edited by hand: it is not what it was before"
        return Seen(Outcome.PASSED if mended else Outcome.FAILED, told)
    environments.site(project, name, at)  # one that the settings do not have is an error
    after = environment_file.parse(text or "", file=path)
    file = _File(project, name, path, at, before, after, text, environments.stays(project, name, at))
    gone = changes.lifted(before, after)
    if gone is not None and text is not None:
        lifted = f"{name}: the quarantine of {' and '.join(one.release for one in gone)} is lifted"
        return Seen(Outcome.PASSED, lifted if gone else f"{name}: only remarks are others")
    if text in (*past, None) and changes.goes_back(file.stays, after):
        return _reverted(file)
    return _decided(file)


def _reverted(file: _File) -> Seen:
    """The file is again what it was: a rollback, as long as nothing comes back that was rolled back."""
    kept = [one for one in file.before.quarantine if one not in file.after.quarantine]
    if kept:
        told = f"the revert takes the quarantine of {kept[0].release} away: mlops-ci rollback {file.name} keeps it"
        return _no(file, "quarantine", told)
    left = file.before.runs.release if file.before.runs else "nothing"
    runs = file.after.runs
    if runs is None:
        return Seen(Outcome.PASSED, f"{file.name} goes back to nothing, after {left}, by a plain revert")
    return _by_rules(file, back=True, told=f"goes back to {runs.release}, after {left}, by a plain revert")


def _decided(file: _File) -> Seen:
    """The file is what a promotion or a rollback makes of the one before."""
    before, after = file.before, file.after
    stored = ledger.by_id(file.project.repository, after.decision) if after.decision else None
    if after.runs is None or stored is None:
        lacking = f"the ledger has no decision {after.decision[:12]}" if after.decision else "it names no decision"
        return _no(file, "decision", f"edited by hand: {lacking}")
    decision = stored.decision
    wrong: Wrong | None = next(
        changes.differences(
            before,
            after,
            decision=decision,
            move=stored.evidence.move or None,
            project=file.project.config.project,
            environment=file.name,
        ),
        None,
    )
    if wrong:
        return _no(file, wrong.key, f"edited by hand: {wrong.told}")
    if any(stay.decision == stored.id for stay in file.stays):
        told = f"decision {stored.id[:12]} put {after.runs.release} there before, and counts once: run it again"
        return _no(file, "decision", told)
    back = decision.kind is DecisionKind.ROLLBACK
    left = f", after {before.runs.release}" if before.runs else ""
    verb = "goes back to" if back else "goes to"
    return _by_rules(file, back=back, told=f"{verb} {after.runs.release}{left}, decision {stored.id[:12]}")


def _by_rules(file: _File, *, back: bool, told: str) -> Seen:
    """The rules as they are now, and of a promotion the gates."""
    runs = file.after.runs
    wish = Wish(environment=file.name, release=runs.release if runs else "", way=Way.PULL_REQUEST, back=back)
    settled = promotion.settle(file.project, wish, at=file.at)
    if settled.ref != runs:
        return _no(file, "release", f"edited by hand: the ledger knows {wish.release} as another bundle or image")
    return _asked(file, settled, told)


def _asked(file: _File, settled: Settled, told: str) -> Seen:
    asked = promotion.asked_of(settled)
    results = rules.rollback(asked) if settled.wish.back else rules.promotion(asked)
    verdicts = () if settled.wish.back else promotion_decision.gates(settled)
    outcome = promotion_decision.outcome_of(verdicts, results)
    if outcome is Outcome.PASSED:
        return Seen(outcome, f"{file.name} {told}")
    return Seen(outcome, f"{_where(file, 'release')}: {promotion_decision.reason(settled, outcome, verdicts, results)}")


def _no(file: _File, key: str, told: str) -> Seen:
    return Seen(Outcome.FAILED, f"{_where(file, key)}: {told}")


def _where(file: _File, key: str) -> str:
    line = environment_file.line(file.text or "", key, file=file.path)
    return f"{file.path}:{line}" if line else file.path
