"""Exact bounds of a proportion (Clopper, Pearson, Biometrika 26, 1934), and of F1 through one."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from mlops_ci.gates.bounds.counted import Counted
from mlops_ci.gates.quantiles import beta_quantile

NAME = "clopper-pearson/1"


def low(count: float, of: float, alpha: float) -> float:
    """The largest p with P(X >= count | p) <= alpha; X binomial, `of` >= 1 trials (effective ones may be fractions)."""
    # Of a smaller part of one success the bound is below 1e-20 and the quantile has no digits.
    return beta_quantile(alpha, count, of - count + 1) if count > 0.05 else 0.0


def high(count: float, of: float, alpha: float) -> float:
    return 1.0 - low(of - count, of, alpha)


@dataclass(frozen=True, kw_only=True)
class Proportion(Counted):
    """`count` successes of `of` rows."""

    count: int
    method: str = NAME

    @property
    def value(self) -> float:
        return self.count / self.of

    def low(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002 - the same bound on both sides
        return low(self.count, self.of, alpha)

    def high(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return high(self.count, self.of, alpha)

    def error(self, at: float) -> float:
        return sqrt(max(at * (1.0 - at), 0.0) / self.of)


@dataclass(frozen=True, kw_only=True)
class F1(Counted):
    """F1 = 2p / (1 + p), p = TP / (TP + FP + FN), `of` the sum below: increasing in p, so its bounds are those of p."""

    true_positives: int
    method: str = NAME

    @property
    def value(self) -> float:
        return _f1(self.true_positives / self.of)

    def low(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return _f1(low(self.true_positives, self.of, alpha))

    def high(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return _f1(high(self.true_positives, self.of, alpha))

    def error(self, at: float) -> float:
        share = at / (2.0 - at)
        return 2.0 / (1.0 + share) ** 2 * sqrt(max(share * (1.0 - share), 0.0) / self.of)


def _f1(share: float) -> float:
    return 2.0 * share / (1.0 + share)
