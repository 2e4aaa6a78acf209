"""What a model answered on the holdout, and what was computed from it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Task(StrEnum):
    """The three tasks; `classification` in mlops.yaml becomes binary or multiclass from the classes found."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """A column to cut rows by: `codes`, shape (rows,) int32, into `values`; -1 is missing."""

    codes: NDArray[np.int32]
    values: tuple[str, ...]


class Holdout(msgspec.Struct, frozen=True, kw_only=True):
    """The held-out rows, sorted by `ids`, with the truth and what rows are cut and resampled by.

    ids: shape (n,) uint64, keyed digests of the row keys. truth: shape (n,), int32 codes into `classes`
    (classification) or float64 (regression). group: shape (n,) int64 codes of rows that belong together, or None.
    """

    task: Task
    digest: str
    """sha256 over ids: the holdout's identity, whatever is predicted on it."""
    ids: NDArray[np.uint64]
    truth: NDArray[np.generic]
    classes: tuple[str, ...] = ()
    """Sorted; of a binary task the second is the positive class."""
    group: NDArray[np.int64] | None = None
    by_day: bool = False
    """`group` is the day of `data.time`: likely to belong together, though nobody declared it."""
    slices: dict[str, Factor] = {}

    @property
    def rows(self) -> int:
        return len(self.ids)

    def cut(self, rows: NDArray[np.bool_]) -> Holdout:
        """These rows only, under the same digest; rows: shape (n,) bool."""
        replace = msgspec.structs.replace
        return replace(
            self,
            ids=self.ids[rows],
            truth=self.truth[rows],
            group=None if self.group is None else self.group[rows],
            slices={name: replace(one, codes=one.codes[rows]) for name, one in self.slices.items()},
        )


class Predictions(msgspec.Struct, frozen=True, kw_only=True):
    """One model's outputs on the rows of a Holdout, in its order.

    scores: float32 (they are what is stored, so they are what is judged); binary: shape (n,), the probability or
    score of the positive class; multiclass: shape (n, classes); None when the model only gives labels.
    labels: shape (n,); int32 codes into the holdout's classes, -1 for a class never seen; regression: float32 values.
    """

    digest: str
    """sha256 over labels and scores."""
    labels: NDArray[np.generic]
    scores: NDArray[np.float32] | None = None
    own: dict[str, NDArray[np.float32]] = {}
    """What the project's own metrics gave for these predictions: shape (n,), a number a row, or (), one for all."""


class OwnMetric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of the project's own: as it is declared, and what its function gave."""

    name: str
    function: str
    higher_is_better: bool | None = None
    low: float | None = None
    """The least a row can be worth, where that is declared; and the most."""
    high: float | None = None
    unit: str = ""
    by_row: bool = True
    """A number a row, which are among the arrays of the evidence; else one for all rows, here."""
    value: float | None = None
    champion: float | None = None
    reason: str = ""
    """Why there is no number for the candidate, and for the champion."""
    champion_reason: str = ""


class Champion(msgspec.Struct, frozen=True, kw_only=True):
    """What the candidate is compared with: the champion, or the anchor."""

    name: str
    """`v12 in production`, `a1b2c3d, the last that passed`, or `the anchor, a1b2c3d`."""
    decision: str
    commit: str
    model: str = ""
    """sha256 of its model, empty where it was not at hand."""
    predictions: Predictions | None = None
    """On the candidate's holdout rows; None with `reason` when it cannot be had."""
    reason: str = ""
    unpaired: float = 0.0
    """Share of rows whose features changed, so that the champion's model was asked again."""
    new_rows: NDArray[np.bool_] | None = None
    """Shape (n,): rows of the holdout that the champion was not judged on."""
    unanswered: NDArray[np.bool_] | None = None
    """Shape (n,): rows it has no answer for and cannot be asked about; what stands in `predictions` there is filler.
    Rows whose features changed and that it was asked about again are not among them (statistics.md 12)."""
    same_model: bool = False
    """Its model is the candidate's very file: differences are 0 by identity. Equal predictions alone are not enough: a
    harm to one row in a hundred stays unseen on 100 rows with probability .37 (statistics.md 5, 6)."""


class Interval(msgspec.Struct, frozen=True):
    """Two one-sided bounds, each at `confidence` (statistics.md 1)."""

    low: float
    high: float
    confidence: float
    method: str


class MetricValue(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of the candidate, beside the champion's."""

    metric: str
    value: float | None
    champion: float | None = None
    higher_is_better: bool | None = True
    """None: a metric of the project's own that does not say."""
    unit: str = ""
    reason: str = ""
    """Why there is no value."""


class SliceValue(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows, cut by one column, and the metrics on them."""

    column: str
    value: str
    rows: int
    metrics: dict[str, float | None]
    champion: dict[str, float | None] = {}


class SliceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A slice in a SliceTable. values, champion: of the table's metrics, in their order; champion: () without one."""

    column: str
    value: str
    rows: int
    values: tuple[float | None, ...]
    champion: tuple[float | None, ...] = ()


class SliceTable(msgspec.Struct, frozen=True, kw_only=True):
    """Slices as they are kept: the names of their metrics once, and not in each of them."""

    metrics: tuple[str, ...]
    rows: tuple[SliceRow, ...]

    @classmethod
    def of(cls, cuts: tuple[SliceValue, ...]) -> SliceTable:
        names = tuple(dict.fromkeys(name for cut in cuts for name in (*cut.metrics, *cut.champion)))
        return cls(
            metrics=names,
            rows=tuple(
                SliceRow(
                    column=cut.column,
                    value=cut.value,
                    rows=cut.rows,
                    values=tuple(map(cut.metrics.get, names)),
                    champion=tuple(map(cut.champion.get, names)) if cut.champion else (),
                )
                for cut in cuts
            ),
        )

    def cuts(self) -> tuple[SliceValue, ...]:
        return tuple(
            SliceValue(
                column=row.column,
                value=row.value,
                rows=row.rows,
                metrics=dict(zip(self.metrics, row.values, strict=True)),
                champion=dict(zip(self.metrics, row.champion, strict=True)) if row.champion else {},
            )
            for row in self.rows
        )


class ClassCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Of one class: the rows that are of it, that are predicted to be, and both. A share of none is None."""

    rows: int
    predicted: int
    hits: int

    @property
    def precision(self) -> float | None:
        return self.hits / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        return self.hits / self.rows if self.rows else None

    @property
    def f1(self) -> float | None:
        return 2 * self.hits / (self.rows + self.predicted) if self.rows + self.predicted else None


class ClassValue(msgspec.Struct, frozen=True, kw_only=True):
    """How one class fares, on the rows that both models have answers for where there are two."""

    name: str
    candidate: ClassCounts
    champion: ClassCounts | None = None


class Flips(msgspec.Struct, frozen=True, kw_only=True):
    """Labels that differ from the champion's. won: became right; lost: became wrong; other: wrong both times."""

    rows: int
    won: int
    lost: int
    other: int
    by_slice: tuple[FlipSlice, ...] = ()

    @property
    def changed(self) -> int:
        return self.won + self.lost + self.other


class FlipSlice(msgspec.Struct, frozen=True, kw_only=True):
    column: str
    value: str
    rows: int
    won: int
    lost: int
    other: int


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a line to draw, rounded to 4 decimals, at most 101 of them."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class WorseSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Rows on which the model is worse than on the others, found by search and confirmed on rows not searched.

    rows, value, elsewhere, low, high: of the confirming half; low, high: one-sided 95 % bounds of the value.
    """

    conditions: tuple[tuple[str, str], ...]
    """One or two, a column and what is asked of it: `= JFK`, `≥ 18`."""
    rows: int
    value: float
    elsewhere: float
    low: float | None
    high: float | None
    method: str
    """Of the bound of the difference, which confirmed it."""


class SliceSearch(msgspec.Struct, frozen=True, kw_only=True):
    """What a search for worse slices looked at, and which ones were confirmed. Never a gate."""

    metric: str
    looked_at: int
    """Slices of the searched half."""
    asked: int
    """Slices that the other half was asked about: the confidence is corrected for them."""
    rows: int
    """Of the confirming half."""
    groups: int | None = None
    """Groups of rows in the confirming half; None where rows do not belong together."""
    found: tuple[WorseSlice, ...] = ()


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the report says about the model, as plain numbers."""

    task: Task
    rows: int
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    metrics: tuple[MetricValue, ...]
    slices: tuple[SliceValue, ...] | SliceTable = ()
    """Of earlier versions one by one; `cuts` reads both."""
    new_rows: SliceValue | None = None
    """The held-out rows that the champion was not judged on, where data came since: did the data move, or the model?"""
    worse_slices: SliceSearch | None = None
    """None where nothing was searched: a decision of an earlier version."""
    flips: Flips | None = None
    by_class: tuple[ClassValue, ...] | msgspec.UnsetType = msgspec.UNSET
    """More than two classes: those with the lowest F1, at most 12, the lowest first. Not in earlier versions."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """Rows of truth, columns of predicted labels, in the order of `classes`; at most 20 classes."""
    curves: dict[str, Curve] = {}
    """`roc`, `roc_champion`, `calibration`, `calibration_champion` (binary); `error_quantiles` (regression)."""

    @property
    def cuts(self) -> tuple[SliceValue, ...]:
        """Every slice with its metrics, by column, then by rows."""
        return self.slices.cuts() if isinstance(self.slices, SliceTable) else self.slices
