"""What gates are judged on: one frozen value with everything they may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from mlops_ci.gates.gate import Whose

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

    spent: str = ""
    """Why no look is left although there are decisions; empty: for no other reason."""

    @property
    def worn(self) -> bool:
        """No look is left: an `@` gate is undecided whatever the rows say."""
        return self.looks >= self.decisions or self.spent != ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Holdout, predictions, champion, anchor and facts.

    facts: name -> number, in seconds, bytes, rows or counts (gates/facts.py).
    missing_facts: name -> why it has no number, and what a gate over it then is: skipped for a reason that does not
    block (no base to compare with, `--only`). A fact in neither is errored: what had to measure it did not.
    """

    holdout: Holdout
    predictions: Predictions
    champion: Champion | None = None
    anchor: Champion | None = None
    """The pinned decision; without a decision of its own (`decision` empty) it could not be found, and `reason` is why.
    None: no gate named it when it was asked."""
    facts: dict[str, float] = {}
    missing_facts: dict[str, Absence] = {}
    own: tuple[OwnMetric, ...] = ()
    """The project's own metrics, which gates can name too; their numbers are in the predictions."""
    histories: int = 1
    """K: the ways earlier answers on this holdout can have gone, which the passing level is divided by, and of a gate
    with a tolerance both (histories.py); 1 where every look is taken for the first."""
    wear: Wear | None = None
    """None: nothing is promised for many looks, each `@` gate is at its own level."""
    gate_part: Question | None = None
    """The same about the rows of which nothing but one answer may be told, with the wear of these: `@` gates are
    judged there (verdict_only.py). None: the numbers of all rows may be shown."""

    def rival(self, whose: Whose) -> Champion | None:
        """The champion or the anchor; None: it is not there."""
        return {Whose.CHAMPION: self.champion, Whose.ANCHOR: self.anchor}.get(whose)

    def cut(self, rows: NDArray[np.bool_]) -> Question:
        """The same question about these rows only; rows: shape (n,) bool."""
        return replace(
            self,
            holdout=self.holdout.cut(rows),
            predictions=answers_on(self.predictions, rows),
            champion=_rival_on(self.champion, rows),
            anchor=_rival_on(self.anchor, rows),
        )


def _rival_on(rival: Champion | None, rows: NDArray[np.bool_]) -> Champion | None:
    if rival is None or rival.predictions is None:
        return rival
    new, lacking = (None if mask is None else mask[rows] for mask in (rival.new_rows, rival.unanswered))
    return replace(rival, predictions=answers_on(rival.predictions, rows), new_rows=new, unanswered=lacking)


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
