"""What gates are judged on: one frozen value with everything they may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.records.decisions import Absence
    from mlops_ci.records.evaluation import Champion, Holdout, Predictions


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
    histories: int = 1
    """K: the ways earlier answers on this holdout can have gone, which a gate with a tolerance shares its error over
    (histories.py); 1 where every look is taken for the first."""
    same_model: bool = False
    """The champion's model is this very file: differences are 0 by identity. Equal predictions alone are not enough: a
    harm to one row in a hundred stays unseen on 100 rows with probability .37 (statistics.md 5, 6)."""
    unanswered: NDArray[np.bool_] | None = None
    """Shape (rows,): rows the champion's model could not be asked about (statistics.md 12); its answers there are
    ignored. Rows whose features changed and that it was asked about again are not among them."""
