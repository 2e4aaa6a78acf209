"""Metrics of the project's own, beside the built-in ones."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from mlops_ci.evaluation.metric import Metric
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_ci.records.evaluation import OwnMetric


def registry(own: Iterable[OwnMetric]) -> Mapping[str, Metric]:
    """Every metric a gate of the project can name, the built-in ones first."""
    return METRICS | {declared.name: own_metric(declared) for declared in own}


def own_metric(declared: OwnMetric) -> Metric:
    """The mean of what its function gives for each row; of one number for all rows nothing but that number."""
    return Metric(
        name=declared.name,
        meaning=f"what {declared.function} gives",
        tasks=frozenset(Task),
        kind="mean" if declared.by_row else "other",
        higher_is_better=declared.higher_is_better,
        low=-inf if declared.low is None else declared.low,
        high=inf if declared.high is None else declared.high,
        unit=declared.unit,
        own=True,
    )
