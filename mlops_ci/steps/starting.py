"""The gates a new project starts with: better than no model, and not worse than the model before."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_ci.steps.findings import Findings

HELD_OUT = 0.2
# One-sided 95 % and power 80 %: z(0.95) + z(0.80).
_SEEN = 1.6449 + 0.8416
_ASSUMED_AUC = 0.8
_ALIKE = 0.8
"""Correlation of the AUCs of two versions of a model, as assumed for its margin (statistics.md 18)."""
_CHANGED = 0.1
"""Share of predictions that differ between two versions of a model, as assumed for its margin."""
_WIDEST = 0.1


def starting_gates(findings: Findings, rows: int) -> tuple[tuple[str, str], ...]:
    """Gates with the reason beside each. `rows`: of the whole table; a fifth of them are held out."""
    held = max(1, round(rows * HELD_OUT))
    if findings.task == "regression":
        return (("r2 >= 0", "better than always answering the mean; `@ 95%` is not yet there for this metric"),)
    if len(findings.counts) == 2:
        return _binary(findings.counts, held)
    return _multiclass(findings.counts, held)


def auc_error(auc: float, positives: float, negatives: float) -> float:
    """Standard error of an AUC (Hanley and McNeil 1982, https://doi.org/10.1148/radiology.143.1.7063747)."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return sqrt(spread / (positives * negatives))


def _binary(counts: tuple[int, ...], held: int) -> tuple[tuple[str, str], ...]:
    positives, negatives = (max(1.0, count / sum(counts) * held) for count in counts)
    visible = _up(0.5 + _SEEN * auc_error(0.5, positives, negatives))
    why = f"better than a coin; with about {held:,} held-out rows a model of {visible:g} passes 4 times out of 5"
    margin = _up(_SEEN * auc_error(_ASSUMED_AUC, positives, negatives) * sqrt(2 * (1 - _ALIKE)))
    return (("roc_auc >= 0.5 @ 95%", why), *_not_worse("roc_auc", margin))


def _multiclass(counts: tuple[int, ...], held: int) -> tuple[tuple[str, str], ...]:
    common = max(counts, default=0) / max(1, sum(counts))
    visible = _up(min(1.0, common + _SEEN * sqrt(common * (1 - common) / held)))
    why = f"always answering the commonest class; with about {held:,} held-out rows a model of {visible:g} passes"
    margin = _up(_SEEN * sqrt(_CHANGED / held))
    return ((f"accuracy >= {_up(common):g} @ 95%", why), *_not_worse("accuracy", margin))


def _not_worse(metric: str, margin: float) -> tuple[tuple[str, str], ...]:
    """Against the champion, where the rows can see a loss worth seeing; skipped while there is none."""
    if margin > _WIDEST:
        return ()
    why = f"not worse than before; {margin:g} is about the smallest loss these rows can rule out"
    return ((f"{metric} - champion.{metric} > -{margin:g} @ 95%", why),)


def _up(value: float) -> float:
    return ceil(round(value * 1000, 6)) / 1000
