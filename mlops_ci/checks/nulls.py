"""Missing values

A feature that is suddenly missing more often means that something upstream broke; a model still answers, and answers
worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import contract_results

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result


def run(facts: DataFacts) -> Iterable[Result]:
    return contract_results(facts, "nulls", "no column is missing more often than the contract allows")
