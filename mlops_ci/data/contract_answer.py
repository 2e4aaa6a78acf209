"""The answer to one clause of a contract, and the words its messages share."""

from __future__ import annotations

import msgspec

from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Number, Part, Result, Where

EXAMPLES = 3
LONGEST = 40


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one clause holds; `check` is the check that reports it."""

    check: str
    held: bool
    message: str
    column: str | None = None
    blocking: bool = True
    numbers: dict[str, Number] = {}
    where: Where | None = None

    def result(self) -> Result:
        return Result(
            check=self.check,
            part=Part.DATA,
            status=Status.PASSED if self.held else Status.FAILED,
            message=self.message,
            blocking=self.blocking,
            column=self.column,
            numbers=self.numbers,
            where=self.where,
        )


def quoted(value: str) -> str:
    """A text out of the data as every message shows it: in quotes, shortened."""
    return f"“{value if len(value) <= LONGEST else value[: LONGEST - 1] + '…'}”"


def named(names: list[str]) -> str:
    """The first few texts out of the data."""
    shown = [quoted(name) for name in names[:EXAMPLES]]
    more = f" and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else ""
    return ", ".join(shown) + more


def share_of(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def share_text(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} rows ({share_of(part, whole):.2%})"
