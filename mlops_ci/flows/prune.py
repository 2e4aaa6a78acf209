"""prune: what nothing needs any more → shown, or removed with a word in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.errors import UsageError
from mlops_ci.steps.leftovers import sweep
from mlops_ci.steps.project import open_project
from mlops_ci.steps.prune import Rule, erase, look

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.records.prunes import Pruning


def prune(start: Path, rule: Rule, *, do: bool) -> Pruning:
    """What goes and what stays; `do`: it is removed."""
    if not rule.reason.isprintable():
        raise UsageError("--reason has to be one line", "It is written into the ledger.")
    project = open_project(start)
    found = look(project, rule)
    if not do:
        return found
    sweep(project)
    return erase(project, found, rule)
