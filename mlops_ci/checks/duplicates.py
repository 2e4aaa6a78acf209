"""Repeated rows

Rows that say the same thing twice count twice in training and in every metric, and make intervals too narrow. A file
loaded twice looks like this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import advisory, contract_results, rows_text
from mlops_ci.data.repeats import repeats
from mlops_ci.data.rowkeys import row_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "duplicates"
LIMIT = 0.05


def run(facts: DataFacts) -> Iterable[Result]:
    """The contract's limit, else an advisory 5 % of rows that are equal in all but the id."""
    if facts.contract is not None and facts.contract.duplicates is not None:
        yield from contract_results(facts, _NAME, "rows repeat no more often than the contract allows")
        return
    rows = facts.table.rows
    repeated = repeats(row_keys(facts.table, (*facts.features, facts.target)))
    message = f"{rows_text(repeated, rows)} repeat an earlier one in all but the id; up to {LIMIT:.0%} is usual"
    yield advisory(_NAME, message, fine=repeated <= LIMIT * rows, repeated=repeated, rows=rows)
