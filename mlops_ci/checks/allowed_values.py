"""Allowed values of text columns

A new spelling of a category is a new category for the model: it has never seen it and will guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import contract_results

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result


def run(facts: DataFacts) -> Iterable[Result]:
    return contract_results(facts, "allowed_values", "every closed text column holds only allowed values")
