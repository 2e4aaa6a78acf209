"""Bounds of a paired difference where a rival could not be asked about some rows (statistics.md 12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_ci.gates.bounds.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class PartlyPaired:
    """`inner` on the paired rows; in the rest, a share of all, the difference may be anything from -reach to reach."""

    inner: Estimate
    share: float
    rival: str = "champion"

    @property
    def method(self) -> str:
        return self.inner.method

    @property
    def value(self) -> float:
        """Of the paired rows."""
        return self.inner.value

    @property
    def rows(self) -> int:
        return self.inner.rows

    @property
    def reach(self) -> float:
        return self.inner.reach

    @property
    def groups(self) -> int | None:
        return self.inner.groups

    @property
    def note(self) -> str:
        told = f"{self.share:.1%} of the rows have no answer of the {self.rival} and may have gone either way"
        return f"{self.inner.note}; {told}" if self.inner.note else told

    def low(self, alpha: float, *, passing: bool) -> float | None:
        bound = self.inner.low(alpha, passing=passing)
        return None if bound is None else (1.0 - self.share) * bound - self.share * self.reach

    def high(self, alpha: float, *, passing: bool) -> float | None:
        bound = self.inner.high(alpha, passing=passing)
        return None if bound is None else (1.0 - self.share) * bound + self.share * self.reach

    def error(self, at: float) -> float:  # noqa: ARG002 - the protocol's signature
        """NaN: more rows narrow the paired part only, so nothing can be planned from it."""
        return float("nan")

    def still(self, alpha: float) -> float:
        return self.inner.still(alpha)
