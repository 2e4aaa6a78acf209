"""Every row has an id of its own

The id decides which side of the split a row is on, pairs it with the champion's prediction and names it in reports.
Rows that share an id are one row counted twice; rows without one cannot be followed at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import capped, contract_results, failed, passed, rows_text
from mlops_ci.data.repeats import repeats

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "uniqueness"


def run(facts: DataFacts) -> Iterable[Result]:
    findings = list(_findings(facts))
    if facts.id and not findings:
        yield passed(_NAME, f"{facts.table.rows:,} rows, each with an id of its own", rows=facts.table.rows)
    yield from capped(_NAME, findings)
    if not facts.id:
        # With an id, the contract's `unique` would say the same thing twice.
        yield from contract_results(facts, _NAME, "every unique column holds each value once")


def _findings(facts: DataFacts) -> Iterator[Result]:
    if not facts.id:
        return
    rows, id_text = facts.table.rows, ", ".join(facts.id)
    if repeated := repeats(facts.ids):
        message = f"{rows_text(repeated, rows)} repeat an earlier id ({id_text}); each id may stand once"
        yield failed(_NAME, message, blocking=True, repeated=repeated, rows=rows)
    for column in facts.profile.columns:
        if column.name in facts.id and column.missing:
            message = f"id column {column.name} is missing in {rows_text(column.missing, rows)}; none may be"
            yield failed(_NAME, message, blocking=True, column=column.name, missing=column.missing)
