"""Gates with `@ C`: two one-sided bounds, each at its own level (statistics.md 1).

For > and >=: passed when the low bound clears the threshold, failed when the high one does not reach it, else
undecided; mirrored for < and <=. The bound is computed from what was seen; where none is valid the gate is undecided.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec

from mlops_ci.gates import words
from mlops_ci.gates.estimates import changed, paired, single
from mlops_ci.gates.form import Form, form
from mlops_ci.gates.gaps import gap
from mlops_ci.gates.need import Need, need
from mlops_ci.gates.obstacles import nobody_asked, undefined
from mlops_ci.gates.sample import Sample, rows_of, whole
from mlops_ci.gates.sums import sum_of
from mlops_ci.gates.values import side, slices, too_few, worst
from mlops_ci.gates.verdict import is_difference, scale, sides, verdict
from mlops_ci.records.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_ci.gates.bounds.estimate import Estimate
    from mlops_ci.gates.gate import Gate
    from mlops_ci.gates.question import Question, Wear
    from mlops_ci.records.verdicts import Verdict

_ALIKE = "both models answer alike on these rows, which does not show how they answer on others"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What one gate's bounds are made from; estimates: one, or one for each slice of `worst`."""

    estimates: tuple[Estimate, ...]
    names: tuple[str, ...] = ("",)
    comparisons: int = 1
    """Slices of `worst`, ordered pairs of slices of `gap`: the fail side shares its error over them."""
    slice: str = ""
    """The worst slice; of a gap the one on the worse side."""
    small: tuple[str, ...] = ()
    note: str = ""
    sides: dict[str, Any] = {}
    highest: bool = False
    """The worst is the largest: of losses."""

    def low(self, gate: Gate, alpha: float) -> float | None:
        return self._worst_of(one.low(alpha, passing=gate.upwards) for one in self.estimates)

    def high(self, gate: Gate, alpha: float) -> float | None:
        return self._worst_of(one.high(alpha, passing=not gate.upwards) for one in self.estimates)

    def binding(self, gate: Gate, alpha: float) -> int:
        """The slice whose bound is the worst on the side that lets the gate pass."""
        if len(self.estimates) == 1:
            return 0
        bounds = [
            one.high(alpha, passing=not gate.upwards) if self.highest else one.low(alpha, passing=gate.upwards)
            for one in self.estimates
        ]
        return next((index for index, bound in enumerate(bounds) if bound is None), self._worst_index(bounds))

    @property
    def worst(self) -> int:
        return self._worst_index([one.value for one in self.estimates])

    def _worst_index(self, values: Sequence[float | None]) -> int:
        sign = -1.0 if self.highest else 1.0
        return min(range(len(values)), key=lambda index: sign * (values[index] or 0.0))

    def _worst_of(self, bounds: Iterable[float | None]) -> float | None:
        found = list(bounds)
        known = [bound for bound in found if bound is not None]
        if len(known) < len(found):
            return None
        return max(known) if self.highest else min(known)


def judge(gate: Gate, question: Question, claims: int) -> Verdict:
    """`claims`: the number of `@` gates that share the error of the fail side."""
    alpha_pass = gate.alpha / question.histories
    made = _claim(gate, question, alpha_pass)
    if isinstance(made, str):
        return verdict(gate, Status.UNDECIDED, reason=made)
    if question.wear is not None and question.wear.worn:
        return _worn_out(gate, made, question.holdout.rows, question.wear)
    alpha_fail = gate.alpha / (claims * made.comparisons)
    low, high = _bounds(gate, made, alpha_pass, alpha_fail)
    status = decided(gate, low, high)
    place = made.binding(gate, alpha_pass)
    binding = made.estimates[place]
    needed = need(gate, binding, alpha_pass, difference=is_difference(gate))
    return verdict(
        gate,
        status,
        observed=made.estimates[made.worst].value,
        low=low,
        high=high,
        alpha_pass=alpha_pass,
        alpha_fail=alpha_fail,
        rows=binding.rows,
        groups=binding.groups,
        rows_needed=needed.rows,
        detectable=needed.detectable,
        method=binding.method,
        reason=_reason(gate, made, status, (low, high), binding=place, needed=needed),
        **({"slice": made.slice} if made.slice else {}),
        **made.sides,
    )


def shown(gate: Gate, question: Question) -> dict[str, Any]:
    """The interval beside a point gate, 95 % each side, and the rows; empty where there is none."""
    made = _claim(gate, question, gate.alpha)
    if isinstance(made, str):
        return {}
    binding = made.estimates[made.worst]
    shared = gate.alpha / made.comparisons
    sure = (gate.alpha, shared) if form(gate) is not Form.GAP else (shared, gate.alpha)
    low, high = made.low(gate, sure[0]), made.high(gate, sure[1])
    named = {"slice": made.slice} if made.slice else {}
    counted: dict[str, Any] = {"low": low, "high": high, "rows": binding.rows, "groups": binding.groups}
    return counted | named | made.sides


def _worn_out(gate: Gate, made: Claim, rows: int, wear: Wear) -> Verdict:
    """No bound: whatever these rows say, they have said too often. `rows`: of the holdout."""
    alpha = gate.alpha / wear.histories
    binding = made.estimates[made.binding(gate, alpha)]
    needed = need(gate, binding, alpha, difference=is_difference(gate))
    fresh = None if needed.rows is None else ceil(needed.rows * rows / binding.rows)
    return verdict(
        gate,
        Status.UNDECIDED,
        observed=made.estimates[made.worst].value,
        rows=binding.rows,
        groups=binding.groups,
        rows_needed=needed.rows,
        reason=words.worn_out(wear, fresh),
        **made.sides,
    )


def _bounds(gate: Gate, made: Claim, alpha_pass: float, alpha_fail: float) -> tuple[float | None, float | None]:
    if gate.upwards:
        return made.low(gate, alpha_pass), made.high(gate, alpha_fail)
    return made.low(gate, alpha_fail), made.high(gate, alpha_pass)


def decided(gate: Gate, low: float | None, high: float | None) -> Status:
    """What two bounds say of the threshold (statistics.md 1): at the threshold itself > fails and >= passes."""
    limit = gate.threshold
    clears, misses = {
        ">": (low is not None and low > limit, high is not None and high <= limit),
        ">=": (low is not None and low >= limit, high is not None and high < limit),
        "<": (high is not None and high < limit, low is not None and low >= limit),
        "<=": (high is not None and high <= limit, low is not None and low > limit),
    }[gate.comparison]
    if clears:
        return Status.PASSED
    return Status.FAILED if misses else Status.UNDECIDED


def _claim(gate: Gate, question: Question, alpha: float) -> Claim | str:
    """The bounds' material, or why a metric is not defined. alpha: level of the pass side, which chooses methods."""
    sample = whole(question, gate.against)
    if gate.terms[0].over_slices:
        return _over_slices(gate, sample, alpha)
    term = gate.terms[0]
    cut = sample.cut(rows_of(term.column, term.value, sample.holdout)) if term.slice else sample
    inside = cut
    if gate.against and cut.unanswered is not None:
        inside = cut.cut(~cut.unanswered)
    if form(gate) in {Form.CHANGED, Form.SUM}:
        if not inside.holdout.rows:
            return nobody_asked(cut.against)
        estimate = changed(cut, alpha=alpha) if form(gate) is Form.CHANGED else sum_of(gate, cut, alpha=alpha)
        return Claim(estimates=(estimate,), sides=dict(sides(gate, inside)))
    seen = sides(gate, inside)
    for one in gate.terms:
        if seen[one.whose].value is None:
            return undefined(one, inside, inside.of(one))
    if form(gate) is Form.PAIRED:
        plus, minus = gate.terms if term.coefficient > 0 else gate.terms[::-1]
        estimate = paired(term.measure, cut, cut.of(plus), cut.of(minus), alpha=alpha)
    else:
        estimate = single(term.measure, cut, cut.candidate, alpha=alpha)
    alike = form(gate) is Form.PAIRED and inside.alike
    return Claim(estimates=(estimate,), note=_ALIKE if alike else "", sides=dict(seen))


def _over_slices(gate: Gate, sample: Sample, alpha: float) -> Claim | str:
    term = gate.terms[0]
    judged, small = slices(term, sample)
    if missing := too_few(term, judged, small):
        return missing
    worse = worst(term, judged)
    if form(gate) is Form.GAP:
        apart = gap(term.measure, judged, alpha=alpha)
        ends = words.ends(*(judged[index] for index in apart.ends))
        return Claim(estimates=(apart,), comparisons=apart.pairs, slice=worse.name, small=small, note=ends)
    found: dict[str, Any] = {"candidate": worse.side}
    if worse.sample.rival is not None and worse.sample.in_full:
        found[str(worse.sample.against)] = side(term.measure, worse.sample, worse.sample.rival)
    return Claim(
        estimates=tuple(single(term.measure, one.sample, one.sample.candidate, alpha=alpha) for one in judged),
        names=tuple(one.name for one in judged),
        comparisons=len(judged),
        slice=worse.name,
        small=small,
        sides=found,
        highest=not term.measure.higher_is_better,
    )


def _reason(
    gate: Gate,
    made: Claim,
    status: Status,
    bounds: tuple[float | None, float | None],
    *,
    binding: int,
    needed: Need,
) -> str:
    low, high = bounds
    passing, failing = (low, high) if gate.upwards else (high, low)
    if status is Status.PASSED and passing is not None:
        told = words.passed(gate, scale(gate), passing)
    elif status is Status.FAILED and failing is not None:
        told = words.failed(gate, scale(gate), failing)
    elif low is None or high is None:
        told = "the rows cannot tell"
    else:
        told = words.undecided(gate, scale(gate), low, high, needed)
    holds = f"the bound is that of {made.names[binding]}" if made.names[binding] and binding != made.worst else ""
    small = f"not judged, too few rows: {words.names(made.small)}" if made.small else ""
    return words.joined(told, made.note, holds, made.estimates[binding].note, small)
