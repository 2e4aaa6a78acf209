"""What every method gives: the value seen, a bound below and above it, and how much it varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Estimate(Protocol):
    """A number seen on `rows` rows. All bounds are one-sided at level `alpha`; None: there is no valid one."""

    @property
    def method(self) -> str: ...

    @property
    def value(self) -> float: ...

    @property
    def rows(self) -> int:
        """Rows in the metric's denominator."""
        ...

    @property
    def groups(self) -> int | None:
        """Groups the rows were counted by; None: by row."""
        ...

    @property
    def reach(self) -> float:
        """How far one row's worth is from the best to the worst: 1 for shares, the width of the range for losses."""
        ...

    @property
    def note(self) -> str:
        """What a reader must know of this bound, or empty."""
        ...

    def low(self, alpha: float, *, passing: bool) -> float | None:
        """The true value is below this with probability at most alpha. `passing`: it is what lets the gate pass."""
        ...

    def high(self, alpha: float, *, passing: bool) -> float | None: ...

    def error(self, at: float) -> float:
        """The standard error where the true value is `at`; 0 where nothing varies."""
        ...

    def still(self, alpha: float) -> float:
        """How far from the value the bound at alpha would be if nothing varied."""
        ...


@dataclass(frozen=True, kw_only=True)
class Unbounded:
    """A value without a valid bound, and why (`note`)."""

    value: float
    rows: int
    note: str
    groups: int | None = None
    reach: float = 1.0
    method: str = "none/1"

    def low(self, alpha: float, *, passing: bool) -> float | None:  # noqa: ARG002 - the protocol's signature
        return None

    def high(self, alpha: float, *, passing: bool) -> float | None:  # noqa: ARG002
        return None

    def error(self, at: float) -> float:  # noqa: ARG002
        return float("nan")

    def still(self, alpha: float) -> float:  # noqa: ARG002
        return float("nan")


def unseen(units: int, alpha: float) -> float:
    """The largest share that none of `units` independent draws shows with probability alpha: 1 - alpha^(1/units)."""
    return float(1.0 - alpha ** (1.0 / units))
