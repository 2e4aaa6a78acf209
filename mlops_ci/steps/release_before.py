"""A release beside the one before it: data, parameters, libraries, format, sizes, metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from mlops_ci.records.releases import ImageInfo
    from mlops_ci.steps.case import Case
    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.release_decision import Candidate

replace = msgspec.structs.replace


def compared(candidate: Candidate) -> Candidate:
    """The candidate with what changed since the last release; as it is where there is none that can be read."""
    case = candidate.case
    known = releases(case.project.repository, case.head.config.project)
    if not known:
        return candidate
    last = known[max(known)]
    try:
        made = ledger.find(case.project.repository, last.decision)
        judged = ledger.find(case.project.repository, last.judged)
        now = ledger.find(case.project.repository, candidate.passed.decision_id)
    except MlopsCiError:
        return candidate
    comparison = Comparison(
        release=last.release,
        commit=last.commit,
        rows=(_rows(made.evidence), _rows(candidate.passed.evidence)),
        format=(made.evidence.bundle.format if made.evidence.bundle else "", candidate.info.format),
        bytes=(made.evidence.bundle.bytes if made.evidence.bundle else 0, candidate.info.bytes),
        image_bytes=(_bytes(made.evidence.image), _bytes(candidate.image)),
        packages=_packages(made.evidence, candidate.passed.evidence),
        metrics=_metrics(judged, now),
        intervals=_intervals(case, now),
    )
    return replace(candidate, comparison=comparison, change=_change(case, last.commit))


def _change(case: Case, before: str) -> Change:
    """Nothing where the clone lacks the commit, or its settings cannot be read."""
    project = case.project
    try:
        tree = tree_at(project, before) if project.repository.find(before) else None
    except MlopsCiError:
        return Change()
    if tree is None:
        return Change()
    paths = project.repository.changed_paths(before, case.head.commit, project.folder)
    return change(tree, case.head, tuple(path for _, path in paths))


def _metrics(before: StoredDecision, now: StoredDecision) -> tuple[MetricValue, ...]:
    known = {one.metric: one.value for one in _measured(before)}
    return tuple(replace(one, champion=known.get(one.metric)) for one in _measured(now) if one.value is not None)


def _measured(stored: StoredDecision) -> tuple[MetricValue, ...]:
    evaluation = stored.evidence.evaluation
    return stored.decision.metrics or (evaluation.metrics if evaluation else ())


def _intervals(case: Case, now: StoredDecision) -> dict[str, Interval]:
    """None where the rows were not kept."""
    kept = runs.from_ledger(case.project, now.id)
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
