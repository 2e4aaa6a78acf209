"""What gates are judged on: one frozen value with everything they may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.records.decisions import Absence
    from mlops_ci.records.evaluation import Champion, Holdout, OwnMetric, Predictions


class Wear(msgspec.Struct, frozen=True, kw_only=True):
    """What earlier looks at the same rows leave of `holdout: {guarantee: ...}` (statistics.md 2, 3)."""

    decisions: int
    """H: the looks that are promised for one row."""
    looks: int
    """Earlier looks at the row of `rows` that was looked at most."""
    histories: int
    """K: the level of every passing bound is divided by it."""
    anywhere: int = 0
    """Earlier looks that may have been at any row: no fresh row is free of them."""
    rows: NDArray[np.bool_] | None = None
    """Shape (n,): the rows that `@` gates are judged on; None: all."""

    @property
    def worn(self) -> bool:
        """No look is left: an `@` gate is undecided whatever the rows say."""
        return self.looks >= self.decisions


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Holdout, predictions, champion and facts.

    facts: name -> number, in seconds, bytes, rows or counts (gates/facts.py).
    missing_facts: name -> why it has no number, and what a gate over it then is: skipped for a reason that does not
    block (no base to compare with, `--only`). A fact in neither is errored: what had to measure it did not.
    """

    holdout: Holdout
    predictions: Predictions
    champion: Champion | None = None
    facts: dict[str, float] = {}
    missing_facts: dict[str, Absence] = {}
    own: tuple[OwnMetric, ...] = ()
    """The project's own metrics, which gates can name too; their numbers are in the predictions."""
    histories: int = 1
    """K: the ways earlier answers on this holdout can have gone, which the passing level is divided by, and of a gate
    with a tolerance both (histories.py); 1 where every look is taken for the first."""
    same_model: bool = False
    """The champion's model is this very file: differences are 0 by identity. Equal predictions alone are not enough: a
    harm to one row in a hundred stays unseen on 100 rows with probability .37 (statistics.md 5, 6)."""
    unanswered: NDArray[np.bool_] | None = None
    """Shape (rows,): rows the champion's model could not be asked about (statistics.md 12); its answers there are
    ignored. Rows whose features changed and that it was asked about again are not among them."""
    wear: Wear | None = None
    """None: nothing is promised for many looks, each `@` gate is at its own level."""

    def cut(self, rows: NDArray[np.bool_]) -> Question:
        """The same question about these rows only; rows: shape (n,) bool."""
        rival = self.champion
        if rival is not None and rival.predictions is not None:
            new, lacking = (None if mask is None else mask[rows] for mask in (rival.new_rows, rival.unanswered))
            answers = answers_on(rival.predictions, rows)
            rival = replace(rival, predictions=answers, new_rows=new, unanswered=lacking)
        group = self.holdout.group
        holdout = replace(
            self.holdout,
            ids=self.holdout.ids[rows],
            truth=self.holdout.truth[rows],
            group=None if group is None else group[rows],
            slices={name: replace(one, codes=one.codes[rows]) for name, one in self.holdout.slices.items()},
        )
        return replace(
            self,
            holdout=holdout,
            predictions=answers_on(self.predictions, rows),
            champion=rival,
            unanswered=None if self.unanswered is None else self.unanswered[rows],
        )


def answers_on(predictions: Predictions, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Predictions:
    """One model's answers on these rows; rows: shape (n,) bool, or their places."""
    scores = predictions.scores
    return replace(
        predictions,
        labels=predictions.labels[rows],
        scores=None if scores is None else scores[rows],
        # One number for all rows says nothing of some of them.
        own={name: values[rows] for name, values in predictions.own.items() if values.ndim > 0},
    )
