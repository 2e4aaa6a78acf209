"""Exact bounds of a proportion (Clopper, Pearson, Biometrika 26, 1934), and of F1 through one."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from mlops_ci.gates.bounds.estimate import unseen
from mlops_ci.gates.quantiles import beta_quantile

NAME = "clopper-pearson/1"


def low(count: float, of: float, alpha: float) -> float:
    """The largest p with P(X >= count | p) <= alpha; X binomial, `of` >= 1 trials (effective ones may be fractions)."""
    # Of a smaller part of one success the bound is below 1e-20 and the quantile has no digits.
    return beta_quantile(alpha, count, of - count + 1) if count > 0.05 else 0.0


def high(count: float, of: float, alpha: float) -> float:
    return 1.0 - low(of - count, of, alpha)


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """`count` successes of `of` rows."""

    count: int
    of: int
    method: str = NAME
    groups: int | None = None
    reach: float = 1.0
    note: str = ""

    @property
    def value(self) -> float:
        return self.count / self.of

    @property
    def rows(self) -> int:
        return self.of

    def low(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002 - the same bound on both sides
        return low(self.count, self.of, alpha)

    def high(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return high(self.count, self.of, alpha)

    def error(self, at: float) -> float:
        return sqrt(max(at * (1.0 - at), 0.0) / self.of)

    def still(self, alpha: float) -> float:
        return unseen(self.of, alpha)


@dataclass(frozen=True, kw_only=True)
class F1:
    """F1 = 2p / (1 + p) with p = TP / (TP + FP + FN): increasing in p, so bounds of p are bounds of F1."""

    true_positives: int
    of: int
    """TP + FP + FN."""
    method: str = NAME
    groups: int | None = None
    reach: float = 1.0
    note: str = ""

    @property
    def value(self) -> float:
        return _f1(self.true_positives / self.of)

    @property
    def rows(self) -> int:
        return self.of

    def low(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return _f1(low(self.true_positives, self.of, alpha))

    def high(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return _f1(high(self.true_positives, self.of, alpha))

    def error(self, at: float) -> float:
        share = at / (2.0 - at)
        return 2.0 / (1.0 + share) ** 2 * sqrt(max(share * (1.0 - share), 0.0) / self.of)

    def still(self, alpha: float) -> float:
        return unseen(self.of, alpha)


def _f1(share: float) -> float:
    return 2.0 * share / (1.0 + share)
