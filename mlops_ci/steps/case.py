"""Who and what one check is about: settled before anything is computed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec

from mlops_ci import __version__
from mlops_ci.config import waivers
from mlops_ci.edge import deepchecks, files
from mlops_ci.edge.git import Repository
from mlops_ci.errors import ConfigError, OutsideError, SourceError, UsageError
from mlops_ci.records.canonical import digest
from mlops_ci.records.decisions import Change, Subject, Trust
from mlops_ci.steps.anchor import Anchor, find_anchor
from mlops_ci.steps.base import find_base
from mlops_ci.steps.change import change
from mlops_ci.steps.fit import content_digest, params
from mlops_ci.steps.incumbent import Incumbent, incumbent
from mlops_ci.steps.judge import Judge, choose_judge, environment_gates, parse_contract, parse_gates, parse_waivers
from mlops_ci.steps.project import Project
from mlops_ci.steps.trees import Tree, changed_since, source_files, source_paths, tree_at, working_tree
from mlops_ci.steps.workshop import LEAVE_ALONE, Workshop


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the person who runs `check` asked for."""

    base: str | None = None
    at: str | None = None
    only: str | None = None
    predictions: Path | None = None
    model: str | None = None
    fresh: bool = False
    trust: Trust = Trust.DESK


class Case(msgspec.Struct, frozen=True, kw_only=True, dict=True, eq=False):
    """One check: the tree that is judged, what it is compared with, and by which rules."""

    project: Project
    asked: Asked
    head: Tree
    base_commit: str
    base: Tree | None
    base_unusable: str
    """Why the base's settings cannot be read, or empty."""
    change: Change
    champion: Incumbent | None
    trust: Trust

    @cached_property
    def judge(self) -> Judge:
        """Who decides, every gate read; follows from head and base, so a restored answer does not need it."""
        unusable = ""
        if self.base is not None:
            try:
                parse_gates(self.base)
                environment_gates(self.base)
                parse_contract(self.base)
                parse_waivers(self.base)
            except ConfigError as error:
                unusable = _unusable("rules", self.base_commit, error)
        return choose_judge(self.head, None if unusable else self.base, unusable=unusable or self.base_unusable)

    @cached_property
    def anchor(self) -> Anchor | None:
        """What the rules pin; head's where they pin nothing, for the gates that only head has."""
        asked = self.rules.config.anchor or self.head.config.anchor
        return find_anchor(self.project.repository, self.head.config.project, asked) if asked else None

    @property
    def rules(self) -> Tree:
        """The tree whose gates, contract and model tests decide."""
        return self.judge.tree

    @property
    def apart(self) -> bool:
        """Half of the held-out rows are kept for verdicts alone: where either side's settings say so, as what was
        shown once stays shown.
        """
        return self.rules.config.holdout.verdicts_only or self.head.config.holdout.verdicts_only

    @property
    def day(self) -> str:
        """The day on which waivers count or not."""
        return today() if self.head.dirty else day_of(self.project.repository, self.head.commit, self.rules.commit)


def today() -> str:
    """The present day in UTC, ISO 8601."""
    return datetime.now(UTC).date().isoformat()


def day_of(repository: Repository, *commits: str) -> str:
    """The latest day of some commits in UTC: the same at every re-run, and none is dated before what it stands on."""
    return max(repository.commit_info(commit).committed for commit in commits)[:10]


def settle(project: Project, asked: Asked) -> Case:
    """Find out what is judged; nothing is written, nothing of the project's code runs."""
    head = _head(project, asked.at)
    if head.config.train and asked.only != "data":
        params(head, head.config.train)  # what cannot be read is said before anything is computed
    base_commit = find_base(project, head, asked=asked.base)
    base, base_unusable = _base_tree(project, base_commit)
    changed = project.repository.changed_paths(base_commit, None if head.dirty else head.commit, project.folder)
    return Case(
        project=project,
        asked=asked,
        head=head,
        base_commit=base_commit,
        base=base,
        change=change(base, head, tuple(path for _, path in changed)) if base_commit else Change(),
        base_unusable=base_unusable,
        champion=incumbent(project, head.config.project, (base or head).config, base_commit) if base_commit else None,
        trust=asked.trust,
    )


def subject(case: Case, environment: str, data: str) -> Subject:
    """The digests of what is judged."""
    head, train = case.head, case.head.config.train
    info = case.project.repository.commit_info(head.commit) if head.commit and not head.dirty else None
    return Subject(
        commit="" if head.dirty else head.commit,
        tree=head.id,
        data=data,
        params=digest(params(head, train)) if train and train.params else "",
        environment=environment,
        dirty=head.dirty,
        commit_time=info.committed if info else "",
        commit_title=info.title if info else "",
    )


def fingerprint(case: Case, workshop: Workshop) -> dict[str, object]:
    """Everything the answer depends on, without computing any of it."""
    head, asked = case.head, case.asked
    return {
        "head": [head.commit, head.id, head.dirty],
        "base": case.base_commit,
        "version": __version__,
        "champion": [case.champion.stored.id, case.champion.name] if case.champion else [],
        "anchor": _anchor(case),
        "environment": workshop.environment.digest if head.config.train else "",
        "sources": _sources(head, case.project),
        "asked": [asked.only, asked.model, files.sha256(asked.predictions) if asked.predictions else ""],
        "brought": _brought(case),
        "trust": case.trust,
        "day": _day(case),
        "deepchecks": _deepchecks(case),
    }


def _anchor(case: Case) -> list[str]:
    """Which decision it is: the same digits may name another one, or none, in another ledger."""
    if not any(tree.config.anchor for tree in (case.head, case.base) if tree) or case.anchor is None:
        return []
    return [case.anchor.stored.id if case.anchor.stored else "", case.anchor.reason]


def _brought(case: Case) -> list[str]:
    """Digests of a model or predictions made elsewhere: they may lie in the folder and not be in the commit."""
    train = case.head.config.train
    names = (case.asked.model, train.model if train else None, train.predictions if train else None)
    paths = [root / name for name in names if name for root in (case.head.root, case.project.root)]
    return [content_digest(path) for path in paths if path.exists()]


def _day(case: Case) -> str:
    """The present day where waivers may end with it: files that are not committed have no day of their own."""
    trees = (case.head, case.base)
    return today() if case.head.dirty and any(tree and waivers.FILE in tree.paths for tree in trees) else ""


def stands_still(case: Case) -> None:
    """OutsideError when the files that were judged are other ones by now: the answer is about neither."""
    changed = changed_since(case.head, case.project)
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise OutsideError(f"{changed[0]}{more} changed while it was judged", LEAVE_ALONE)


def _sources(tree: Tree, project: Project) -> list[tuple[str, ...]]:
    try:
        found = source_files(tree, project, source_paths(tree, project))
    except SourceError as error:
        return [("", error.where, error.message)]
    return [(file.source, file.path, file.sha256) for file in found]


def _base_tree(project: Project, commit: str) -> tuple[Tree | None, str]:
    """The base's files, and why its settings cannot be used: head's decide then, and the report says so."""
    if not commit:
        return None, ""
    try:
        return tree_at(project, commit), ""
    except ConfigError as error:
        return None, _unusable("settings", commit, error)


def _unusable(what: str, commit: str, error: ConfigError) -> str:
    return f"the {what} at {commit[:7]} cannot be used ({error.where}: {error.message.splitlines()[0]})"


def _deepchecks(case: Case) -> list[object]:
    """Its lock, where head's or base's settings ask for it; which of them counts follows from the two trees."""
    asked = [tree.config.checks.deepchecks for tree in (case.head, case.base) if tree]
    return [deepchecks.digest()] if set(asked) - {"off"} else []


def _head(project: Project, at: str | None) -> Tree:
    if at is None:
        return working_tree(project)
    commit = project.repository.resolve(at)
    tree = tree_at(project, commit)
    if tree is None:
        raise UsageError(f"{at} has no mlops.yaml in {project.folder or 'its root'}", "Name a commit that has one.")
    return tree
