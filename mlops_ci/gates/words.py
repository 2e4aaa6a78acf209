"""The reasons of verdicts, in sentences a product owner understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.records.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.gates.gate import Comparison, Gate
    from mlops_ci.gates.need import Need
    from mlops_ci.gates.question import Wear
    from mlops_ci.gates.values import SliceSample

_RELATIONS: dict[Comparison, tuple[str, str]] = {
    ">=": ("at or above", "below"),
    ">": ("above", "not above"),
    "<=": ("at or below", "above"),
    "<": ("below", "not below"),
    "==": ("equal to", "not equal to"),
    "!=": ("other than", "equal to"),
}
_LONGEST_NAME = 40
_MOST_NAMES = 5
_SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How the numbers of one gate are written. Differences of shares: in points (hundredths)."""

    difference: bool = False
    gap: bool = False
    points: bool = False
    unit: str = ""

    @property
    def subject(self) -> str:
        return f"the {self.name}"

    @property
    def name(self) -> str:
        return "difference" if self.difference else "gap" if self.gap else "value"

    @property
    def after(self) -> str:
        return " points" if self.points else ""

    def amount(self, value: float) -> str:
        """`0.01`, or `1 point`."""
        text = self.text(value)
        return f"{text} point" if self.points and text == "1" else f"{text}{self.after}"

    def text(self, value: float, *apart: float) -> str:
        """The number, with enough digits not to look like any other of `apart`."""
        if self.unit == "bytes":
            return _size(value)
        if self.unit == "s":
            return f"{_decimal(value * 1000, ())} ms" if abs(value) < 1 else f"{_decimal(value, ())} s"
        factor = 100.0 if self.points else 1.0
        return _decimal(value * factor, [other * factor for other in apart], 2 if self.points else 4)


def _decimal(value: float, apart: Sequence[float], places: int = 4) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    while places < 9 and any(other != value and _fixed(other, places) == _fixed(value, places) for other in apart):
        places += 1
    return _fixed(value, places)


def _fixed(value: float, places: int) -> str:
    text = f"{value:,.{places}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text.replace("-", "−")


def _size(value: float) -> str:
    for unit, size in _SIZES:
        if abs(value) >= size:
            return f"{_fixed(value / size, 3)} {unit}"
    return f"{_fixed(value, 0)} bytes"


def places(value: float) -> str:
    """The number with at most four decimals."""
    return _decimal(value, ())


def percent(share: float) -> str:
    """0.995 -> 99.5 %"""
    return f"{_fixed(share * 100, 4)} %"


def percent_of(share: float, *apart: float) -> str:
    """0.9103 -> 91; a tenth more, or as many digits as keep it from looking like any of `apart`."""
    return _decimal(share * 100, [other * 100 for other in apart], 1)


def point(gate: Gate, scale: Scale, value: float, *, passed: bool) -> str:
    """`0.838 is below 0.84`"""
    relation = _RELATIONS[gate.comparison][0 if passed else 1]
    seen = scale.text(value, gate.threshold)
    subject = f"the difference of {seen}{scale.after}" if scale.difference else seen
    return f"{subject} is {relation} {scale.text(gate.threshold, value)}"


def passed(gate: Gate, scale: Scale, bound: float) -> str:
    side = "at least" if gate.upwards else "at most"
    return f"{_sure(gate)}{scale.subject} is {side} {_limits(gate, scale, bound, _RELATIONS[gate.comparison][0])}"


def failed(gate: Gate, scale: Scale, bound: float) -> str:
    side = "at most" if gate.upwards else "at least"
    return f"{_sure(gate)}{scale.subject} is {side} {_limits(gate, scale, bound, _RELATIONS[gate.comparison][1])}"


def _sure(gate: Gate) -> str:
    return f"with {percent(1.0 - gate.alpha)} confidence "


def _limits(gate: Gate, scale: Scale, bound: float, relation: str) -> str:
    return f"{scale.text(bound, gate.threshold)}{scale.after}, {relation} {scale.text(gate.threshold, bound)}"


def undecided(gate: Gate, scale: Scale, low: float, high: float, needed: Need) -> str:
    """`the difference lies between −0.53 and −0.09 points, and −0.5 is in between; if …`"""
    limit = gate.threshold
    between = f"{scale.subject} lies between {scale.text(low, limit)} and {scale.text(high, limit)}{scale.after}"
    return f"{between}, and {scale.text(limit, low, high)} is in between; {_rows(gate, scale, needed)}"


class Tolerance(msgspec.Struct, frozen=True, kw_only=True):
    """The tolerance a gate names and the one its rows reach."""

    asked: float
    reached: float
    rows: int
    needed: int


def tolerated(gate: Gate, scale: Scale, status: Status, *, bounds: tuple[float, float], told: Tolerance) -> str:
    """Of a gate with `+/-`: its bound, and what the rows reach; or that there are too few of them."""
    asked = scale.amount(told.asked)
    reached = scale.amount(told.reached) if told.reached < 1.0 else "none"
    if told.rows < told.needed:
        return f"a tolerance of {asked} takes {told.needed:,} rows and {told.rows:,} are there, which reach {reached}"
    low, high = bounds
    if status is Status.PASSED:
        found = passed(gate, scale, low if gate.upwards else high)
    elif status is Status.FAILED:
        found = failed(gate, scale, high if gate.upwards else low)
    else:
        limit = gate.threshold
        between = f"{scale.text(low, limit)} and {scale.text(high, limit)}{scale.after}"
        found = f"{scale.subject} lies between {between}, and {scale.text(limit, low, high)} is in between"
    return f"{found}; {told.rows:,} rows reach a tolerance of {reached} ({asked} takes {told.needed:,})"


def _rows(gate: Gate, scale: Scale, needed: Need) -> str:
    told = []
    if scale.difference and needed.rows is not None:
        told.append(f"if the true difference is 0, {needed.rows:,} rows decide with 80 %")
    if needed.observed is not None:
        truth = "it is what was observed" if told else f"the true {scale.name} is what was observed"
        told.append(f"if {truth}, {needed.observed:,}" + ("" if told else " rows decide with 80 %"))
    if told:
        return "; ".join(told)
    if needed.detectable is None:
        return "more rows of the same kind would not decide it"
    seen = scale.text(needed.detectable)
    return f"these rows see a distance of {seen}{scale.after} from {scale.text(gate.threshold)} with 80 %"


def ends(largest: SliceSample, smallest: SliceSample) -> str:
    """`largest at origin=JFK (0.412), smallest at origin=LGA (0.361)`"""
    high, low = largest.side.value or 0.0, smallest.side.value or 0.0
    return f"largest at {largest.name} ({_decimal(high, [low])}), smallest at {smallest.name} ({_decimal(low, [high])})"


def verdict_only(claims: int, *, passed: bool) -> str:
    """`not passed; nothing else is told of its rows`"""
    word = "passed" if passed else "not passed"
    if claims < 2:
        return f"{word}; nothing else is told of its rows"
    return f"{word}; one answer for all @ gates, and nothing else is told of their rows"


def worn_out(wear: Wear, fresh: int | None) -> str:
    """`worn out: 32 of 32 decisions used; 1,204 fresh rows help`"""
    helps = "only fresh rows help" if fresh is None else f"{fresh:,} fresh rows help"
    if wear.anywhere >= wear.decisions or (wear.spent and wear.anywhere):
        helps = "they were made under another data.id or data.split, so nobody can tell which rows are fresh"
    if wear.spent:
        return f"worn out: {wear.spent}; {helps}"
    return f"worn out: {min(wear.looks, wear.decisions):,} of {wear.decisions:,} decisions used; {helps}"


def names(of: Sequence[str]) -> str:
    """The first few, each shortened, and how many more."""
    shown = ", ".join(
        name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…" for name in of[:_MOST_NAMES]
    )
    return f"{shown} and {len(of) - _MOST_NAMES:,} more" if len(of) > _MOST_NAMES else shown


def joined(*sentences: str) -> str:
    """The sentences that are not empty, with semicolons."""
    return "; ".join(sentence for sentence in sentences if sentence)
