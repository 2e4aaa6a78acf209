"""A release as a version of a registered model in MLflow, where MLflow is there: the ledger stays the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.edge import mlflow, mlflow_models
from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.steps.progress import Clock
    from mlops_ci.steps.release import Released


def register(released: Released, state: Path, clock: Clock) -> str:
    """`tumours/4`; empty where MLflow is not installed, nothing was released, or it fails: that is told."""
    number = released.bundle.release
    if not number or not mlflow.installed():
        return ""
    decision = released.decision
    version = mlflow_models.Version(
        name=decision.project,
        release=number,
        tags={
            "mlops_ci.release": number,
            "mlops_ci.digest": released.bundle.digest,
            "mlops_ci.commit": decision.subject.commit,
            "mlops_ci.decision": released.story.decision_id,
            "mlops_ci.judged": released.bundle.decision,
            "mlops_ci.trust": str(decision.trust),
        },
        bundle=released.place,
    )
    try:
        with clock.step("mlflow", "registering the release") as line:
            made = mlflow_models.register(version, local=state)
            line.found = f"version {made.rpartition('/')[2]} of {decision.project}, {mlflow_models.alias(number)}"
    except OutsideError as error:
        clock.note(f"{'mlflow':<9} {error.message}")
        return ""
    return made
