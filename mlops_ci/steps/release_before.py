"""A release beside the one before it: data, parameters, libraries, format, sizes, metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mlops_ci.errors import MlopsCiError
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.intervals import intervals
from mlops_ci.records.decisions import Change
from mlops_ci.records.releases import Comparison
from mlops_ci.steps import ledger, runs
from mlops_ci.steps.change import change
from mlops_ci.steps.rejudge import stored_predictions
from mlops_ci.steps.releases import releases
from mlops_ci.steps.trees import tree_at

if TYPE_CHECKING:
    from mlops_ci.records.decisions import Evidence
    from mlops_ci.records.evaluation import Interval, MetricValue
    from mlops_ci.records.releases import ImageInfo, Release
    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.release_decision import Candidate
    from mlops_ci.steps.trees import Tree

replace = msgspec.structs.replace


class Side(NamedTuple):
    """One of two releases: what it is made of, and the decision on its model."""

    name: str
    commit: str
    judged: StoredDecision
    format: str
    bytes: int
    image_bytes: int


def compared(candidate: Candidate) -> Candidate:
    """The candidate with what changed since the last release; as it is where there is none that can be read."""
    project = candidate.case.project
    known = releases(project.repository, candidate.case.head.config.project)
    if not known:
        return candidate
    try:
        last = side_of(project, known[max(known)])
        now = Side(
            name="",
            commit=candidate.case.head.commit,
            judged=ledger.find(project.repository, candidate.passed.decision_id),
            format=candidate.info.format,
            bytes=candidate.info.bytes,
            image_bytes=_bytes(candidate.image),
        )
    except MlopsCiError:
        return candidate
    return replace(
        candidate, comparison=between(project, last, now), change=_change(project, last.commit, candidate.case.head)
    )


def side_of(project: Project, release: Release) -> Side:
    """A release as the ledger has it; MlopsCiError where its decisions cannot be read."""
    made = ledger.find(project.repository, release.decision)
    bundle = made.evidence.bundle or None
    return Side(
        name=release.release,
        commit=release.commit,
        judged=ledger.find(project.repository, release.judged) if release.judged else made,
        format=bundle.format if bundle else "",
        bytes=bundle.bytes if bundle else 0,
        image_bytes=_bytes(made.evidence.image),
    )


def between(project: Project, before: Side, now: Side) -> Comparison:
    """One beside the other."""
    old, new = before.judged.evidence, now.judged.evidence
    return Comparison(
        release=before.name,
        commit=before.commit,
        rows=(_rows(old), _rows(new)),
        format=(before.format, now.format),
        bytes=(before.bytes, now.bytes),
        image_bytes=(before.image_bytes, now.image_bytes),
        packages=_packages(old, new),
        metrics=_metrics(before.judged, now.judged),
        intervals=_intervals(project, now.judged),
    )


def change_between(project: Project, before: str, now: str) -> Change:
    """What differs between the files of two commits; nothing where the clone lacks one of them."""
    tree = tree_at(project, now) if project.repository.find(now) else None
    return _change(project, before, tree) if tree is not None else Change()


def _change(project: Project, before: str, head: Tree) -> Change:
    """Nothing where the clone lacks the commit, or its settings cannot be read."""
    try:
        tree = tree_at(project, before) if project.repository.find(before) else None
    except MlopsCiError:
        return Change()
    if tree is None:
        return Change()
    paths = project.repository.changed_paths(before, head.commit, project.folder)
    return change(tree, head, tuple(path for _, path in paths))


def _metrics(before: StoredDecision, now: StoredDecision) -> tuple[MetricValue, ...]:
    known = {one.metric: one.value for one in _measured(before)}
    return tuple(replace(one, champion=known.get(one.metric)) for one in _measured(now) if one.value is not None)


def _measured(stored: StoredDecision) -> tuple[MetricValue, ...]:
    evaluation = stored.evidence.evaluation
    return stored.decision.metrics or (evaluation.metrics if evaluation else ())


def _intervals(project: Project, now: StoredDecision) -> dict[str, Interval]:
    """None where the rows were not kept."""
    kept = runs.from_ledger(project, now.id)
    predictions = stored_predictions(kept, "")
    return intervals(kept.holdout, predictions, METRICS) if kept.holdout is not None and predictions else {}


def _packages(before: Evidence, now: Evidence) -> dict[str, tuple[str, str]]:
    one, other = (each.training.packages if each.training else {} for each in (before, now))
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return {name: (one.get(name, ""), other.get(name, "")) for name in names}


def _rows(evidence: Evidence) -> int:
    return evidence.snapshot.rows if evidence.snapshot else 0


def _bytes(image: ImageInfo | msgspec.UnsetType) -> int:
    return image.bytes if image else 0
