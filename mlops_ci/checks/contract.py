"""The data contract

The contract is the promise that training and serving are built on: which columns there are, what they may hold, how
much may be missing. This line counts its clauses; each broken one is reported by the check it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import skipped
from mlops_ci.data.contract_validate import count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result


def run(facts: DataFacts) -> Iterable[Result]:
    if facts.contract is None:
        yield skipped("contract", "there is no contract: mlops-ci data contract writes a first one")
    else:
        yield count(facts.answers)
