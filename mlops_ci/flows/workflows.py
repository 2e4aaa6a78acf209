"""workflows: settings of all projects → texts → compare with what is there → merge what changed into it.

An update locks the tool too, where nothing says yet what CI installs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.steps import generated, lock, project_files
from mlops_ci.steps.project import repository_around
from mlops_ci.workflows.compare import IN_STEP, Generated, State

if TYPE_CHECKING:
    from pathlib import Path

_LEFT = (State.CONFLICT, State.UNKNOWN)
"""What is out of step after an update too."""


class InStep(msgspec.Struct, frozen=True, kw_only=True):
    """Every generated file with its state before; after an update also which were written.

    `tool`: the text of `tool.lock` where it was written as well.
    """

    files: tuple[Generated, ...]
    updated: bool = False
    written: tuple[str, ...] = ()
    tool: str = ""

    @property
    def out_of_step(self) -> tuple[Generated, ...]:
        """The files that a person has to look at."""
        return tuple(
            each for each in self.files if (each.state in _LEFT if self.updated else each.state not in IN_STEP)
        )


def workflows(start: Path, *, update: bool) -> InStep:
    """Compare the generated workflows with the settings; with `update`, merge into them what is generated now."""
    repository = repository_around(start)
    found = generated.look(repository)
    if not update:
        return InStep(files=found.files)
    written = generated.update(found, root=repository.root, repository=repository)
    tool = lock.missing(repository.root)
    project_files.replace(repository.root, tool)
    return InStep(files=found.files, updated=True, written=written, tool=tool.get(lock.TOOL_LOCK, ""))
