"""One decision of the ledger, all of it: its folder, its rows, its verdicts, and what git says of its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import waivers
from mlops_ci.ledger import audit
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verified import Finding, Note, Problem
from mlops_ci.steps.project import SETTINGS, Project
from mlops_ci.steps.projects import alone, projects_at
from mlops_ci.steps.verify_commits import Commits
from mlops_ci.steps.verify_gates import verdicts
from mlops_ci.steps.verify_moves import move_of
from mlops_ci.steps.verify_rows import kept_of
from mlops_ci.steps.verify_shelf import Shelf, open_shelf
from mlops_ci.steps.waivers import not_waived, waived_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.ledger.audit import Parts
    from mlops_ci.steps.runs import Kept

_MOVES = (DecisionKind.PROMOTION, DecisionKind.ROLLBACK)


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What decisions are compared with."""

    project: Project
    shelf: Shelf
    commit: str
    """Of the default branch."""
    projects: dict[str, Project]
    """By name, as they are at that commit."""
    commits: Commits


def scene(project: Project, commit: str) -> Scene | None:
    """None where nothing was decided yet."""
    shelf = open_shelf(project.repository)
    if shelf is None:
        return None
    found = alone(projects_at(project.repository, commit)).values()
    known = {one.config.project: one for one in found if isinstance(one, Project)}
    return Scene(
        project=project,
        shelf=shelf,
        commit=commit,
        projects={project.config.project: project} | known,
        commits=Commits(project.repository),
    )


def look_up(at: Scene, ids: tuple[str, ...]) -> None:
    """Ask git at once about the commits that these decisions name."""
    folders = {project.folder for project in at.projects.values()}
    paths = [f"{folder}/{name}".removeprefix("/") for folder in folders for name in (SETTINGS, waivers.FILE)]
    at.commits.learn(at.shelf.commits(ids), [*folders, *paths])


def decision(at: Scene, parts: Parts | None, problems: tuple[Problem, ...]) -> Iterator[Finding]:
    """Everything of a decision that was opened, with the problems of opening it."""
    yield from problems
    if parts is None:
        return
    yield from audit.consistent(parts)
    for path in audit.look_of(parts):
        if path not in at.shelf.files:
            yield Problem(where=path, message=f"is missing: decision {parts.short} looked at these rows")
    project = at.projects.get(parts.decision.project)
    yield from _of_git(at, project or at.project, parts)
    if project is not None:
        yield from _rules(at, project, parts)
        yield from _waivers(at, project, parts)
    found = kept_of(at.shelf, project, parts)
    yield from found.problems
    if found.kept is not None:
        yield from verdicts(found.kept, _judged(at, project, found.kept))
        if found.kept.evidence.move and project is not None:
            yield from move_of(project, at.shelf, at.commits, parts, found.kept.evidence.move)


def _judged(at: Scene, project: Project | None, kept: Kept) -> Kept | None:
    """The decision whose rows the gates of a move were asked of."""
    move = kept.evidence.move or None
    parts = at.shelf.parts(move.judged) if move and move.judged and kept.decision.gates else None
    return kept_of(at.shelf, project, parts).kept if parts else None


def _of_git(at: Scene, project: Project, parts: Parts) -> Iterator[Finding]:
    """Its commit is dated as git dates it, where this clone has it."""
    subject, where = parts.decision.subject, f"{parts.path}/decision.json"
    time = at.commits.time(subject.commit)
    if time is None:
        yield Note(where=f"decision {parts.short}", message=f"its commit {subject.commit[:7]} is not in this clone")
    elif time != subject.commit_time:
        told = f"it says its commit was made at {subject.commit_time[:40]}, and git says {time}"
        yield Problem(where=where, message=told)
    elif parts.decision.kind is DecisionKind.CHECK and project.config.project == parts.decision.project:
        tree = at.commits.object(subject.commit, project.folder)
        if tree and tree != subject.tree:
            yield Problem(where=where, message="its tree is not the one of its commit")


def _rules(at: Scene, project: Project, parts: Parts) -> Iterator[Finding]:
    """The gates of a check are those that its judge's commit has."""
    judge, where = parts.decision.judge, f"decision {parts.short}"
    if parts.decision.kind is not DecisionKind.CHECK or not parts.decision.gates:
        return
    config = at.commits.settings(judge.commit, project.path(SETTINGS))
    if config is None:
        yield Note(where=where, message=f"the settings of its judge, {judge.commit[:7]}, cannot be read in this clone")
        return
    there = {setting.text.strip(): setting for setting in config.gates}
    recorded = [one.gate for one in parts.decision.gates]
    for gate in recorded:
        if gate not in there:
            told = f"it judged {gate[:120]}, and {SETTINGS} at {judge.commit[:7]} has no such gate"
            yield Problem(where=where, message=told)
    for gate in there:
        if gate not in recorded:
            told = f"{SETTINGS} at {judge.commit[:7]} has {gate[:120]}, and it was not asked"
            yield Problem(where=where, message=told)
    for one in parts.decision.gates:
        rule = there.get(one.gate)
        if (
            rule
            and one.verdict is Status.UNDECIDED
            and not one.waived
            and one.blocking != (rule.when_undecided == "refuse")
        ):
            told = f"{one.gate[:120]}: {SETTINGS} at {judge.commit[:7]} says when_undecided: {rule.when_undecided}"
            yield Problem(where=where, message=told)


def _waivers(at: Scene, project: Project, parts: Parts) -> Iterator[Finding]:
    if parts.decision.kind in _MOVES or not waived_by(parts.decision):
        return
    judge, where = parts.decision.judge.commit, f"decision {parts.short}"
    times = [at.commits.time(commit) for commit in (parts.decision.subject.commit, judge)]
    days = [time[:10] for time in times if time]
    if len(days) < len(times):
        yield Note(where=where, message=f"its waivers were read at {judge[:7]}, which is not in this clone")
        return
    for told in not_waived(parts.decision, at.commits.text(judge, project.path(waivers.FILE)), day=max(days)):
        yield Problem(where=where, message=told)
