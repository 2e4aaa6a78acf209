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
    make = partial(
        ask,
        features=snapshot.folder / "features",
        rows=holdout.rows,
        tree=tree,
        holdout=holdout,
        fitted=fitted,
        workshop=workshop,
    )
    folder, _ = Cache(project.state).folder(
        "predict", reads_of(project, snapshot, holdout, fitted=fitted, workshop=workshop), make
    )
    return open_predictions(folder, holdout), folder


def reads_of(
    project: Project, snapshot: Snapshot, holdout: Holdout, *, fitted: Fitted, workshop: Workshop
) -> list[object]:
    """What a model's answers depend on."""
    if not fitted.digest:  # a model behind an address: nobody knows whether it changed
        reads: list[object] = [fitted.model, project.repository.head(), holdout.digest]
    else:
        reads = [fitted.digest, workshop.code, workshop.environment.digest, snapshot.info.digest, snapshot.info.split]
    return [*reads, holdout.digest, holdout.task, holdout.classes]


def open_predictions(folder: Path, holdout: Holdout) -> Predictions:
    """Predictions from a folder that the worker or `keep_predictions` wrote."""
    return open_answers(folder, holdout, rows=holdout.rows)


def open_answers(folder: Path, holdout: Holdout, *, rows: int) -> Predictions:
    """The same for any number of rows: the holdout says what the classes are."""
    labels, scores = answers.predictions(folder, rows=rows, classes=holdout.classes)
    return Predictions(digest=predictions_digest(labels, scores), labels=labels, scores=scores)


def keep_predictions(folder: Path, predictions: Predictions) -> None:
    """Write predictions the way the worker does, for the model tests to read."""
    frames.save(folder / "labels.npy", predictions.labels)
    if predictions.scores is not None:
        frames.save(folder / "scores.npy", predictions.scores)


def ask(
    folder: Path,
    *,
    features: Path,
    rows: int,
    tree: Tree,
    holdout: Holdout,
    fitted: Fitted,
    workshop: Workshop,
    batch: int | None = None,
) -> None:
    """Ask about the rows of the frame in `features`, `batch` at once or all; labels.npy, scores.npy in `folder`."""
    with workshop.open() as bench:
        bench.run("predict", {**request(tree, holdout, fitted, features), "output": str(folder), "batch": batch})
        # What cannot be used must not be kept: it is read here, before the folder gets its name.
        answers.predictions(folder, rows=rows, classes=holdout.classes)


def request(tree: Tree, holdout: Holdout, fitted: Fitted, features: Path) -> dict[str, object]:
    """What the worker is told of a model and the rows it is asked about."""
    return {
        "model": fitted.model,
        "features": str(features),
        "task": str(holdout.task),
        "classes": list(holdout.classes),
        "target": tree.config.data.target,
        "id": list(tree.config.data.id),
    }
