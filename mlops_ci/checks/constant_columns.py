"""Columns that never change

A feature with one value tells a model nothing, and often means that a join or a source has gone wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import capped, failed, passed
from mlops_ci.data.contract_answer import quoted
from mlops_ci.records.tables import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.data import ColumnProfile
    from mlops_ci.records.results import Result

_NAME = "constant_columns"


def run(facts: DataFacts) -> Iterable[Result]:
    """Advisory. A column with one value and missing ones is not constant: where it is missing may say something."""
    features = [column for column in facts.profile.columns if column.name in facts.features]
    constant = [column for column in features if column.rows > 1 and _is_constant(column)]
    if not constant:
        yield passed(_NAME, f"each of {len(features)} features has more than one value", features=len(features))
    yield from capped(
        _NAME,
        [
            failed(_NAME, f"{column.name} {_says(column)}", blocking=False, column=column.name, rows=column.rows)
            for column in constant
        ],
    )


def _is_constant(column: ColumnProfile) -> bool:
    return column.missing == column.rows or (column.distinct == 1 and column.missing == 0)


def _says(column: ColumnProfile) -> str:
    if column.missing == column.rows:
        return f"is missing in all {column.rows:,} rows"
    value = column.common[0][0] if column.common else str(column.low)
    value = quoted(value) if column.kind is Kind.TEXT else value
    return f"is {value} in all {column.rows:,} rows"
