"""A gate in words: what it asks, how the answer is computed, where the method is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.facts import FACTS, Needs
from mlops_ci.gates.form import Form, form, why_no_bound
from mlops_ci.gates.gate import Gate, Term, TermKind, bound
from mlops_ci.gates.tolerated import cost
from mlops_ci.gates.verdict import scale
from mlops_ci.gates.words import percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_ci.evaluation.metric import Metric

_ASKS = {
    ">": "must be above",
    ">=": "must be at least",
    "<": "must be below",
    "<=": "must be at most",
    "==": "must be",
    "!=": "must not be",
}
_SIDES = {
    ">": ("above", "not above"),
    ">=": ("at least", "below"),
    "<": ("below", "not below"),
    "<=": ("at most", "above"),
}
_UNITS = {"s": "seconds"}
_GROUPS = (
    "Rows that belong together (`group:`, or one day of `time:`) are not counted one by one: the error then comes from "
    "leaving out one group at a time (jackknife; Efron, Stein 1981)."
)


def explain(gate: Gate, beside: Sequence[Gate] = (), *, metrics: Mapping[str, Metric] = METRICS) -> str:
    """A few short paragraphs, plain text. beside: the other gates of the list, one of which may bound d."""
    gate = bound(gate, metrics)
    asked = _asked(gate)
    named = dict.fromkeys(term.name for term in gate.terms if term.name in FACTS)
    told = [f"{asked[0].upper() if gate.terms[0].kind is not TermKind.FACT else asked[0]}{asked[1:]}."]
    told += [f"{name}: {FACTS[name].meaning}." for name in named]
    told.append(_how(gate) if gate.tolerance is None else _tolerated(gate, beside))
    told += [_small(term) for term in gate.terms if term.over_slices and term.min_rows > 1]
    if gate.when_undecided != "refuse":
        told.append(f"Undecided does not block here (`when_undecided: {gate.when_undecided}`); the word stays.")
    return "\n\n".join(told)


def explain_fact(name: str) -> str:
    """What the number is, its unit, and what it costs to have it."""
    fact = FACTS[name]
    unit = f" In {_UNITS.get(fact.unit, fact.unit)}." if fact.unit else ""
    told = f"{name}: {fact.meaning}.{unit}"
    if fact.needs is Needs.NOTHING:
        return told
    return f"{told}\n\nMeasured only where a gate names it: {fact.needs}."


def _asked(gate: Gate) -> str:
    """`on every value of origin, the candidate's recall must be at least 0.15`"""
    asks, limit = _ASKS[gate.comparison], _limit(gate)
    found, term = form(gate), gate.terms[0]
    more = [one for one in gate.terms if one.coefficient > 0.0]
    less = [replace(one, coefficient=-one.coefficient) for one in gate.terms if one.coefficient < 0.0]
    if found is Form.PAIRED:
        return f"{_difference(gate)} {asks} {limit}"
    if found is Form.GAP and not gate.upwards:
        apart = "less than" if gate.comparison == "<" else "at most"
        return f"between any two values of {term.column}, the candidate's {term.name} must differ by {apart} {limit}"
    if found is Form.WORST and (term.metric is None or gate.upwards is term.metric.higher_is_better):
        return f"on every value of {term.column}, the candidate's {term.name} {asks} {limit}"
    if gate.threshold == 0.0 and more and less:
        return f"{_sum(more)} {asks} {_sum(less)}"
    return f"{_sum(gate.terms)} {asks} {limit}"


def _limit(gate: Gate) -> str:
    return scale(gate).amount(gate.threshold) if gate.threshold else "0"


def _small(term: Term) -> str:
    rows = "rows that count" if term.metric is None else term.metric.denominator
    return f"Values with fewer than {term.min_rows:,} {rows} are listed and not judged."


def _sum(terms: Sequence[Term]) -> str:
    """`accuracy minus 1.1 times the champion's accuracy`"""
    told = [("minus " if term.coefficient < 0 else "plus ") + _term(term) for term in terms]
    return " ".join(told).removeprefix("plus ")


def _term(term: Term) -> str:
    times = "" if abs(term.coefficient) == 1.0 else f"{abs(term.coefficient):g} times "
    if term.kind is TermKind.FACT:
        return f"{times}{term.name}"
    if term.kind is TermKind.CHANGED:
        rows = f"held-out rows with {term.slice}" if term.slice else "held-out rows"
        return f"{times}the share of {rows} on which candidate and champion predict differently"
    whose = f"the {term.whose}'s "
    if term.kind is TermKind.GAP:
        return f"{times}{whose}largest {term.name} of any value of {term.column} minus the smallest"
    if term.kind is TermKind.WORST:
        return f"{times}{whose}{term.name} on the value of {term.column} where it is worst"
    return f"{times}{whose}{term.name}{_clipped(term)}{f' on rows with {term.slice}' if term.slice else ''}"


def _clipped(term: Term) -> str:
    return "" if term.clip is None else f" (no row counts more than {term.clip:g})"


def _difference(gate: Gate) -> str:
    first = gate.terms[0]
    plus, minus = gate.terms if first.coefficient > 0 else gate.terms[::-1]
    where = f" with {first.slice}" if first.slice else ""
    return (
        f"the {plus.whose}'s {first.name}{_clipped(first)} minus the {minus.whose}'s, on the same held-out rows{where},"
    )


def _how(gate: Gate) -> str:
    found = form(gate)
    if gate.confidence is None or found is None:
        return _point(gate, found)
    near, far = ("lower", "upper") if gate.upwards else ("upper", "lower")
    holds, fails = _SIDES[gate.comparison]
    limit = _limit(gate)
    bounds = f"From the rows two bounds of the true value are computed, each right with {_sure(gate)} confidence."
    passes = f"Passed when even the {near} bound is {holds} {limit}"
    failed = f"failed when even the {far} bound is {fails} {limit}"
    return f"{bounds} {passes}, {failed}, undecided in between.\n\n{_method(gate, found)} {_GROUPS}"


def _sure(gate: Gate) -> str:
    return percent(gate.confidence or 0.0)


def _point(gate: Gate, found: Form | None) -> str:
    if all(term.kind is TermKind.FACT for term in gate.terms):
        return "The number that is found decides, as it is: it is measured, not estimated."
    told = "The value that is seen on the held-out rows decides; how uncertain it is does not count"
    bias = (
        {
            Form.WORST: " Of several slices the worst looks worse than it is.",
            Form.GAP: " Slices that are equal in truth are not 0 apart; the reason says how far they are by chance.",
        }.get(found, "")
        if found
        else ""
    )
    return f"{told}{_shown(gate)}.{bias}"


def _shown(gate: Gate) -> str:
    """Whether an interval stands beside the number."""
    metric = gate.terms[0].metric
    asked = replace(gate, comparison="<=" if gate.terms[0].kind is TermKind.GAP else ">=")
    if metric is None or all(why_no_bound(asked, task) for task in metric.tasks):
        return ""
    return ", but the report shows it, 95 % each side"


def _tolerated(gate: Gate, beside: Sequence[Gate]) -> str:
    found = cost(gate, beside)
    asked = scale(gate).amount(gate.tolerance or 0.0)
    clears = "above" if gate.upwards else "below"
    misses = "below" if gate.upwards else "above"
    return (
        f"With {_sure(gate)} reliability the value that is seen is no farther from the truth than the tolerance that "
        f"the rows at hand reach. Passed when it is {clears} {_limit(gate)} by more than that, failed when it is "
        f"{misses} by more, undecided in between. A tolerance of {asked} takes {found.rows:,} rows; with fewer it is "
        "undecided whatever is seen.\n\n"
        f"So many rows are enough whatever the data are like, {found.told}. Where rows belong together (`group:` or "
        "`time:`) it is undecided. Under `holdout: {guarantee: ...}` it takes more rows: all decisions share the "
        "error. (ease.ml/ci; Renggli et al. 2019.)"
    )


def _method(gate: Gate, found: Form) -> str:
    metric = gate.terms[0].metric
    kind, name = ("", "") if metric is None else (metric.kind, metric.name)
    if found is Form.CHANGED:
        return "Bounds: Clopper, Pearson (1934), exact. No labels are needed for it."
    if found is Form.SUM:
        return f"Bounds: draws from the Dirichlet posterior of the table candidate right x {gate.against} right."
    if kind == "mean":
        return "Bounds: Student's t bent for skew (Hall 1992), safe against losses too rare to be seen; asymptotic."
    if found is Form.GAP:
        return (
            "Bounds: for each pair of values one of the difference, melded from the bounds of the two, as they hold "
            "different rows (Fay, Proschan, Brittain 2015). The pair farthest apart decides."
        )
    if kind == "auc" and found is Form.PAIRED:
        return "Bounds: DeLong for two curves on the same rows (1988), made safe against harm too rare to be seen."
    if found is Form.WORST:
        worst = "lowest" if gate.upwards else "highest"
        return f"Every value must hold, so the {worst} of their bounds counts. {_single(kind)}"
    if found is not Form.PAIRED:
        return _single(kind)
    if name in {"f1", "precision"}:
        return (
            f"Bounds: draws from the Dirichlet posterior of the table truth x candidate x {gate.against}: how often "
            "each combination of the three answers occurs."
        )
    return "Bounds: the score test for paired proportions (Tango 1998)."


def _single(kind: str) -> str:
    if kind == "auc":
        return "Bounds: DeLong (1988) on the logit scale; where the rarer class is small, Wilson's (1927)."
    return "Bounds: Clopper, Pearson (1934), exact."
