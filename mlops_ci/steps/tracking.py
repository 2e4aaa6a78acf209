"""Log a judged run to MLflow, where MLflow is there: the decision stays in the ledger either way."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops_ci.edge import mlflow
from mlops_ci.errors import OutsideError
from mlops_ci.records.decisions import Decision
from mlops_ci.steps.case import Case
from mlops_ci.steps.decide import Decided, ModelFound
from mlops_ci.steps.fit import params
from mlops_ci.steps.progress import Clock


def track(case: Case, decided: Decided, clock: Clock, *, decision_id: str, report_markdown: str) -> str:
    """The id of the run in MLflow; empty where MLflow is not installed, no model was judged, or logging fails.

    A failure is told and changes nothing else.
    """
    model = decided.found.model
    if model is None or not mlflow.installed():
        return ""
    run = mlflow.TrackedRun(
        experiment=decided.decision.project,
        name=_name(decided.decision),
        started=int(clock.began.timestamp() * 1000),
        params=_params(case, model),
        metrics=_metrics(decided, model),
        tags=_tags(decided.decision, decision_id),
        texts={"report.md": report_markdown},
    )
    try:
        with clock.step("mlflow", "logging the run") as line:
            identity = mlflow.log_run(run, local=case.project.state)
            line.found = f"run {identity[:8]}"
    except OutsideError as error:
        clock.note(f"{'mlflow':<9} {error.message}")
        return ""
    return identity


def _name(decision: Decision) -> str:
    subject = decision.subject
    return subject.commit[:7] or f"working tree {subject.tree[:7]}"


def _params(case: Case, model: ModelFound) -> dict[str, str]:
    train, info = case.head.config.train, model.training
    found = dict(_flat("", params(case.head, train))) if train and model.fitted else {}
    found |= {"model": info.model, "rung": info.rung}
    return found if info.seed is None else found | {"seed": str(info.seed)}


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), item)
    else:
        yield prefix or "params", value if isinstance(value, str) else json.dumps(value)


def _metrics(decided: Decided, model: ModelFound) -> dict[str, float]:
    found: dict[str, float | None] = {}
    for metric in decided.decision.metrics:
        found |= {metric.metric: metric.value, f"champion.{metric.metric}": metric.champion}
    found["training_seconds"] = model.fitted.seconds if model.fitted else None
    snapshot = decided.evidence.snapshot
    if snapshot is not None:
        found |= {"train_rows": float(snapshot.train_rows), "holdout_rows": float(snapshot.holdout_rows)}
    return {name: value for name, value in found.items() if value is not None}


def _tags(decision: Decision, decision_id: str) -> dict[str, str]:
    subject = decision.subject
    tags = {
        "mlops_ci.outcome": decision.outcome,
        "mlops_ci.decision": decision_id,
        "mlops_ci.commit": subject.commit,
        "mlops_ci.tree": subject.tree,
        "mlops_ci.data": subject.data,
        "mlops_ci.trust": decision.trust,
        "mlflow.source.git.commit": subject.commit,
    }
    return {name: str(value) for name, value in tags.items() if value}
