"""gates plan: what the gates can decide with the rows there are."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.gates.plan import plan as plan_gates
from mlops_ci.records.verdicts import GatePlan
from mlops_ci.steps import ledger
from mlops_ci.steps.judge import environment_gates, parse_gates
from mlops_ci.steps.project import open_project
from mlops_ci.steps.rejudge import question_of
from mlops_ci.steps.runs import recall
from mlops_ci.steps.trees import working_tree


class HoldoutUse(msgspec.Struct, frozen=True, kw_only=True):
    """How often the held-out rows were used. looks_left is None: without a guarantee nothing is spent."""

    digest: str
    rows: int
    looks_used: int
    looks_left: int | None = None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `gates plan`."""

    decision: str
    gates: tuple[GatePlan, ...]
    holdout: HoldoutUse


def plan(start: Path, decision: str) -> Planned:
    """Today's gates over the predictions of a decision: rows needed, rows there, the smallest difference visible."""
    project = open_project(start)
    kept = recall(project, decision)
    question, tree = question_of(kept), working_tree(project)
    gates = plan_gates(parse_gates(tree), question)
    for name, beside in environment_gates(tree).items():
        gates += tuple(msgspec.structs.replace(one, environment=name) for one in plan_gates(beside, question))
    return Planned(
        decision=kept.id,
        gates=gates,
        holdout=HoldoutUse(
            digest=question.holdout.digest,
            rows=question.holdout.rows,
            looks_used=len(ledger.looks(project.repository, question.holdout.digest)),
        ),
    )
