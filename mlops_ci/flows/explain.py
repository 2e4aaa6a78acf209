"""explain: what a gate, a check or a term means, in words."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.checks import CHECKS, title, why
from mlops_ci.errors import ConfigError, MlopsCiError, OutsideError, UsageError
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.evaluation.own import registry
from mlops_ci.gates import grammar
from mlops_ci.gates.explain import TERMS, explain_fact
from mlops_ci.gates.explain import explain as explain_gate
from mlops_ci.gates.facts import FACTS
from mlops_ci.gates.gate import Gate
from mlops_ci.gates.methods import explain_metric, reference
from mlops_ci.gates.plan import plan
from mlops_ci.steps.declared import declared
from mlops_ci.steps.judge import parse_gates
from mlops_ci.steps.project import open_project
from mlops_ci.steps.rejudge import question_of
from mlops_ci.steps.runs import recall
from mlops_ci.steps.trees import working_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.evaluation.metric import Metric


def explain(start: Path, asked: str) -> str:
    """Plain text about a gate (its number in mlops.yaml, or as text), a check, a metric or a fact."""
    if asked.isdigit():
        return _numbered(start, int(asked))
    if asked in CHECKS:
        return f"{title(asked)}\n\n{why(asked)}"
    if asked in METRICS:
        return explain_metric(METRICS[asked])
    if asked == "metrics":
        return reference().rstrip("\n")
    if asked in FACTS:
        return explain_fact(asked)
    if asked in TERMS:
        return TERMS[asked]
    own = _own(start)
    if asked in own:
        return explain_metric(own[asked])
    try:
        return _with_cost(start, (grammar.parse(asked),), 0, own)
    except ConfigError as error:
        near = get_close_matches(asked, [*CHECKS, *own, *FACTS, *TERMS], 1)
        if near or asked.isidentifier():
            hint = f"Did you mean {near[0]}?" if near else f"Checks: {', '.join(CHECKS)}."
            raise UsageError(f"{asked!r} is no check, metric or fact", hint) from error
        raise


def _numbered(start: Path, number: int) -> str:
    tree = working_tree(open_project(start))
    gates = parse_gates(tree)
    if not 1 <= number <= len(gates):
        raise UsageError(f"there is no gate {number}", f"mlops.yaml has gates 1 to {len(gates)}.")
    return f"{gates[number - 1].text}\n\n{_with_cost(start, gates, number - 1, registry(declared(tree)))}"


def _with_cost(start: Path, gates: tuple[Gate, ...], index: int, metrics: Mapping[str, Metric]) -> str:
    """What the gate means, and what it takes on the rows of the last decision where there is one."""
    told = explain_gate(gates[index], gates, metrics=metrics)
    try:
        project = open_project(start)
    except MlopsCiError:
        return told
    try:
        kept = recall(project, "")
        planned = plan(gates, question_of(kept))[index]
    except (OutsideError, UsageError):
        return f"{told}\n\nWhat it costs on these data is told here after the next `mlops-ci check`."
    return f"{told}\n\nOn the rows of decision {kept.id[:12]}: {planned.reason}."


def _own(start: Path) -> Mapping[str, Metric]:
    """Every metric of the project that `start` is in; the built-in ones where it is in none that can be read."""
    try:
        return registry(declared(working_tree(open_project(start))))
    except MlopsCiError:
        return METRICS
