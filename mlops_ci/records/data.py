"""What is known of the data: the Snapshot, its Profile, and what changed."""

from __future__ import annotations

import msgspec

from mlops_ci.records.tables import Kind


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file the snapshot was read from: its path in the project, size and sha256."""

    source: str
    path: str
    bytes: int
    sha256: str


class Bins(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over fixed edges; len(counts) = len(edges) + 1, the outer two are open."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Exact counts and rounded moments of one column. Times are ISO 8601 text; moments have 6 significant digits."""

    name: str
    kind: Kind
    rows: int
    missing: int
    distinct: int
    infinite: int = 0
    low: float | str | None = None
    high: float | str | None = None
    mean: float | None = None
    deviation: float | None = None
    bins: Bins | None = None
    common: tuple[tuple[str, int], ...] = ()
    """The most common values with counts, at most 20, by count then value."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One scan of a Snapshot."""

    rows: int
    columns: tuple[ColumnProfile, ...]


class SnapshotInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared table without its values."""

    digest: str
    """32 hex digits: the sum mod 2^128 of the row digests (docs/data.md)."""
    rows: int
    train_rows: int
    holdout_rows: int
    columns: tuple[tuple[str, Kind], ...]
    split: str
    """The split's specification, canonical: a holdout made under another one is not compared."""
    sources: tuple[SourceFile, ...]
    dropped_missing_target: int = 0
    gate_rows: int | msgspec.UnsetType = msgspec.UNSET
    """Of the held-out rows those that `@` gates alone are judged on; left out of the JSON where there are none."""
    holdout_protected: bool = True
    """False: the training command could read the held-out rows (rung 2 with sources that cannot be filtered)."""


class ColumnChange(msgspec.Struct, frozen=True, kw_only=True):
    """A column that is new, gone, of another kind, or distributed differently."""

    column: str
    change: str
    """added | removed | kind | drift"""
    before: str = ""
    after: str = ""
    psi: float | None = None
    floor: float | None = None
    """The PSI that equal data of these sizes stays below 99 times in 100 (statistics.md 16)."""


class DataChange(msgspec.Struct, frozen=True, kw_only=True):
    """What changed between the base's snapshot and this one."""

    base_digest: str
    base_rows: int
    rows: int
    added: int
    removed: int
    changed: int
    """Rows with the same id and other content."""
    relabelled: int | msgspec.UnsetType = msgspec.UNSET
    """Of them, those whose target says something else now; left out of the JSON where there are none."""
    files_added: tuple[str, ...] = ()
    files_removed: tuple[str, ...] = ()
    files_changed: tuple[str, ...] = ()
    columns: tuple[ColumnChange, ...] = ()
    target_before: tuple[tuple[str, float], ...] = ()
    """Share of each class (classification) or mean, median (regression)."""
    target_after: tuple[tuple[str, float], ...] = ()
    target_of_added: tuple[tuple[str, float], ...] = ()
