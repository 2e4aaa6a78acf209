"""Infinite numbers

A division by zero upstream gives infinity: means and distances are ruined by one, and many libraries refuse them only
at serving time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import capped, failed, passed, rows_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.data import ColumnProfile
    from mlops_ci.records.results import Result

_NAME = "infinite_values"


def run(facts: DataFacts) -> Iterable[Result]:
    """Blocking; a column is left alone where the contract says `infinite: allow`."""
    found = [column for column in facts.profile.columns if column.infinite and not _allowed(facts, column.name)]
    if not found:
        yield passed(_NAME, "no infinite numbers" + (" but where the contract allows them" if facts.contract else ""))
    yield from capped(_NAME, [_finding(column) for column in found])


def _allowed(facts: DataFacts, name: str) -> bool:
    terms = facts.contract.column(name) if facts.contract else None
    return terms is not None and terms.infinite


def _finding(column: ColumnProfile) -> Result:
    return failed(
        _NAME,
        f"{column.name} is infinite in {rows_text(column.infinite, column.rows)}; none may be, "
        "unless the contract says infinite: allow",
        blocking=True,
        column=column.name,
        infinite=column.infinite,
    )
