"""The metrics that a tree's settings declare as the project's own."""

from __future__ import annotations

from mlops_ci.errors import ConfigError
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.facts import FACTS
from mlops_ci.records.evaluation import OwnMetric
from mlops_ci.steps.trees import Tree

_WORDS = ("worst", "gap", "champion", "anchor", "n", "o", "d", "by", "min_rows", "clip")
"""What a name means in the language of gates already."""


def declared(tree: Tree) -> tuple[OwnMetric, ...]:
    """The metrics of a tree's settings. ConfigError for a name that means something else in a gate."""
    found = []
    for name, metric in tree.config.metrics.items():
        for taken, what in ((METRICS, "a metric"), (FACTS, "a fact"), (_WORDS, "a word of gates")):
            if name in taken:
                where = tree.config.place(f"metrics.{name}")
                raise ConfigError(f"{name!r} is {what} already", "Give yours another name.", where=where)
        low, high = metric.range or (None, None)
        found.append(
            OwnMetric(
                name=name,
                function=metric.function,
                higher_is_better=metric.higher_is_better,
                low=low,
                high=high,
                unit=metric.unit,
            )
        )
    return tuple(found)
