"""The gates a new project starts with: what a quick baseline reaches on the split that the settings make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.data.classes import class_codes
from mlops_ci.errors import ConfigError, SourceError
from mlops_ci.evaluation.baseline import baseline
from mlops_ci.gates.starting import StartingGate, starting_gates
from mlops_ci.steps.holdout import make_holdout
from mlops_ci.steps.snapshot import feature_columns, place

if TYPE_CHECKING:
    from mlops_ci.config.settings import Config
    from mlops_ci.records.tables import Column, Table
    from mlops_ci.steps.findings import Findings


class Starting(msgspec.Struct, frozen=True, kw_only=True):
    """Gates for mlops.yaml, and what is said of where they come from."""

    gates: tuple[StartingGate, ...]
    said: str


def start(table: Table, config: Config, findings: Findings) -> Starting:
    """Split the table as `config` says, let a quick baseline learn from one side and answer on the other."""
    try:
        placed = place(table, config)
        holdout = make_holdout(placed, config)
    except (ConfigError, SourceError) as error:
        return _without_baseline(findings, error.message)
    target = placed.table.column(config.data.target)
    known_late = {name for name, _ in findings.one_class}
    names = [name for name in feature_columns(config, table.names) if name not in {config.data.time, *known_late}]
    answers = baseline(
        [column for column in map(placed.table.column, names) if _varies(column)],
        class_codes(target)[0] if holdout.classes else target.values.astype(np.float64),
        placed.holdout,
        task=holdout.task,
        classes=len(holdout.classes),
    )
    gates = starting_gates(holdout, answers)
    if not gates:
        return _without_baseline(findings, f"the {holdout.rows:,} held-out rows are too few or all alike")
    told = f"{gates[0].metric} {gates[0].reached:.4g} on {holdout.rows:,} held-out rows"
    lines = ", ".join(gate.text for gate in gates)
    return Starting(gates=gates, said=f"a quick baseline reaches {told} -> gates: {lines}")


def _varies(column: Column) -> bool:
    absent = missing(column)
    there = column.values[~absent]
    return len(there) > 0 and (bool(absent.any()) or bool((there != there[0]).any()))


def _without_baseline(findings: Findings, why: str) -> Starting:
    """One gate that says what is reached without a model."""
    if findings.task == "regression":
        metric, limit, told = "r2", 0.0, "always answering the mean"
    elif len(findings.counts) == 2:
        metric, limit, told = "roc_auc", 0.5, "guessing"
    else:
        metric, told = "accuracy", "always answering the commonest class"
        limit = round(max(findings.counts, default=0) / max(1, sum(findings.counts)), 3)
    reason = f"what {told} reaches, no more: no quick baseline could be built"
    gate = StartingGate(text=f"{metric} >= {limit:g}", reason=reason, metric=metric)
    return Starting(gates=(gate,), said=f"no quick baseline: {why} -> gates: {gate.text}")
