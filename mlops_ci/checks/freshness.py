"""The data is recent enough

A pipeline that stopped last month still trains every night. The age is counted to the commit, not to the clock, so
the same commit always gets the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.checks.answers import contract_results, passed, skipped
from mlops_ci.data.contract_table import newest_time
from mlops_ci.data.times import as_time, iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "freshness"


def run(facts: DataFacts) -> Iterable[Result]:
    """Blocking where the contract sets a limit; else it only says how old the newest row is."""
    if facts.contract is not None and facts.contract.freshness is not None:
        answer = next(answer for answer in facts.answers if answer.check == _NAME)
        return contract_results(facts, _NAME, answer.message)
    newest = newest_time(facts.table, facts.time) if facts.time else None
    now = as_time(facts.as_of)
    if newest is None or now is None:
        return [skipped(_NAME, "no time column, or the commit has no time")]
    days = round(float((now - newest) / np.timedelta64(1, "D")), 2)
    side = "after" if days < 0 else "before"
    message = f"the newest {facts.time} is {iso(newest)}, {abs(days):,.1f} days {side} the commit"
    return [passed(_NAME, message, days=days)]
