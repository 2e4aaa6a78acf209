"""The answer of one check about data or model, and of one model test."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mlops_ci.records.outcomes import Status

Number = int | float | str | None


class Part(StrEnum):
    """Where a result is shown in the report."""

    DATA = "data"
    MODEL = "model"
    TESTS = "tests"
    RULES = "rules"
    """Of an environment."""


class Where(msgspec.Struct, frozen=True):
    """A place a person can open: `mlops.yaml:22`."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A check's answer. Texts are plain and may hold hostile names: renderers escape them."""

    check: str
    """Its name: `nulls`, `target_leakage`, `deepchecks/feature_drift`, `test_late.py::test_rain`."""
    part: Part
    status: Status
    message: str
    """One sentence with the numbers: what was found and what is allowed."""
    blocking: bool = True
    """False: advisory, shown and never decides."""
    column: str | None = None
    numbers: dict[str, Number] = {}
    where: Where | None = None
    details: str = ""
    """More lines, for example the traceback of a model test."""
