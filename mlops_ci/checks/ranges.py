"""Ranges of numbers and times

An age of -1 or a distance in the wrong unit trains a model just as well as the right one. Ranges catch what types
cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import contract_results

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result


def run(facts: DataFacts) -> Iterable[Result]:
    return contract_results(facts, "ranges", "every number and time is within the contract's range")
