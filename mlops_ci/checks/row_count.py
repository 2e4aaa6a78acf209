"""As many rows as expected

Half of the rows gone is a file that did not arrive; three times as many is one that arrived three times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import advisory, contract_results, skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "row_count"
LEAST, MOST = 0.9, 3.0
"""Times the rows of the base."""


def run(facts: DataFacts) -> Iterable[Result]:
    """Blocking where the contract asks for a number of rows; advisory against the base."""
    yield from contract_results(facts, _NAME, f"{facts.table.rows:,} rows, as many as the contract asks for")
    if facts.base is None:
        if not (facts.contract and facts.contract.rows_at_least):
            yield skipped(_NAME, "there is no base to compare with")
        return
    rows, before = facts.table.rows, facts.base.rows
    message = f"{rows:,} rows, {before:,} at the base; {LEAST:g} to {MOST:g} times as many is usual"
    yield advisory(_NAME, message, fine=LEAST * before <= rows <= MOST * before, rows=rows, base=before)
