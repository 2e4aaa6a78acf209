"""What the packaged model is asked with: its columns, their kinds, and what the data contract forbids of them."""

from __future__ import annotations

from mlops_ci.data.contract import ColumnTerms, Contract, NewValues
from mlops_ci.data.contract_terms import Bound
from mlops_ci.records.bundles import Input
from mlops_ci.records.tables import Column, Table


def inputs(table: Table, features: tuple[str, ...], contract: Contract | None) -> tuple[Input, ...]:
    """In the model's order. A column may be missing where the contract allows it, or has no word on it and some are."""
    return tuple(_input(table.column(name), contract.column(name) if contract else None) for name in features)


def _input(column: Column, terms: ColumnTerms | None) -> Input:
    if terms is None:
        return Input(name=column.name, kind=column.kind, nullable=column.missing is not None)
    low, high = terms.range or (None, None)
    return Input(
        name=column.name,
        kind=column.kind,
        nullable=terms.missing > 0.0,
        minimum=_bound(low),
        maximum=_bound(high),
        categories=terms.values if terms.new_values is NewValues.FORBID else None,
    )


def _bound(value: Bound) -> float | str | None:
    return value if value is None or isinstance(value, str) else float(value)
