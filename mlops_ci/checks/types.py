"""Columns and their types

A column that is gone, new or of another type breaks features silently: numbers read as text become categories, a
missing column becomes a crash in production. A column the contract does not list is advisory unless it says forbid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import contract_results

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result


def run(facts: DataFacts) -> Iterable[Result]:
    return contract_results(facts, "types", "every column of the contract is there, of its type")
