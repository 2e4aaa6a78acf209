"""gates plan: what the gates can decide with the rows there are."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.gates.plan import plan as plan_gates
from mlops_ci.records.verdicts import GatePlan
from mlops_ci.steps.judge import environment_gates, parse_gates
from mlops_ci.steps.project import open_project
from mlops_ci.steps.promise import spent
from mlops_ci.steps.rejudge import question_of
from mlops_ci.steps.runs import recall_rows
from mlops_ci.steps.trees import working_tree


class HoldoutUse(msgspec.Struct, frozen=True, kw_only=True):
    """How often the held-out rows were used, by the row that was used most.

    looks_left and looks_promised are None without a guarantee: nothing is spent.
    """

    digest: str
    rows: int
    looks_used: int
    looks_left: int | None = None
    looks_promised: int | None = None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `gates plan`."""

    decision: str
    gates: tuple[GatePlan, ...]
    holdout: HoldoutUse


def plan(start: Path, decision: str) -> Planned:
    """Today's gates over the predictions of a decision: rows needed, rows there, the smallest difference visible."""
    project = open_project(start)
    kept = recall_rows(project, decision)
    looks, wear = spent(project, kept)
    question, tree = msgspec.structs.replace(question_of(kept), wear=wear), working_tree(project)
    gates = plan_gates(parse_gates(tree), question)
    for name, beside in environment_gates(tree).items():
        gates += tuple(msgspec.structs.replace(one, environment=name) for one in plan_gates(beside, question))
    return Planned(
        decision=kept.id,
        gates=gates,
        holdout=HoldoutUse(
            digest=question.holdout.digest,
            rows=question.holdout.rows,
            looks_used=looks,
            looks_left=None if wear is None else max(wear.decisions - looks, 0),
            looks_promised=None if wear is None else wear.decisions,
        ),
    )
