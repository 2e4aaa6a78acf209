"""A release's commit in a clean copy, its model trained again there, and both laid side by side."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci import __version__
from mlops_ci.edge import commits, files
from mlops_ci.errors import MlopsCiError, UsageError, UserCodeError
from mlops_ci.evaluation.evaluate import evaluate
from mlops_ci.records.outcomes import Status
from mlops_ci.records.reproduced import Differs, Likeness, MetricAgain, Reproduced
from mlops_ci.steps import runs
from mlops_ci.steps.project import open_project
from mlops_ci.steps.rejudge import stored_predictions
from mlops_ci.steps.releases import named, releases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_ci.records.evaluation import Predictions
    from mlops_ci.records.releases import Release
    from mlops_ci.steps.decide import Found, ModelFound
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.runs import Kept
    from mlops_ci.steps.workshop import Workshop


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A release, and what was kept of the decision on its model."""

    release: Release
    judged: Kept


def recorded(project: Project, asked: str) -> Recorded:
    """UsageError for what is no release, or one whose model was trained elsewhere."""
    release = named(releases(project.repository, project.config.project), asked)
    if release.imported:
        raise UsageError(
            f"{asked} was imported from {release.imported}: it was not trained here",
            "What trained it can make it again.",
        )
    if project.repository.find(release.commit) is None:
        raise UsageError(
            f"the commit {release.commit[:12]} of {asked} is not in this clone",
            "Fetch it: git fetch --unshallow, or the branch that had it.",
        )
    return Recorded(release=release, judged=runs.from_ledger(project, release.judged))


@contextmanager
def clean_copy(project: Project, found: Recorded, lock: Path | None) -> Iterator[Project]:
    """The project as the release's commit has it, in a folder of its own, without anything kept from before.

    lock: the lock of another environment, which takes the place of the commit's.
    """
    with files.temporary() as scratch:
        target = scratch / "project"
        commits.clone_at(project.repository, found.release.commit, target)
        root = target / project.folder if project.folder else target
        if lock is not None:
            shutil.copyfile(lock, root / lock.name)
        yield open_project(root)


def made_again(found: Found) -> ModelFound:
    """UserCodeError where no model came to be."""
    if found.model is None or found.data is None:
        wrong = next((one for one in found.results if one.status is Status.ERRORED), None)
        reason = wrong.message if wrong else "the data could not be read"
        raise UserCodeError(f"the model could not be made again: {reason}", details=wrong.details if wrong else "")
    return found.model


def side_by_side(was: Recorded, found: Found, workshop: Workshop, tolerance: float) -> Reproduced:
    """How like the two are, and what they were made from that differs."""
    model = made_again(found)
    labels_differ, largest = _answers(was.judged, found, model)
    metrics = _metrics(was.judged, found, model)
    return Reproduced(
        release=was.release.release,
        commit=was.release.commit,
        decision=was.judged.id,
        likeness=_likeness(was.judged, model, (labels_differ, largest), metrics, tolerance),
        rows=found.data.holdout.rows if found.data else 0,
        labels_differ=labels_differ,
        largest_difference=largest,
        tolerance=tolerance,
        metrics=metrics,
        differs=tuple(_differs(was.judged, found, model, workshop)),
        seconds=(model.fitted.seconds if model.fitted else None) or 0.0,
    )


def _likeness(
    judged: Kept,
    model: ModelFound,
    answers: tuple[int, float | None],
    metrics: tuple[MetricAgain, ...],
    tolerance: float,
) -> Likeness:
    training = judged.evidence.training
    same = model.predictions.digest == judged.evidence.predictions or answers == (0, 0.0)
    if same and training is not None and training.digest and training.digest == model.training.digest:
        return Likeness.BITS
    if same:
        return Likeness.PREDICTIONS
    measured = judged.evidence.evaluation is not None and answers[1] is not None
    near = all(abs(one.now - one.recorded) <= tolerance for one in metrics)
    return Likeness.METRICS if measured and near else Likeness.DIFFERENT


def _answers(judged: Kept, found: Found, model: ModelFound) -> tuple[int, float | None]:
    """Rows whose label differs, and the largest difference of a score or number; None where rows are not the same."""
    before = _comparable(judged, found)
    if before is None:
        return 0, None
    now = model.predictions
    differ = int(np.count_nonzero(before.labels != now.labels))
    if before.scores is None or now.scores is None:
        numbers = np.issubdtype(now.labels.dtype, np.floating)
        gap = np.abs(before.labels.astype(float) - now.labels.astype(float)) if numbers else np.zeros(1)
        return differ, float(gap.max(initial=0.0))
    return differ, float(np.abs(before.scores - now.scores).max(initial=0.0))


def _comparable(judged: Kept, found: Found) -> Predictions | None:
    try:
        before = stored_predictions(judged, "")
    except MlopsCiError:
        return None
    same = found.data is not None and judged.evidence.holdout == found.data.holdout.digest
    return before if same else None


def _metrics(judged: Kept, found: Found, model: ModelFound) -> tuple[MetricAgain, ...]:
    evaluation = judged.evidence.evaluation
    if evaluation is None or found.data is None:
        return ()
    now = {one.metric: one.value for one in evaluate(found.data.holdout, model.predictions, None, slices=()).metrics}
    pairs = [(one.metric, one.value, now.get(one.metric)) for one in evaluation.metrics]
    moved = [
        MetricAgain(metric=name, recorded=was, now=value)
        for name, was, value in pairs
        if was is not None and value is not None and was != value
    ]
    return tuple(sorted(moved, key=lambda one: -abs(one.now - one.recorded)))


def _differs(judged: Kept, found: Found, model: ModelFound, workshop: Workshop) -> Iterator[Differs]:
    subject, snapshot, training = judged.decision.subject, judged.evidence.snapshot, judged.evidence.training
    now = found.data.snapshot.info if found.data else None
    pairs = [
        ("data", subject.data, now.digest if now else ""),
        ("split", snapshot.split if snapshot else "", now.split if now else ""),
        ("environment", subject.environment, workshop.locked),
        ("mlops-ci", judged.decision.judge.version, __version__),
    ]
    libraries = training.packages if training else {}
    names = sorted(libraries.keys() | model.training.packages.keys())
    pairs += [
        (
            name if name == "python" else f"library {name}",
            libraries.get(name, ""),
            model.training.packages.get(name, ""),
        )
        for name in names
    ]
    yield from (Differs(what=what, recorded=was, now=is_now) for what, was, is_now in pairs if was != is_now)
