"""A gate in words: what it asks, how the answer is computed, where the method is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.facts import FACTS, Needs
from mlops_ci.gates.form import Form, form
from mlops_ci.gates.gate import Gate, Term, TermKind
from mlops_ci.gates.tolerated import cost
from mlops_ci.gates.verdict import scale
from mlops_ci.gates.words import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def explain(gate: Gate, beside: Sequence[Gate] = ()) -> str:
    """A few short paragraphs, plain text. beside: the other gates of the list, one of which may bound d."""
    asks = f"{' and '.join(_term(term) for term in gate.terms)} {_ASKS[gate.comparison]}"
    if form(gate) is Form.PAIRED:
        asks = f"{_difference(gate)} {_ASKS[gate.comparison]}"
    elif len(gate.terms) > 1:
        asks = f"The sum of {' and '.join(_term(term) for term in gate.terms)} {_ASKS[gate.comparison]}"
    limit = f"{scale(gate).text(gate.threshold)}{scale(gate).after}"
    told = [f"{asks[0].upper()}{asks[1:]} {limit}.", _how(gate) if gate.tolerance is None else _tolerated(gate, beside)]
    if gate.when_undecided != "refuse":
        told.append("Where the data cannot tell, it does not block; the answer stays undecided.")
    return "\n\n".join(told)


def explain_fact(name: str) -> str:
    """What the number is, its unit, and what it costs to have it."""
    fact = FACTS[name]
    unit = f" In {_UNITS.get(fact.unit, fact.unit)}." if fact.unit else ""
    told = f"{name}: {fact.meaning}.{unit}"
    if fact.needs is Needs.NOTHING:
        return told
    return f"{told}\n\nMeasured only where a gate names it: {fact.needs}."


def _term(term: Term) -> str:
    times = "" if term.coefficient == 1.0 else f"{term.coefficient:g} times "
    if term.kind is TermKind.FACT:
        return f"{times}{term.name} ({FACTS[term.name].meaning})" if term.name in FACTS else f"{times}{term.name}"
    if term.kind is TermKind.CHANGED:
        where = f" where {term.slice}" if term.slice else ""
        return f"{times}share of held-out rows{where} where candidate and champion predict differently"
    whose = "the champion's " if term.champion else ""
    if term.kind is TermKind.GAP:
        least = f" (of at least {term.min_rows:,} rows that count)" if term.min_rows > 1 else ""
        return f"{times}{whose}largest {term.name} of any {term.column} minus the smallest{least}"
    if term.kind is TermKind.WORST:
        return f"{times}{whose}{term.name} of the worst {term.column} (of at least {term.min_rows:,} rows that count)"
    return f"{times}{whose}{term.name}{f' where {term.slice}' if term.slice else ''}"


def _difference(gate: Gate) -> str:
    first = gate.terms[0]
    plus, minus = (
        ("the candidate's", "the champion's") if first.coefficient > 0 else ("the champion's", "the candidate's")
    )
    if first.champion:
        plus, minus = minus, plus
    where = f" where {first.slice}" if first.slice else ""
    return f"{plus} {first.name} minus {minus}, on the same held-out rows{where},"


def _how(gate: Gate) -> str:
    found = form(gate)
    if gate.confidence is None or found is None:
        return "The number that is seen decides; where a bound exists, the report shows it at 95 % each side."
    if gate.upwards:
        sides = "passed when the lower bound clears the threshold, failed when the upper bound does not reach it"
    else:
        sides = "passed when the upper bound stays inside the threshold, failed when the lower bound does not"
    sure = f"With {percent(gate.confidence)} confidence: {sides}, undecided in between."
    return f"{sure}\n\n{_method(gate, found)} {_GROUPS}"


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
    name = gate.terms[0].name
    if found is Form.CHANGED:
        return "Bounds: Clopper, Pearson (1934), exact. No labels are needed for it."
    kind = METRICS[name].kind if name in METRICS else ""
    if found is Form.GAP:
        return (
            "Bounds: no two slices may be too far apart. They hold different rows, so of each pair the difference is "
            "melded from the bounds of the two (Fay, Proschan, Brittain 2015)."
        )
    if kind == "auc" and found is Form.PAIRED:
        return "Bounds: DeLong for two curves on the same rows (1988), made safe against harm too rare to be seen."
    if kind == "auc":
        return "Bounds: DeLong (1988) on the logit scale; where the rarer class is small, Wilson's (1927)."
    if found is not Form.PAIRED:
        return "Bounds: Clopper, Pearson (1934), exact."
    if name in {"f1", "precision"}:
        return "Bounds: draws from the Dirichlet posterior of the table truth x candidate x champion."
    return "Bounds: the score test for paired proportions (Tango 1998)."
