"""Ask a model about the held-out rows, once; restored while model and rows are the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mlops_ci.edge import answers, frames
from mlops_ci.records.evaluation import Holdout, Predictions
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.fit import Fitted
from mlops_ci.steps.given import predictions_digest
from mlops_ci.steps.project import Project
from mlops_ci.steps.snapshot import Snapshot
from mlops_ci.steps.trees import Tree
from mlops_ci.steps.workshop import Workshop


def predict(
    project: Project, tree: Tree, snapshot: Snapshot, holdout: Holdout, fitted: Fitted, workshop: Workshop
) -> tuple[Predictions, Path]:
    """The model's answers on the holdout, and the folder they lie in (labels.npy, scores.npy).

    The worker gets the held-out features without target and ids.
    """
    make = partial(_ask, tree=tree, snapshot=snapshot, holdout=holdout, fitted=fitted, workshop=workshop)
    if not fitted.digest:  # a model behind an address: nobody knows whether it changed
        reads: list[object] = [fitted.model, project.repository.head(), holdout.digest]
    else:
        reads = [fitted.digest, workshop.code, workshop.environment.digest, snapshot.info.digest, snapshot.info.split]
    folder, _ = Cache(project.state).folder("predict", [*reads, holdout.task, holdout.classes], make)
    return open_predictions(folder, holdout), folder


def open_predictions(folder: Path, holdout: Holdout) -> Predictions:
    """Predictions from a folder that the worker or `keep_predictions` wrote."""
    labels, scores = answers.predictions(folder, rows=holdout.rows, classes=holdout.classes)
    return Predictions(digest=predictions_digest(labels, scores), labels=labels, scores=scores)


def keep_predictions(folder: Path, predictions: Predictions) -> None:
    """Write predictions the way the worker does, for the model tests to read."""
    frames.save(folder / "labels.npy", predictions.labels)
    if predictions.scores is not None:
        frames.save(folder / "scores.npy", predictions.scores)


def _ask(folder: Path, *, tree: Tree, snapshot: Snapshot, holdout: Holdout, fitted: Fitted, workshop: Workshop) -> None:
    with workshop.open() as bench:
        bench.run(
            "predict",
            {
                "model": fitted.model,
                "features": str(snapshot.folder / "features"),
                "task": str(holdout.task),
                "classes": list(holdout.classes),
                "target": tree.config.data.target,
                "id": list(tree.config.data.id),
                "output": str(folder),
            },
        )
        # What cannot be used must not be kept: it is read here, before the folder gets its name.
        answers.predictions(folder, rows=holdout.rows, classes=holdout.classes)
