"""A gate in words: what it asks, how the answer is computed, where the method is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.facts import FACTS, Needs
from mlops_ci.gates.form import Form, form
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
_UNITS = {"s": "seconds"}
_GROUPS = (
    "Where rows belong together (`group:`), the error comes from leaving out one group at a time "
    "(jackknife, Student's t; Efron, Stein 1981)."
)


def explain(gate: Gate, beside: Sequence[Gate] = (), *, metrics: Mapping[str, Metric] = METRICS) -> str:
    """A few short paragraphs, plain text. beside: the other gates of the list, one of which may bound d."""
    gate = bound(gate, metrics)
    about = _difference(gate) if form(gate) is Form.PAIRED else _sum(gate.terms)
    limit = f"{_ASKS[gate.comparison]} {scale(gate).amount(gate.threshold)}"
    told = [
        f"{about[0].upper()}{about[1:]} {limit}.",
        _how(gate) if gate.tolerance is None else _tolerated(gate, beside),
    ]
    if any(term.over_slices and term.min_rows > 1 for term in gate.terms):
        told.append("Slices with fewer rows that count than `min_rows` are listed and not judged.")
    if gate.when_undecided != "refuse":
        told.append("Where the data cannot tell, it does not block; the answer stays undecided.")
    return "\n\n".join(told)


TERMS = {
    "n": "n: accuracy of the candidate, as in ease.ml/ci. The same as `accuracy`.",
    "o": "o: accuracy of the champion, as in ease.ml/ci. The same as `champion.accuracy`.",
    "d": "d: share of the held-out rows on which candidate and champion predict differently, as in ease.ml/ci. It "
    "needs no labels. `d <= 0.1 @ 95%`",
    "worst": "worst(metric, by=column, min_rows=N): the metric on the value of the column where it is worst. "
    "`worst(recall, by=origin, min_rows=500) >= 0.15 @ 95%`",
    "gap": "gap(metric, by=column, min_rows=N): the largest value of the metric over the values of the column minus "
    "the smallest. `gap(recall, by=origin, min_rows=500) <= 0.1 @ 95%`",
    "champion": "champion.metric: the metric of the model a candidate is compared with, on the same held-out rows. "
    "`roc_auc - champion.roc_auc > -0.01 @ 95%`",
    "anchor": "anchor.metric: the metric of the decision that `anchor:` pins, on the same held-out rows. It stays when "
    "the champion changes, so that small losses cannot add up. `roc_auc - anchor.roc_auc > -0.02 @ 95%`",
    "min_rows": "min_rows: the least rows a slice needs in what the metric divides by (positives for recall, the rarer "
    "class for ROC AUC) to be judged.",
    "@": "@ 95%: two bounds of the true value are computed from the rows, each wrong at most 5 times in 100. The gate "
    "passes when one clears the threshold, fails when the other does not reach it, and is undecided in between.",
    "+/-": "+/- 0.01 @ 99.9%: as `@`, by bounds that hold whatever the data are like. How many rows they take is known "
    "beforehand; with fewer the gate is undecided. `n - o > 0.02 +/- 0.01 @ 99.9%`",
}
"""The words of the language, each in a sentence or two."""


def explain_fact(name: str) -> str:
    """What the number is, its unit, and what it costs to have it."""
    fact = FACTS[name]
    unit = f" In {_UNITS.get(fact.unit, fact.unit)}." if fact.unit else ""
    told = f"{name}: {fact.meaning}.{unit}"
    if fact.needs is Needs.NOTHING:
        return told
    return f"{told}\n\nMeasured only where a gate names it: {fact.needs}."


def _sum(terms: Sequence[Term]) -> str:
    """`accuracy minus 1.1 times the champion's accuracy`"""
    told = [("minus " if term.coefficient < 0 else "plus ") + _term(term) for term in terms]
    return " ".join(told).removeprefix("plus ")


def _term(term: Term) -> str:
    times = "" if abs(term.coefficient) == 1.0 else f"{abs(term.coefficient):g} times "
    if term.kind is TermKind.FACT:
        meaning = f" ({FACTS[term.name].meaning})" if term.name in FACTS else ""
        return f"{times}the fact {term.name}{meaning}"
    if term.kind is TermKind.CHANGED:
        rows = f"held-out rows with {term.slice}" if term.slice else "held-out rows"
        return f"{times}the share of {rows} on which candidate and champion predict differently"
    whose = f"the {term.whose}'s "
    if term.kind is TermKind.GAP:
        return f"{times}{whose}largest {term.name} of any value of {term.column} minus the smallest"
    if term.kind is TermKind.WORST:
        return f"{times}{whose}{term.name} on the value of {term.column} where it is worst"
    clipped = "" if term.clip is None else f" (a row counts at most {term.clip:g})"
    return f"{times}{whose}{term.name}{clipped}{f' on rows with {term.slice}' if term.slice else ''}"


def _difference(gate: Gate) -> str:
    first = gate.terms[0]
    plus, minus = gate.terms if first.coefficient > 0 else gate.terms[::-1]
    where = f" with {first.slice}" if first.slice else ""
    clipped = "" if first.clip is None else f" (a row counts at most {first.clip:g})"
    return f"the {plus.whose}'s {first.name}{clipped} minus the {minus.whose}'s, on the same held-out rows{where},"


def _how(gate: Gate) -> str:
    found = form(gate)
    if gate.confidence is None or found is None:
        return _point(gate, found)
    if gate.upwards:
        sides = "passed when the lower bound clears the threshold, failed when the upper bound does not reach it"
    else:
        sides = "passed when the upper bound stays inside the threshold, failed when the lower bound does not"
    sure = f"With {percent(gate.confidence)} confidence: {sides}, undecided in between."
    return f"{sure}\n\n{_method(gate, found)} {_GROUPS}"


def _point(gate: Gate, found: Form | None) -> str:
    told = "The number that is seen decides, as it is"
    if all(term.kind is TermKind.FACT for term in gate.terms):
        return f"{told}: it is measured, not estimated."
    if found in {None, Form.SUM}:
        return f"{told}; chance is not allowed for."
    biases: dict[Form | None, str] = {
        Form.WORST: " The worst of several slices looks worse than it is.",
        Form.GAP: " Slices that are equal in truth are not 0 apart; the reason says how far they are by chance.",
    }
    shown = "Where a bound exists, the report shows it, 95 % each side."
    return f"{told}; chance is not allowed for. {shown}{biases.get(found, '')}"


def _tolerated(gate: Gate, beside: Sequence[Gate]) -> str:
    found = cost(gate, beside)
    asked = scale(gate).amount(gate.tolerance or 0.0)
    histories = "One decision is counted; more of them on the same rows share the error and take more rows."
    return (
        f"With {percent(gate.confidence or 0.0)} reliability and a tolerance of {asked}: passed when the number seen "
        "clears the threshold by more than the tolerance the rows reach, failed when it misses it by more, undecided "
        f"in between. With fewer than {found.rows:,} rows it is undecided whatever is seen.\n\n"
        f"So many rows are enough whatever the data are like, {found.told}; they must not belong together. {histories} "
        "(ease.ml/ci; Renggli et al. 2019.)"
    )


def _method(gate: Gate, found: Form) -> str:
    metric = gate.terms[0].metric
    kind, name = ("", "") if metric is None else (metric.kind, metric.name)
    if found is Form.CHANGED:
        return "Bounds: Clopper, Pearson (1934), exact. No labels are needed for it."
    if found is Form.SUM:
        return f"Bounds: draws from the Dirichlet posterior of the table candidate right x {gate.against} right."
    if kind == "mean":
        return "Bounds: Hall's transform of Student's t (1992), safe against losses too rare to be seen; asymptotic."
    if found is Form.GAP:
        return (
            "Bounds: no two slices may be too far apart. They hold different rows, so of each pair the difference is "
            "melded from the bounds of the two (Fay, Proschan, Brittain 2015)."
        )
    if kind == "auc" and found is Form.PAIRED:
        return "Bounds: DeLong for two curves on the same rows (1988), made safe against harm too rare to be seen."
    if found is Form.WORST:
        return f"Every slice must clear the threshold, so the lowest of their bounds counts. {_single(kind)}"
    if found is not Form.PAIRED:
        return _single(kind)
    if name in {"f1", "precision"}:
        return f"Bounds: draws from the Dirichlet posterior of the table truth x candidate x {gate.against}."
    return "Bounds: the score test for paired proportions (Tango 1998)."


def _single(kind: str) -> str:
    if kind == "auc":
        return "Bounds: DeLong (1988) on the logit scale; where the rarer class is small, Wilson's (1927)."
    return "Bounds: Clopper, Pearson (1934), exact."
