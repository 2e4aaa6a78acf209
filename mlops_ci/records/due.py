"""What the jobs of the release workflow hand to each other."""

from __future__ import annotations

import msgspec

from mlops_ci.records.decisions import Absence, FactNote
from mlops_ci.records.releases import BundleInfo
from mlops_ci.records.results import Result


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A commit of the default branch that passed and is no release yet: a row of the workflow's matrix."""

    project: str
    folder: str
    """Of the project in the repository, `.` at its root."""
    labels: tuple[str, ...]
    commit: str
    decision: str
    """The one that passed it."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a request costs the bundle's own server, by the names of facts; nothing where no gate asks."""

    facts: dict[str, float] = {}
    notes: dict[str, FactNote] = {}
    missing: dict[str, Absence] = {}


class Rescored(msgspec.Struct, frozen=True, kw_only=True):
    """What a job without a right to write found out about a bundle, which lies beside in a folder of its project."""

    project: str
    commit: str
    info: BundleInfo | None = None
    """None: there is no bundle, and `reason` is why."""
    results: tuple[Result, ...] = ()
    reported: tuple[str, ...] = ()
    cost: Cost = Cost()
    table: bool = False
    """Its prepared table lies beside it."""
    reason: str = ""
