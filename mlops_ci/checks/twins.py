"""Rows that are equal in every feature, and how often their classes differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data.repeats import repeated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.checks.facts import DataFacts


class Twins(msgspec.Struct, frozen=True, kw_only=True):
    """Honest twins disagree no more often than chance: equal features make equal classes likelier, never rarer."""

    conflicting: int
    """Rows with a twin of another class."""
    disagreement: float
    """Share of the pairs of twins that have two classes; 0 without pairs."""
    chance: float
    """Share of all pairs of rows that have two classes."""


def twins(facts: DataFacts) -> Twins:
    codes, names = facts.classes
    shared = np.flatnonzero(repeated(facts.feature_keys))
    conflicting, pairs, disagreeing = _conflicts(facts.feature_keys[shared], codes[shared], len(names))
    shares = np.bincount(codes, minlength=len(names)) / max(len(codes), 1)
    return Twins(
        conflicting=conflicting,
        disagreement=round(disagreeing / pairs, 4) if pairs else 0.0,
        chance=round(1 - float((shares**2).sum()), 4),
    )


def _conflicts(keys: NDArray[np.uint64], codes: NDArray[np.int32], classes: int) -> tuple[int, int, int]:
    """Rows in sets of equal keys with more than one class, pairs of equal keys, pairs among them that disagree."""
    _, sets = np.unique(keys, return_inverse=True)
    size = np.bincount(sets)
    _, cells = np.unique(sets.astype(np.int64) * max(classes, 1) + codes, return_counts=True)
    pairs = int((size * (size - 1) // 2).sum())
    agreeing = int((cells * (cells - 1) // 2).sum())
    first = np.full(len(size), -1, dtype=np.int64)
    first[sets] = codes
    mixed = np.zeros(len(size), dtype=bool)
    mixed[sets[codes != first[sets]]] = True
    return int(mixed[sets].sum()), pairs, pairs - agreeing
