"""A Verdict with what every gate fills in alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_ci.gates.facts import FACTS
from mlops_ci.gates.form import Form, form
from mlops_ci.gates.gate import Gate, TermKind, Whose
from mlops_ci.gates.values import changed, side
from mlops_ci.gates.words import Scale
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Side, Verdict

if TYPE_CHECKING:
    from mlops_ci.gates.sample import Sample


def verdict(gate: Gate, status: Status, **numbers: Any) -> Verdict:
    """`numbers`: the fields of Verdict that this gate's numbers fill."""
    fields: dict[str, Any] = {
        "gate": gate.text,
        "name": gate.name,
        "verdict": status,
        "threshold": gate.threshold,
        "confidence": gate.confidence,
        "blocking": status is not Status.UNDECIDED or gate.when_undecided == "refuse",
        "difference": is_difference(gate),
        "slice": gate.terms[0].slice,
        "unit": _unit(gate),
        "where": gate.where,
    }
    return Verdict(**(fields | numbers))


def is_difference(gate: Gate) -> bool:
    """The gate is about candidate minus champion or anchor, or the reverse, of one metric."""
    return form(gate) is Form.PAIRED


def scale(gate: Gate) -> Scale:
    """How its numbers are written: differences of shares in points."""
    difference = is_difference(gate)
    shares = all(term.metric is not None and term.metric.kind in {"proportion", "f1"} for term in gate.terms)
    gap = form(gate) is Form.GAP
    return Scale(difference=difference, gap=gap, points=difference and shares, unit=_unit(gate))


def sides(gate: Gate, sample: Sample) -> dict[str, Side]:
    """`candidate`, and `champion` or `anchor`, of a gate about one metric: both, also where only one is compared.

    Where the rival has no answer for some of the rows it is left out: its number would be of other rows.
    """
    term = gate.terms[0]
    if form(gate) is Form.CHANGED:
        return {"candidate": changed(sample)}
    if term.kind is not TermKind.METRIC or any(other.name != term.name for other in gate.terms):
        return {}
    found = {str(Whose.CANDIDATE): side(term.measure, sample, sample.candidate)}
    if sample.rival is not None and sample.in_full:
        found[str(sample.against)] = side(term.measure, sample, sample.rival)
    return found


def _unit(gate: Gate) -> str:
    units = {
        (FACTS[term.name].unit if term.name in FACTS else "")
        if term.kind is TermKind.FACT
        else (term.metric.unit if term.metric else "")
        for term in gate.terms
    }
    return units.pop() if len(units) == 1 else ""
