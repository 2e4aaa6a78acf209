"""How checks say what they found: one line when all is well, one for each finding when not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Number, Part, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_ci.checks.facts import DataFacts

SHOWN = 5
"""Findings of one check that are shown one by one."""


def passed(check: str, message: str, **numbers: Number) -> Result:
    return _result(check, Status.PASSED, message, blocking=True, column=None, numbers=numbers)


def skipped(check: str, reason: str) -> Result:
    return _result(check, Status.SKIPPED, reason, blocking=False, column=None, numbers={})


def failed(check: str, message: str, *, blocking: bool, column: str | None = None, **numbers: Number) -> Result:
    return _result(check, Status.FAILED, message, blocking=blocking, column=column, numbers=numbers)


def advisory(check: str, message: str, *, fine: bool, column: str | None = None, **numbers: Number) -> Result:
    status = Status.PASSED if fine else Status.FAILED
    return _result(check, status, message, blocking=False, column=column, numbers=numbers)


def contract_results(facts: DataFacts, check: str, fine: str) -> Iterator[Result]:
    """What the contract says under this check's name; `fine` is said with the number of clauses where all hold."""
    found = [answer for answer in facts.answers if answer.check == check]
    broken = [answer.result() for answer in found if not answer.held]
    if found and not broken:
        clauses = f"{len(found)} clause" + ("s" if len(found) > 1 else "")
        yield passed(check, f"{fine} ({clauses})", clauses=len(found))
    yield from capped(check, broken)


def capped(check: str, findings: Sequence[Result]) -> Iterator[Result]:
    """Blocking findings first, at most five, then "and N more"; the rest blocks if any of it does."""
    ordered = sorted(findings, key=lambda finding: not finding.blocking)
    yield from ordered[:SHOWN]
    if rest := ordered[SHOWN:]:
        names = [finding.column for finding in rest if finding.column]
        about = f": {', '.join(names[:SHOWN])}{', …' if len(names) > SHOWN else ''}" if names else ""
        blocking = any(finding.blocking for finding in rest)
        yield failed(check, f"and {len(rest)} more{about}", blocking=blocking, more=len(rest))


def rows_text(part: int, whole: int) -> str:
    """`12 of 3,400 rows (0.35%)`."""
    return f"{part:,} of {whole:,} rows ({part / whole if whole else 0:.2%})"


def _result(
    check: str, status: Status, message: str, *, blocking: bool, column: str | None, numbers: dict[str, Number]
) -> Result:
    return Result(
        check=check,
        part=Part.DATA,
        status=status,
        message=message,
        blocking=blocking,
        column=column,
        numbers=numbers,
    )
