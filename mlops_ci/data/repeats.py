"""Counting keys that occur more than once, with multiplicity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def repeats(keys: NDArray[np.uint64]) -> int:
    """How many of `keys`, shape (n,), repeat an earlier one."""
    if len(keys) == 0:
        return 0
    ordered = np.sort(keys)
    return int((ordered[1:] == ordered[:-1]).sum())


def repeated(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Shape (n,): where the key stands on at least one other row."""
    ordered = np.sort(keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    return member(keys, twice)


def member(keys: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Shape (n,): where the key is one of `others`, shape (m,) and sorted."""
    if len(others) == 0:
        return np.zeros(len(keys), dtype=bool)
    at = np.searchsorted(others, keys)
    at[at == len(others)] = 0
    return np.asarray(others[at] == keys)


def surplus(keys: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Shape (n,): which of `keys` are left when each of `others`, shape (m,), has taken one equal key away."""
    left = np.ones(len(keys), dtype=bool)
    if len(keys) == 0 or len(others) == 0:
        return left
    order = np.argsort(keys)
    ordered, taken = keys[order], np.sort(others)
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    distinct = ordered[starts]
    taking = np.searchsorted(taken, distinct, "right") - np.searchsorted(taken, distinct, "left")
    rank = np.arange(len(ordered)) - np.repeat(starts, lengths)
    left[order] = rank >= np.repeat(taking, lengths)
    return left
