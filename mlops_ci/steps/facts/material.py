"""What facts are measured on, and asking the model about rows that were not judged."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data import canonical
from mlops_ci.edge import files, frames
from mlops_ci.records.decisions import Absence
from mlops_ci.records.evaluation import Predictions
from mlops_ci.records.outcomes import Status
from mlops_ci.records.tables import Table
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.case import Case
from mlops_ci.steps.decide import ModelFound
from mlops_ci.steps.fit import Fitted
from mlops_ci.steps.predict import ask, open_answers, reads_of
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.snapshot import feature_columns
from mlops_ci.steps.suites import DataFound
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20240501
"""Of every sample and of what is done to it: the same rows get the same noise in every run."""
NO_MODEL = "needs the model, and there are predictions only: leave this gate out, or let the check train (`train:`)"


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A fact's number and the sentence that says how it came about."""

    value: float
    told: str


Answer = Number | Absence


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """One check's data and model, and where its code runs."""

    case: Case
    data: DataFound
    model: ModelFound
    workshop: Workshop
    clock: Clock

    @property
    def features(self) -> tuple[str, ...]:
        return feature_columns(self.case.head.config, self.data.snapshot.table.names)

    @property
    def held(self) -> NDArray[np.intp]:
        """Positions of the held-out rows in the snapshot's table, in the order of the holdout."""
        return np.flatnonzero(self.data.snapshot.holdout)

    @property
    def trained_on(self) -> NDArray[np.intp]:
        """Positions of the training rows."""
        return np.flatnonzero(~self.data.snapshot.holdout)

    def rows(self, positions: NDArray[np.intp]) -> Table:
        """What a model is asked with, for these rows of the snapshot's table."""
        return canonical.take(canonical.select(self.data.snapshot.table, self.features), positions)

    def judged(self, places: NDArray[np.intp]) -> Predictions:
        """The answers that are judged, at these places of the holdout."""
        found = self.model.predictions
        scores = None if found.scores is None else found.scores[places]
        return Predictions(digest="", labels=found.labels[places], scores=scores)


def errored(reason: str) -> Absence:
    return Absence(status=Status.ERRORED, reason=reason)


def skipped(reason: str) -> Absence:
    return Absence(status=Status.SKIPPED, reason=reason)


def sample(rows: int, most: int) -> NDArray[np.intp]:
    """Positions of at most `most` of `rows`, in order; always the same ones."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(SEED).choice(rows, most, replace=False))


def answers_on(
    material: Material, fitted: Fitted, make: Callable[[], Table], *, reads: list[object], batch: int | None = None
) -> Predictions:
    """The model's answers about a table, kept by `reads` and all that the model's own answers depend on.

    batch: rows that are asked at once; None: all. UserCodeError where the model cannot answer.
    """
    case, data = material.case, material.data
    about = [
        reads,
        SEED,
        reads_of(case.project, data.snapshot, data.holdout, fitted=fitted, workshop=material.workshop),
    ]
    produce = partial(_ask, material=material, fitted=fitted, make=make, batch=batch)
    folder, _ = Cache(case.project.state).folder("facts", about, produce)
    return open_answers(folder, data.holdout, rows=int((folder / "rows").read_text(encoding="ascii")))


def _ask(folder: Path, *, material: Material, fitted: Fitted, make: Callable[[], Table], batch: int | None) -> None:
    table = make()
    with files.temporary() as beside:
        frames.write(table, beside / "features")
        ask(
            folder,
            features=beside / "features",
            rows=table.rows,
            tree=material.case.head,
            holdout=material.data.holdout,
            fitted=fitted,
            workshop=material.workshop,
            batch=batch,
        )
    (folder / "rows").write_text(str(table.rows), encoding="ascii")
