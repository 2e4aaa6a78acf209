"""An estimate with a normal error, for which every bound is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci.gates.quantiles import upper_normal


@dataclass(frozen=True, kw_only=True)
class Normal:
    """A value with a normal error: what melding should do with it is known."""

    value: float
    se: float = 1.0
    rows: int = 100
    groups: int | None = None
    note: str = ""
    method: str = "normal/1"

    def low(self, alpha: float, *, passing: bool) -> float:
        return self.value - upper_normal(alpha) * self.se

    def high(self, alpha: float, *, passing: bool) -> float:
        return self.value + upper_normal(alpha) * self.se

    def error(self, at: float) -> float:
        return self.se

    def still(self, alpha: float) -> float:
        return 0.0
