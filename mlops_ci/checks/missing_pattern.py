"""Columns whose missing values tell the class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data.canonical import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.checks.predictive_power import Sample

SHARE = 0.97
"""Of the rows where it is filled (or missing) that have one class, on either side of the split."""
CLEANER = 4.0
"""Times fewer rows of other classes than overall."""
LEAST_ROWS = 50


class MissingPattern(msgspec.Struct, frozen=True, kw_only=True):
    column: str
    side: str
    """filled | missing"""
    rows: int
    share: float
    """Of those rows that have `label`."""
    label: str
    overall: float
    """Of all rows that have it."""


def missing_patterns(facts: DataFacts, chosen: Sample) -> Iterator[MissingPattern]:
    """Columns that are filled, or missing, almost only for one class (Titanic's `boat`: filled for the rescued)."""
    codes, names = facts.classes
    labels = codes[chosen.rows]
    overall = np.bincount(labels, minlength=len(names)) / max(len(labels), 1)
    for name in facts.features:
        absent = missing(facts.table.column(name))[chosen.rows]
        if not absent.any() or absent.all():
            continue
        for side, where in (("filled", ~absent), ("missing", absent)):
            counts = np.bincount(labels[where], minlength=len(names))
            top, rows = int(counts.argmax()), int(counts.sum())
            share = min(counts[top] / rows, _held_share(labels[where & ~chosen.train], top))
            if rows >= LEAST_ROWS and share >= SHARE and (1 - overall[top]) >= CLEANER * (1 - share):
                yield MissingPattern(
                    column=name, side=side, rows=rows, share=share, label=names[top], overall=float(overall[top])
                )


def _held_share(labels: np.ndarray[tuple[int], np.dtype[np.int32]], top: int) -> float:
    return float((labels == top).mean()) if len(labels) else 0.0
