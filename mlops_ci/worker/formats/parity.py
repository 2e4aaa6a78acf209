"""Whether two models answer alike: the same labels, and scores or numbers within a tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import answers

TOLERANCE = 1e-5


def tolerance(judged: answers.Answers, *, task: str) -> float:
    """1e-5 for probabilities; for a regression 1e-5 of the largest answer, as float32 has seven digits."""
    if task != "regression" or not len(judged.labels):
        return TOLERANCE
    return TOLERANCE * max(float(np.abs(judged.labels).max()), 1e-30)


def differences(judged: answers.Answers, other: answers.Answers, *, task: str) -> tuple[Any, Any]:
    """For each row whether the labels differ, and by how much scores or numbers do.

    Scores count where they are probabilities: other ones are not part of a bundle's answers.
    """
    if task == "regression":
        return np.zeros(len(judged.labels), bool), np.abs(judged.labels.astype(float) - other.labels)
    labels = judged.labels != other.labels
    if judged.score_kind != "probability":
        return labels, np.zeros(len(labels))
    apart = np.abs(judged.scores.astype(float) - other.scores)
    return labels, apart if apart.ndim == 1 else apart.max(axis=1)


class Parity:
    """Two models compared on some rows."""

    def __init__(self, judged: answers.Answers, other: answers.Answers, *, task: str, allowed: float) -> None:
        labels, apart = differences(judged, other, task=task)
        self.rows = len(labels)
        self.allowed = allowed
        self.wrong = labels | ~(apart <= allowed)
        self.labels_differ = int(labels.sum())
        self.largest = float(apart.max()) if self.rows else 0.0
        # The row to look at: another label is worse than any distance.
        self.worst = int(np.argmax(apart + labels * (1 + self.largest))) if self.rows else None

    @property
    def holds(self) -> bool:
        """Whether every row is answered alike."""
        return not self.wrong.any()

    def words(self) -> str:
        """What differs, for a reason."""
        rows = f"{int(self.wrong.sum()):,} of {self.rows:,} rows"
        labels = f"{self.labels_differ:,} of them with another label, " if self.labels_differ else ""
        return f"{rows} are answered differently, {labels}by up to {self.largest:.3g} (allowed {self.allowed:.3g})"
