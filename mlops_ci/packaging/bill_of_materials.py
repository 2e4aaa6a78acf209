"""What is in the bundle, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): libraries, model, data."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from mlops_ci.packaging.mlflow_model import pins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.records.bundles import Licence, Serving
    from mlops_ci.records.decisions import Evidence, Subject
    from mlops_ci.records.evaluation import Interval, MetricValue

_NAMESPACE = uuid.UUID("3a0f8e52-1c2b-5d55-8a43-6a1f1f0b9f10")
_TASKS = {"binary": "binary classification", "multiclass": "multiclass classification", "regression": "regression"}


def bill_of_materials(
    serving: Serving,
    evidence: Evidence,
    subject: Subject,
    *,
    intervals: Mapping[str, Interval],
    lock: str,
    licences: Mapping[str, Licence],
    model: str,
    version: str,
) -> bytes:
    """sbom.cdx.json. licences: by library; model: sha256 of its file; version: of mlops-ci."""
    made = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{serving.project} {subject.commit} {model}')}",
        "version": 1,
        "metadata": {
            "timestamp": subject.commit_time,
            "tools": {"components": [{"type": "application", "name": "mlops-ci", "version": version}]},
            "component": _model(serving, evidence, subject, intervals, model),
        },
        "components": [*_data(evidence), *(_library(pin, licences) for pin in pins(lock))],
    }
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def _model(
    serving: Serving, evidence: Evidence, subject: Subject, intervals: Mapping[str, Interval], sha256: str
) -> dict[str, Any]:
    training, evaluation = evidence.training, evidence.evaluation
    shown = evaluation.metrics if evaluation else ()
    metrics = [_metric(one, intervals.get(one.metric)) for one in shown if one.value is not None]
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": serving.project,
        "version": subject.commit,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": _TASKS[str(serving.task)],
                "modelArchitecture": training.model if training else "",
                "datasets": [{"ref": "data"}],
                "inputs": [{"format": f"{one.name}: {one.kind}"} for one in serving.inputs],
                "outputs": [{"format": f"{one.name}: {one.kind}"} for one in serving.outputs],
            },
            "quantitativeAnalysis": {"performanceMetrics": metrics},
        },
    }


def _metric(one: MetricValue, interval: Interval | None) -> dict[str, Any]:
    told: dict[str, Any] = {"type": one.metric, "value": f"{one.value:.6g}"}
    if interval is not None:
        told["confidenceInterval"] = {"lowerBound": f"{interval.low:.6g}", "upperBound": f"{interval.high:.6g}"}
    return told


def _data(evidence: Evidence) -> list[dict[str, Any]]:
    snapshot = evidence.snapshot
    if snapshot is None:
        return []
    about = {
        "type": "dataset",
        "name": "prepared table",
        "contents": {
            "properties": [
                {"name": "rows", "value": str(snapshot.rows)},
                {"name": "train rows", "value": str(snapshot.train_rows)},
                {"name": "held-out rows", "value": str(snapshot.holdout_rows)},
                {"name": "row digest sum, mod 2^128", "value": snapshot.digest},
                *({"name": f"sha256 of {one.path}", "value": one.sha256} for one in snapshot.sources),
            ]
        },
    }
    return [{"type": "data", "bom-ref": "data", "name": "training data", "data": [about]}]


def _library(pin: str, licences: Mapping[str, Licence]) -> dict[str, Any]:
    name, version = re.split(r"==| ;| ", pin)[:2]
    found: dict[str, Any] = {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
    }
    licence = licences.get(name)
    if licence is not None and licence.text:
        words = {"expression": licence.text} if licence.spdx else {"license": {"name": licence.text}}
        found["licenses"] = [words]
    return found
