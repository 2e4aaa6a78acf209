"""The clauses of a contract that are about the whole table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.data.classes import target_shares
from mlops_ci.data.contract_answer import Answer, named, quoted, share_of, share_text
from mlops_ci.data.contract_terms import Contract, NewValues
from mlops_ci.data.contract_text import share
from mlops_ci.data.repeats import repeats
from mlops_ci.data.rowkeys import row_keys
from mlops_ci.data.times import as_time, iso
from mlops_ci.records.tables import Kind, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.records.data import Profile


def table_answers(contract: Contract, profile: Profile, table: Table, as_of: str) -> Iterator[Answer]:
    if contract.rows_at_least:
        yield Answer(
            check="row_count",
            held=profile.rows >= contract.rows_at_least,
            message=f"{profile.rows:,} rows; the contract asks for at least {contract.rows_at_least:,}",
            numbers={"rows": profile.rows, "at_least": contract.rows_at_least},
            where=contract.where("rows"),
        )
    yield from _other_columns(contract, table)
    yield from _duplicates(contract, table)
    yield from _freshness(contract, table, as_of)
    yield from _target(contract, table)


def _other_columns(contract: Contract, table: Table) -> Iterator[Answer]:
    listed = {terms.name for terms in contract.columns}
    for name in table.names:
        if name not in listed and contract.other_columns is not NewValues.ALLOW:
            yield Answer(
                check="types",
                held=False,
                message=f"column {name} ({table.column(name).kind}) is not in the contract; add it or drop it",
                column=name,
                blocking=contract.other_columns is NewValues.FORBID,
                where=contract.where("columns"),
            )


def _duplicates(contract: Contract, table: Table) -> Iterator[Answer]:
    if contract.duplicates is None:
        return
    names = [name for name in table.names if name not in contract.duplicates.apart_from]
    seen = repeats(row_keys(table, names)) if names else 0
    found, limit = share_of(seen, table.rows), contract.duplicates.at_most
    yield Answer(
        check="duplicates",
        held=found <= limit,
        message=f"{share_text(seen, table.rows)} repeat an earlier one; the contract allows {share(limit)}",
        numbers={"repeated": seen, "share": found, "at_most": limit},
        where=contract.where("duplicates"),
    )


def _freshness(contract: Contract, table: Table, as_of: str) -> Iterator[Answer]:
    if contract.freshness is None:
        return
    name, limit = contract.freshness.column, contract.freshness.at_most_days
    newest, now = newest_time(table, name), as_time(as_of)
    where = contract.where("freshness")
    if newest is None or now is None:
        what = f"column {name} holds no times" if newest is None else "the time of the commit is not known"
        yield Answer(check="freshness", held=False, message=f"{what}, so its age cannot be told", where=where)
        return
    days = round(float((now - newest) / np.timedelta64(1, "D")), 2)
    yield Answer(
        check="freshness",
        held=days <= limit,
        message=f"the newest {name} is {iso(newest)}, {days:,.1f} days before the commit; "
        f"the contract allows {limit:g}",
        column=name,
        numbers={"days": days, "at_most": limit},
        where=where,
    )


def newest_time(table: Table, name: str) -> np.datetime64 | None:
    """The newest time of a column; None where there is no such column, or no time in it."""
    if name not in table.names or table.column(name).kind not in (Kind.DATE, Kind.TIMESTAMP):
        return None
    column = table.column(name)
    present = column.values[~missing(column)]
    return present.max().astype("datetime64[us]") if len(present) else None


def _target(contract: Contract, table: Table) -> Iterator[Answer]:
    terms = contract.target
    if terms is None or terms.column not in table.names:
        return
    found = dict(target_shares(table.column(terms.column)))
    for name, expected in terms.shares:
        now = found.get(name, 0.0)
        moved = round(now - expected, 6)
        yield Answer(
            check="label_shift",
            held=abs(moved) <= terms.tolerance,
            message=f"{terms.column} = {quoted(name)} in {now:.1%} of rows; the contract expects {share(expected)} "
            f"within {share(terms.tolerance).removesuffix('%')} points",
            column=terms.column,
            numbers={"share": now, "expected": expected, "tolerance": terms.tolerance},
            where=contract.where("target"),
        )
    unexpected = [name for name in found if name not in dict(terms.shares)]
    if unexpected:
        yield Answer(
            check="label_shift",
            held=False,
            message=f"{terms.column} holds {named(unexpected)}, which the contract does not list",
            column=terms.column,
            where=contract.where("target"),
        )
