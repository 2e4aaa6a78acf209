"""Fisher's exact test of two proportions of different rows (The Design of Experiments, 1935): never wrong too often."""

from __future__ import annotations

import numpy as np

NAME = "fisher/1"


def more_than_elsewhere(inside: int, of: int, total: int, rows: int) -> float:
    """The chance of `inside` or more among `of` rows drawn from `rows` rows of which `total` have what is counted.

    It is at most alpha with probability at most alpha where the share inside is no higher than elsewhere.
    """
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, rows + 1)))])  # of the factorials

    def ways(
        of: int, taken: np.ndarray[tuple[int], np.dtype[np.int64]]
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(logs[of] - logs[taken] - logs[of - taken])

    counts = np.arange(inside, min(of, total) + 1)
    counts = counts[of - counts <= rows - total]
    chances = ways(total, counts) + ways(rows - total, of - counts) - ways(rows, np.array([of]))
    return float(min(np.exp(chances).sum(), 1.0))
