"""A snapshot held against its contract: one answer for each clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.data.contract_columns import column_answers
from mlops_ci.data.contract_table import table_answers
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result

if TYPE_CHECKING:
    from mlops_ci.data.contract_answer import Answer
    from mlops_ci.data.contract_terms import Contract
    from mlops_ci.records.data import Profile
    from mlops_ci.records.tables import Table


def validate(contract: Contract, profile: Profile, table: Table, *, as_of: str = "") -> tuple[Result, ...]:
    """A Result for each broken clause, then the count of all. `as_of`: the commit's time, ISO 8601 UTC."""
    found = answers(contract, profile, table, as_of=as_of)
    return (*(answer.result() for answer in found if not answer.held), count(found))


def count(found: tuple[Answer, ...]) -> Result:
    """`contract 41 of 41`: how many clauses hold. Failed where a blocking one is broken; its own Result blocks."""
    held = sum(answer.held for answer in found)
    broken = any(not answer.held and answer.blocking for answer in found)
    return Result(
        check="contract",
        part=Part.DATA,
        status=Status.FAILED if broken else Status.PASSED,
        message=f"{held} of {len(found)} clauses of the contract hold",
        blocking=False,
        numbers={"clauses": len(found), "held": held},
    )


def answers(contract: Contract, profile: Profile, table: Table, *, as_of: str = "") -> tuple[Answer, ...]:
    """One answer for each clause, in the order of the contract's file."""
    return (*table_answers(contract, profile, table, as_of), *column_answers(contract, profile, table))
