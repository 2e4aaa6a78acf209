"""The terms of a data contract, as values."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from mlops_ci.records.results import Where
    from mlops_ci.records.tables import Kind

Bound = float | int | str | None
"""A number, an ISO 8601 time, or None: open on that side."""


class NewValues(StrEnum):
    """What a text value outside of `values` means."""

    FORBID = "forbid"
    WARN = "warn"
    ALLOW = "allow"


class ColumnTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What one column must satisfy."""

    name: str
    kind: Kind
    """A column of whole numbers is welcome where `float` is promised."""
    optional: bool = False
    missing: float = 0.0
    """The share of missing values allowed, 0 to 1."""
    range: tuple[Bound, Bound] | None = None
    values: tuple[str, ...] | None = None
    new_values: NewValues = NewValues.FORBID
    unique: bool = False
    infinite: bool = False
    """True: infinite numbers are allowed."""
    predicts_target: bool = False
    """True: the owner knows that this column alone predicts the target, and says it is honest."""


class TargetTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The classes of the target may each move by `tolerance` (a difference of shares) from `shares`."""

    column: str
    shares: tuple[tuple[str, float], ...]
    tolerance: float


class DuplicateTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The share of rows that repeat an earlier one in all columns but `apart_from`."""

    at_most: float
    apart_from: tuple[str, ...] = ()


class FreshnessTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How old the newest `column` may be, in days, when the commit is made."""

    column: str
    at_most_days: float


class Contract(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What every snapshot of the project must satisfy. Equal when the terms are equal, wherever they stand."""

    columns: tuple[ColumnTerms, ...]
    rows_at_least: int = 0
    other_columns: NewValues = NewValues.WARN
    """What a column that is not listed means."""
    duplicates: DuplicateTerms | None = None
    holdout_copies: float | None = None
    """The share of held-out rows whose features and target also stand in a training row."""
    freshness: FreshnessTerms | None = None
    target: TargetTerms | None = None
    notes: tuple[tuple[str, str], ...] = ()
    """Comments for `write`, by column or term; not a term."""
    places: dict[str, Where] = {}
    """Where a column's or term's line stands; not a term."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and self._terms() == other._terms()

    def _terms(self) -> tuple[object, ...]:
        fields = (name for name in self.__struct_fields__ if name not in ("notes", "places"))
        return tuple(getattr(self, name) for name in fields)

    def column(self, name: str) -> ColumnTerms | None:
        return next((terms for terms in self.columns if terms.name == name), None)

    def where(self, key: str) -> Where | None:
        """The line of a column (`columns.NAME`) or of a term (`rows`)."""
        return self.places.get(key)
