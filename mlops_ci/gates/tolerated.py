"""Gates with `+/- tolerance`: the distribution-free bounds of ease.ml/ci, whose rows are known before any data is.

The verdict is passed or failed when the estimate is further from the threshold than the tolerance the rows reach,
undecided in between; with fewer rows than the tolerance takes it is undecided whatever is seen, never a looser claim.
One share of rows: the binomial itself. A sum of them: Hoeffding. n - o beside a gate `d < p +/- ...`: where d is shown
to be below p (with half of the error allowed), Bennett, which takes far fewer rows.
"""

from __future__ import annotations

from math import ceil, exp, inf, isinf, log
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.gates import words
from mlops_ci.gates.bounds import clopper_pearson
from mlops_ci.gates.claim import decided
from mlops_ci.gates.form import changes_accuracy, is_share_of_changes
from mlops_ci.gates.gate import Gate, Term, TermKind
from mlops_ci.gates.obstacles import nobody_asked, undefined
from mlops_ci.gates.sample import Sample, rows_of, whole
from mlops_ci.gates.sample_size import bennett, bennett_tolerance, exact, hoeffding, hoeffding_tolerance
from mlops_ci.gates.values import changed, side
from mlops_ci.gates.verdict import scale, sides, verdict
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Side, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.gates.question import Question

EXACT, HOEFFDING, BENNETT = "binomial-tolerance/1", "hoeffding-tolerance/1", "bennett-tolerance/1"
_LARGE = 2**64
_GROUPED = "a tolerance counts rows as independent, and here {why}: write the gate without +/-, `@` then counts {units}"
_UNASKED = "the {who} could not be asked about some rows, and a tolerance needs its answer on all of them"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate's tolerance takes: rows, by which method, at which level."""

    method: str
    rows: int
    told: str
    factors: tuple[float, ...]
    delta: float
    histories: int
    most: float = 1.0
    """Share of predictions that differ, at most: of Bennett's bound."""

    def reached(self, rows: Sequence[int]) -> float:
        """The tolerance that rows reach, by an inequality; `rows` of each variable."""
        if self.method == BENNETT:
            size = abs(self.factors[0])
            return size * bennett_tolerance(min(rows), self.delta, self.most, histories=self.histories)
        return hoeffding_tolerance(rows, self.delta, self.factors, histories=self.histories)


def cost(gate: Gate, gates: Sequence[Gate], *, histories: int = 1) -> Cost:
    """Before anything is seen: where another gate bounds d, as if d will be shown to keep that bound."""
    by_hoeffding = _hoeffding(gate, gate.alpha, histories)
    factors, tolerance = by_hoeffding.factors, gate.tolerance or inf
    if len(factors) == 1:
        rows = exact(tolerance / abs(factors[0]), gate.alpha, histories=histories)
        told = f"by the binomial distribution ({by_hoeffding.rows:,} by Hoeffding's inequality)"
        return msgspec.structs.replace(by_hoeffding, method=EXACT, rows=rows, told=told)
    most = _most_changed(gate, gates)
    rows = ceil(bennett(tolerance / abs(factors[0]), gate.alpha, most, histories=histories)) if most else 0
    if not most or rows >= by_hoeffding.rows:
        return by_hoeffding
    told = f"by Bennett's inequality, if d is shown to be below {most:g} ({by_hoeffding.rows:,} by Hoeffding's if not)"
    return msgspec.structs.replace(by_hoeffding, method=BENNETT, rows=rows, told=told, most=most)


def _hoeffding(gate: Gate, delta: float, histories: int) -> Cost:
    factors = tuple(term.coefficient for term in gate.terms)
    return Cost(
        method=HOEFFDING,
        rows=ceil(hoeffding(gate.tolerance or inf, delta, factors, histories=histories)),
        told="by Hoeffding's inequality",
        factors=factors,
        delta=delta,
        histories=histories,
    )


def _most_changed(gate: Gate, gates: Sequence[Gate]) -> float | None:
    """The p of another gate `d < p +/- ...`, where this one is about n - o."""
    bounds = [other.threshold for other in gates if other.tolerance is not None and is_share_of_changes(other)]
    inside = [bound for bound in bounds if 0.0 < bound < 1.0]
    return min(inside) if inside and changes_accuracy(gate) else None


def judge(gate: Gate, gates: Sequence[Gate], question: Question) -> Verdict:
    """`gates`: the whole list, where a bound on d may stand. The gate has a tolerance and a confidence."""
    sample = whole(question, gate.against)
    if sample.holdout.group is not None:
        why, units = ("rows belong together (`group:`)", "groups")
        if sample.holdout.by_day:
            why, units = ("rows of one day may be alike (`time:`)", "days")
        return verdict(gate, Status.UNDECIDED, reason=_GROUPED.format(why=why, units=units))
    if gate.against and sample.unanswered is not None and sample.unanswered.any():
        return verdict(gate, Status.UNDECIDED, reason=_UNASKED.format(who=gate.against))
    shares = []
    for term in gate.terms:
        found = _share(term, sample)
        if isinstance(found, str):
            return verdict(gate, Status.UNDECIDED, reason=found)
        shares.append(found)
    planned, note = _once_d_is_seen(cost(gate, gates, histories=question.histories), gate, sample)
    return _judged(gate, planned, shares, sample, note=note)


def _share(term: Term, sample: Sample) -> Side | str:
    cut = sample.cut(rows_of(term.column, term.value, sample.holdout)) if term.slice else sample
    if term.kind is TermKind.CHANGED:
        return changed(cut) if cut.holdout.rows else nobody_asked(cut.against)
    found = side(term.measure, cut, cut.of(term))
    return undefined(term, cut, cut.of(term)) if found.value is None else found


def _once_d_is_seen(planned: Cost, gate: Gate, sample: Sample) -> tuple[Cost, str]:
    """Bennett's bound where d is shown to be small with half of delta; else Hoeffding's with the other half.

    Together they are wrong with probability delta at most: if d is truly below p the proof cannot be wrong, and if it
    is not, Bennett's is used only where the proof is.
    """
    if planned.method != BENNETT:
        return planned, ""
    half, seen = planned.delta / 2.0, changed(sample)
    bound = clopper_pearson.high(seen.count or 0, seen.of or 1, _shared(half, planned.histories))
    if bound <= planned.most:
        return planned, f"d is at most {words.places(bound)}, within {planned.most:g}"
    told = f"d is only known to be at most {words.places(bound)}, not {planned.most:g}, so more rows are needed"
    return _hoeffding(gate, half, planned.histories), told


def _judged(gate: Gate, planned: Cost, shares: list[Side], sample: Sample, *, note: str) -> Verdict:
    level, rows = _shared(gate.alpha, planned.histories), [share.of or 1 for share in shares]
    observed = sum(term.coefficient * (one.value or 0.0) for term, one in zip(gate.terms, shares, strict=True))
    if planned.method == EXACT:
        low, high = _exact_bounds(planned.factors[0], shares[0], level)
        reached = max(observed - low, high - observed)
    else:
        reached = planned.reached(rows)
        low, high = observed - reached, observed + reached
    enough = min(rows) >= planned.rows
    status = decided(gate, low, high) if enough else Status.UNDECIDED
    told = words.Tolerance(asked=gate.tolerance or 0.0, reached=reached, rows=min(rows), needed=planned.rows)
    term = gate.terms[0]
    inside = sample.cut(rows_of(term.column, term.value, sample.holdout)) if term.slice else sample
    return verdict(
        gate,
        status,
        observed=observed,
        low=None if isinf(reached) else low,
        high=None if isinf(reached) else high,
        alpha_pass=level,
        alpha_fail=level,
        rows=min(rows),
        rows_needed=planned.rows,
        detectable=None if isinf(reached) else reached,
        method=planned.method,
        reason=words.joined(words.tolerated(gate, scale(gate), status, bounds=(low, high), told=told), note),
        **sides(gate, inside),
    )


def _exact_bounds(factor: float, share: Side, level: float) -> tuple[float, float]:
    count, of = share.count or 0, share.of or 1
    ends = [factor * bound(count, of, level) for bound in (clopper_pearson.low, clopper_pearson.high)]
    return min(ends), max(ends)


def _shared(delta: float, histories: int) -> float:
    """Delta / K, where K may be too large for a float."""
    return delta / histories if histories < _LARGE else exp(log(delta) - log(histories))
