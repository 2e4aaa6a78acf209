"""One decision of the ledger, all of it: its folder, its rows, its verdicts, and what git says of its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import load, yaml
from mlops_ci.errors import ConfigError, MlopsCiError
from mlops_ci.ledger import audit
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verified import Finding, Note, Problem
from mlops_ci.steps.project import SETTINGS, Project
from mlops_ci.steps.projects import alone, projects_at
from mlops_ci.steps.verify_gates import verdicts
from mlops_ci.steps.verify_moves import move_of
from mlops_ci.steps.verify_rows import kept_of
from mlops_ci.steps.verify_shelf import Shelf, open_shelf
from mlops_ci.steps.waivers import unfounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.config.settings import Config
    from mlops_ci.edge.git import CommitInfo
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


def scene(project: Project, commit: str) -> Scene | None:
    """None where nothing was decided yet."""
    shelf = open_shelf(project.repository)
    if shelf is None:
        return None
    found = alone(projects_at(project.repository, commit)).values()
    known = {one.config.project: one for one in found if isinstance(one, Project)}
    return Scene(project=project, shelf=shelf, commit=commit, projects={project.config.project: project} | known)


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
    yield from _of_git(project or at.project, parts)
    if project is not None:
        yield from _rules(project, parts)
        yield from _waivers(project, parts)
    found = kept_of(at.shelf, project, parts)
    yield from found.problems
    if found.kept is not None:
        yield from verdicts(found.kept, _judged(at, project, found.kept))
        if found.kept.evidence.move and project is not None:
            yield from move_of(project, at.shelf, parts, found.kept.evidence.move)


def _judged(at: Scene, project: Project | None, kept: Kept) -> Kept | None:
    """The decision whose rows the gates of a move were asked of."""
    move = kept.evidence.move or None
    parts = at.shelf.parts(move.judged) if move and move.judged and kept.decision.gates else None
    return kept_of(at.shelf, project, parts).kept if parts else None


def _of_git(project: Project, parts: Parts) -> Iterator[Finding]:
    """Its commit is dated as git dates it, where this clone has it."""
    subject, where = parts.decision.subject, f"decision {parts.short}"
    info = _commit(project, subject.commit)
    if info is None:
        yield Note(where=where, message=f"its commit {subject.commit[:7]} is not in this clone")
    elif info.committed != subject.commit_time:
        told = f"it says its commit was made at {subject.commit_time[:40]}, and git says {info.committed}"
        yield Problem(where=f"{parts.path}/decision.json", message=told)
    elif parts.decision.kind is DecisionKind.CHECK and subject.tree and not subject.dirty:
        tree = project.repository.tree(subject.commit, project.folder)
        if project.config.project == parts.decision.project and tree != subject.tree:
            yield Problem(where=f"{parts.path}/decision.json", message="its tree is not the one of its commit")


def _commit(project: Project, sha: str) -> CommitInfo | None:
    return project.repository.commit_info(sha) if project.repository.find(sha) else None


def _rules(project: Project, parts: Parts) -> Iterator[Finding]:
    """The gates of a check are those that its judge's commit has."""
    judge, where = parts.decision.judge, f"decision {parts.short}"
    if parts.decision.kind is not DecisionKind.CHECK or not parts.decision.gates:
        return
    config = _settings_at(project, judge.commit)
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


def _settings_at(project: Project, commit: str) -> Config | None:
    """None where this clone lacks the commit, or its settings cannot be read."""
    data = project.repository.show(commit, project.path(SETTINGS)) if project.repository.find(commit) else None
    try:
        return load.parse(yaml.decode(data, file=SETTINGS), file=SETTINGS) if data is not None else None
    except ConfigError:
        return None


def _waivers(project: Project, parts: Parts) -> Iterator[Finding]:
    judge = parts.decision.judge
    waived = [one for one in (*parts.decision.gates, *judge.head_verdicts) if one.waived]
    if not waived or parts.decision.kind in _MOVES:
        return
    try:
        told = unfounded(project, parts.decision)
    except MlopsCiError:
        yield Note(where=f"decision {parts.short}", message="its waivers were read at a commit this clone lacks")
        return
    for one in told:
        yield Problem(where=f"decision {parts.short}", message=one)
