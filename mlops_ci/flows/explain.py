"""explain: what a gate, a check or a term means, in words."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from mlops_ci.checks import CHECKS, title, why
from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates import grammar
from mlops_ci.gates.explain import explain as explain_gate
from mlops_ci.gates.explain import explain_fact
from mlops_ci.gates.facts import FACTS
from mlops_ci.steps.judge import parse_gates
from mlops_ci.steps.project import open_project
from mlops_ci.steps.trees import working_tree


def explain(start: Path, asked: str) -> str:
    """Plain text about a gate (its number in mlops.yaml, or as text), a check, a metric or a fact."""
    if asked.isdigit():
        return _numbered(start, int(asked))
    if asked in CHECKS:
        return f"{title(asked)}\n\n{why(asked)}"
    if asked in METRICS:
        return _metric(asked)
    if asked in FACTS:
        return explain_fact(asked)
    try:
        return explain_gate(grammar.parse(asked))
    except ConfigError as error:
        near = get_close_matches(asked, [*CHECKS, *METRICS, *FACTS], 1)
        if near or asked.isidentifier():
            hint = f"Did you mean {near[0]}?" if near else f"Checks: {', '.join(CHECKS)}."
            raise UsageError(f"{asked!r} is no check, metric or fact", hint) from error
        raise


def _numbered(start: Path, number: int) -> str:
    gates = parse_gates(working_tree(open_project(start)))
    if not 1 <= number <= len(gates):
        raise UsageError(f"there is no gate {number}", f"mlops.yaml has gates 1 to {len(gates)}.")
    gate = gates[number - 1]
    return f"{gate.text}\n\n{explain_gate(gate, gates)}"


def _metric(name: str) -> str:
    metric = METRICS[name]
    better = "higher is better" if metric.higher_is_better else "lower is better"
    needs = "; needs scores" if metric.needs_scores else ""
    tasks = ", ".join(sorted(metric.tasks))
    return f"{name}: a metric of {tasks}, from {metric.low:g} to {metric.high:g}, {better}{needs}."
