"""The words for answers, and how many answers become one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from mlops_ci.errors import ExitCode


class Status(StrEnum):
    """The answer to one question: a check, a model test or a gate."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    SKIPPED = "skipped"
    ERRORED = "errored"


class Outcome(StrEnum):
    """The answer of a whole decision."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    ERRORED = "errored"


_PRECEDENCE = (
    (Status.ERRORED, Outcome.ERRORED),
    (Status.FAILED, Outcome.FAILED),
    (Status.UNDECIDED, Outcome.UNDECIDED),
)


def combine(blocking: Iterable[Status]) -> Outcome:
    """The outcome of a decision from the statuses that may block it.

    errored > failed > undecided > passed; a skipped answer does not block.
    """
    present = set(blocking)
    for status, outcome in _PRECEDENCE:
        if status in present:
            return outcome
    return Outcome.PASSED


def exit_code(outcome: Outcome) -> ExitCode:
    """The exit code a decision leaves with."""
    if outcome is Outcome.PASSED:
        return ExitCode.PASSED
    if outcome is Outcome.ERRORED:
        return ExitCode.ERRORED
    return ExitCode.REFUSED
