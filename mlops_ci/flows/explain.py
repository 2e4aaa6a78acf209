"""explain: what a gate, a check, a metric, a fact or a word means."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.checks import CHECKS, title, why
from mlops_ci.errors import MlopsCiError, OutsideError, UsageError
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.evaluation.own import registry
from mlops_ci.gates import grammar
from mlops_ci.gates.explain import explain as explain_gate
from mlops_ci.gates.explain import explain_fact
from mlops_ci.gates.facts import FACTS, KINDS_OF_FACT
from mlops_ci.gates.gate import Gate
from mlops_ci.gates.methods import explain_metric, reference
from mlops_ci.gates.plan import plan
from mlops_ci.gates.terms import TERMS
from mlops_ci.gates.validate import validate_names
from mlops_ci.reports.glossary import NOUNS
from mlops_ci.steps.declared import declared
from mlops_ci.steps.judge import parse_gates, validate_in
from mlops_ci.steps.named_gate import named_gate
from mlops_ci.steps.project import open_project
from mlops_ci.steps.rejudge import question_of
from mlops_ci.steps.runs import recall_rows
from mlops_ci.steps.trees import Tree, working_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.evaluation.metric import Metric

_LISTS = {
    "metrics": lambda: reference().rstrip("\n"),
    "checks": lambda: "\n".join(f"{name:<20} {title(name)}" for name in CHECKS),
    "facts": lambda: "\n".join(KINDS_OF_FACT),
    "terms": lambda: "\n".join((*TERMS, *NOUNS)),
}
_SIGNS = frozenset("<>=")


def explain(start: Path, asked: str) -> str:
    """Plain text about a gate (its number in the report, its name, or as text), a check, metric, fact or term."""
    if asked.isdecimal():
        return _gate(start, asked)
    if asked in _LISTS:
        return _LISTS[asked]()
    tree = _tree(start)
    metrics = registry(declared(tree)) if tree else METRICS
    found = _word(asked, metrics) or _word(asked.lower(), metrics) or _word(asked.lower().removesuffix("s"), metrics)
    if found:
        return found
    if tree and any(asked == setting.name for setting in tree.config.gates):
        return _gate(start, asked)
    if not _SIGNS & set(asked):
        raise _unknown(asked, metrics)
    return _with_cost(start, _written(asked, tree), 0, metrics)


def _word(asked: str, metrics: Mapping[str, Metric]) -> str:
    """All that the word names, a paragraph or more each; empty: nothing."""
    told = [NOUNS[asked]] if asked in NOUNS else []
    told += [f"{title(asked)}\n\n{why(asked)}"] if asked in CHECKS else []
    told += [explain_metric(metrics[asked])] if asked in metrics else []
    told += [explain_fact(asked)] if asked in FACTS else []
    told += [TERMS[asked]] if asked in TERMS else []
    return "\n\n".join(told)


def _unknown(asked: str, metrics: Mapping[str, Metric]) -> UsageError:
    near = get_close_matches(asked.lower(), [*CHECKS, *metrics, *FACTS, *TERMS, *NOUNS], 1)
    advice = "`mlops-ci explain terms`, `checks`, `metrics` and `facts` list what there is."
    return UsageError(
        f"{asked!r} is no gate, check, metric, fact or term", f"Did you mean {near[0]}?" if near else advice
    )


def _written(text: str, tree: Tree | None) -> tuple[Gate, ...]:
    """The gate of this text. ConfigError for one that cannot be read, or not be judged in this project."""
    gates = (grammar.parse(text),)
    if tree is None:
        validate_names(gates)
    else:
        validate_in(tree, gates)
    return gates


def _gate(start: Path, asked: str) -> str:
    """Of mlops.yaml, or one of the last report that is not there any more."""
    project = open_project(start)
    tree, text = working_tree(project), named_gate(project, asked).text
    gates = parse_gates(tree)
    place = next((place for place, gate in enumerate(gates) if gate.text == text), None)
    listed, place = (gates, place) if place is not None else ((grammar.parse(text),), 0)
    return f"{text}\n\n{_with_cost(start, listed, place, registry(declared(tree)))}"


def _with_cost(start: Path, gates: tuple[Gate, ...], index: int, metrics: Mapping[str, Metric]) -> str:
    """What the gate means, and what it takes on the rows of the last decision that kept some."""
    told = explain_gate(gates[index], gates, metrics=metrics)
    try:
        project = open_project(start)
    except MlopsCiError:
        return told
    try:
        kept = recall_rows(project)
        planned = plan(gates, question_of(kept))[index]
    except (OutsideError, UsageError):
        return f"{told}\n\nHow many rows it takes on these data is told here after the next `mlops-ci check`."
    return f"{told}\n\nOn the rows of decision {kept.id[:12]}: {planned.reason}."


def _tree(start: Path) -> Tree | None:
    """The project that `start` is in; None where it is in none that can be read."""
    try:
        return working_tree(open_project(start))
    except MlopsCiError:
        return None
