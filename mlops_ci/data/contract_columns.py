"""The clauses of a contract that are about one column.

They read the profile; rows are looked at only where a clause is broken, to count and to name examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.data.contract_answer import EXAMPLES, Answer, named, share_of, share_text
from mlops_ci.data.contract_terms import Bound, ColumnTerms, Contract, NewValues
from mlops_ci.data.contract_text import share
from mlops_ci.data.times import as_time
from mlops_ci.records.tables import Kind, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mlops_ci.records.data import ColumnProfile, Profile
    from mlops_ci.records.results import Number, Where

WORTH_A_WARNING = 0.005
"""Where new values only warn, they do from this share of rows on."""


def column_answers(contract: Contract, profile: Profile, table: Table) -> Iterator[Answer]:
    found = {column.name: column for column in profile.columns}
    for terms in contract.columns:
        seen = found.get(terms.name)
        where = contract.where(f"columns.{terms.name}")
        if seen is None:
            yield _absent(terms, where)
            continue
        right_kind = seen.kind is terms.kind or (seen.kind is Kind.INTEGER and terms.kind is Kind.FLOAT)
        yield _kind(terms, seen, right_kind, where)
        for clause in _CLAUSES:
            # A range of numbers says nothing about text: of another kind, only missing values are still counted.
            answer = clause(terms, seen, table) if right_kind or clause is _missing else None
            if answer is not None:
                yield msgspec.structs.replace(answer, column=terms.name, where=where)


def _absent(terms: ColumnTerms, where: Where | None) -> Answer:
    return Answer(
        check="types",
        held=terms.optional,
        message=f"column {terms.name} is not there" + ("" if terms.optional else "; the contract requires it"),
        column=terms.name,
        where=where,
    )


def _kind(terms: ColumnTerms, seen: ColumnProfile, right: bool, where: Where | None) -> Answer:
    return Answer(
        check="types",
        held=right,
        message=f"{terms.name} is {seen.kind}; the contract says {terms.kind}",
        column=terms.name,
        numbers={"kind": str(seen.kind), "expected": str(terms.kind)},
        where=where,
    )


def _missing(terms: ColumnTerms, seen: ColumnProfile, _table: Table) -> Answer:
    found = share_of(seen.missing, seen.rows)
    return Answer(
        check="nulls",
        held=found <= terms.missing,
        message=f"{terms.name} is missing in {share_text(seen.missing, seen.rows)}; "
        f"the contract allows {share(terms.missing)}",
        numbers={"missing": seen.missing, "share": found, "at_most": terms.missing},
    )


def _range(terms: ColumnTerms, seen: ColumnProfile, table: Table) -> Answer | None:
    if terms.range is None:
        return None
    low, high = terms.range
    allowed = f"the contract allows {_bound(low, 'anything')} to {_bound(high, 'anything')}"
    if seen.low is None or seen.high is None:
        return Answer(check="ranges", held=True, message=f"{terms.name} holds no values; {allowed}")
    if not _below(seen.low, low) and not _below(high, seen.high):
        return Answer(
            check="ranges",
            held=True,
            message=f"{terms.name} is {_bound(seen.low, '')} to {_bound(seen.high, '')}; {allowed}",
        )
    outside = _outside(table, terms)
    rows = int(outside.sum())
    examples = np.unique(table.column(terms.name).values[outside])
    shown = [*examples[:1].tolist(), *examples[-2:].tolist()] if len(examples) > EXAMPLES else examples.tolist()
    return Answer(
        check="ranges",
        held=rows == 0,
        message=f"{terms.name} is outside in {share_text(rows, table.rows)}, for example "
        f"{', '.join(_plain(value) for value in shown)}; {allowed}",
        numbers={"outside": rows, "low": _number(seen.low), "high": _number(seen.high)},
    )


def _outside(table: Table, terms: ColumnTerms) -> NDArray[np.bool_]:
    """Shape (rows,): finite values out of the range; infinite ones are another check's."""
    column = table.column(terms.name)
    values = column.values
    low, high = (as_time(bound) if isinstance(bound, str) else bound for bound in terms.range or (None, None))
    outside = np.zeros(table.rows, dtype=bool)
    if low is not None:
        outside |= values < low  # type: ignore[operator]
    if high is not None:
        outside |= values > high  # type: ignore[operator]
    if column.kind is Kind.FLOAT:
        outside &= np.isfinite(values)
    return outside & ~missing(column)


def _values(terms: ColumnTerms, _seen: ColumnProfile, table: Table) -> Answer | None:
    column = table.column(terms.name)
    if terms.values is None or column.kind is not Kind.TEXT:
        return None
    allowed = set(terms.values)
    counts = np.bincount(column.values[~missing(column)], minlength=len(column.categories))
    rows = {name: int(counts[code]) for code, name in enumerate(column.categories) if name not in allowed}
    unseen = {name: number for name, number in rows.items() if number}
    if not unseen:
        return Answer(
            check="allowed_values", held=True, message=f"{terms.name} holds only the {len(allowed)} allowed values"
        )
    few = sum(unseen.values()) <= WORTH_A_WARNING * table.rows
    often = sorted(unseen, key=lambda name: (-unseen[name], name))
    return Answer(
        check="allowed_values",
        held=terms.new_values is NewValues.ALLOW or (terms.new_values is NewValues.WARN and few),
        message=f"{terms.name} holds {named(often)} in {share_text(sum(unseen.values()), table.rows)}; "
        f"the contract lists {len(allowed)} values",
        blocking=terms.new_values is NewValues.FORBID,
        numbers={"rows": sum(unseen.values()), "values": len(unseen)},
    )


def _unique(terms: ColumnTerms, seen: ColumnProfile, _table: Table) -> Answer | None:
    if not terms.unique:
        return None
    repeated = seen.rows - seen.missing - seen.distinct
    return Answer(
        check="uniqueness",
        held=repeated == 0,
        message=f"{terms.name} repeats an earlier value in {share_text(repeated, seen.rows)}; "
        "the contract says each value stands once",
        numbers={"repeated": repeated},
    )


def _infinite(terms: ColumnTerms, seen: ColumnProfile, _table: Table) -> Answer | None:
    if terms.kind is not Kind.FLOAT:
        return None
    return Answer(
        check="infinite_values",
        held=terms.infinite or seen.infinite == 0,
        message=f"{terms.name} is infinite in {share_text(seen.infinite, seen.rows)}; "
        f"the contract {'allows it' if terms.infinite else 'allows none'}",
        numbers={"infinite": seen.infinite},
    )


_CLAUSES: tuple[Callable[[ColumnTerms, ColumnProfile, Table], Answer | None], ...] = (
    _missing, _range, _values, _unique, _infinite,
)  # fmt: skip


def _below(value: Bound, limit: Bound) -> bool:
    """Value < limit; an open limit is never passed."""
    if value is None or limit is None:
        return False
    if isinstance(value, str) or isinstance(limit, str):
        one, other = as_time(str(value)), as_time(str(limit))
        return one is not None and other is not None and bool(one < other)
    return value < limit


def _bound(bound: Bound, open_side: str) -> str:
    if bound is None:
        return open_side
    return f"{bound:.10g}" if isinstance(bound, float) else str(bound)


def _number(value: Bound) -> Number:
    """JSON has no infinity."""
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _plain(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
