"""How many histories one holdout may be asked through: what a level is divided by so that it holds for all of them.

A model may be built by someone who has read the earlier answers. Every way those answers can have gone leads to a model
of its own, and a claim that holds for each of K models with error α / K holds for all with error α (union bound). With
one bit an answer, and a holdout that is retired at its m-th pass, K = Σ_{j=1..m} C(H, j): ease.ml/ci (Renggli et al.,
SysML 2019) for m = 1 (`first_change`) and m = H (`full`), statistics.md 2 between and beyond.

What this counts: answers that leave the holdout. What it does not: numbers, intervals, slices and flipped rows in a
report tell far more than one bit; a + b answers that can be told apart are counted below, a full report cannot be. Nor
does it bind someone who reads the rows, or asks where nothing is recorded.
"""

from __future__ import annotations

from math import comb
from typing import Literal

Adaptivity = Literal["none", "first_change", "full"]


def budget(adaptivity: Adaptivity | int, decisions: int) -> int:
    """The passes after which a holdout of `decisions` decisions is retired; a number is the budget itself.

    `none`, nothing is learned from earlier answers, costs as much as `first_change`: one history a decision.
    """
    if isinstance(adaptivity, int):
        return min(adaptivity, decisions)
    return {"none": 1, "first_change": 1, "full": decisions}[adaptivity]


def histories(decisions: int, passes: int = 1, *, refusals: int = 1, kinds_of_pass: int = 1) -> int:
    """K = Σ_{t=1..H} Σ_{j=0..min(m-1, t-1)} C(t-1, j) · b^j · a^(t-1-j), the models to guard against.

    decisions: H, at least 1. passes: m from 1, the holdout is retired at the m-th. refusals: a, answers other than
    passed that can be told apart (failed and undecided shown apart are 2). kinds_of_pass: b, the same of passes.
    With a = b = 1 this is Σ_{j=1..m} C(H, j).
    """
    if min(decisions, passes, refusals, kinds_of_pass) < 1:
        raise ValueError("decisions, passes and answers are counted from 1")
    total, upto = 0, 1
    for earlier in range(decisions):
        total += upto
        # One more answer: each history goes on in a + b ways, but those with m - 1 passes end at the next.
        ended = comb(earlier, passes - 1) * kinds_of_pass**passes * refusals ** max(earlier - passes + 1, 0)
        upto = (refusals + kinds_of_pass) * upto - ended
    return total
