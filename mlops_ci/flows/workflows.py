"""workflows: settings → texts → compare with what is there → write what is missing or outdated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.steps import generated
from mlops_ci.steps.project import repository_around
from mlops_ci.workflows.compare import Generated, State

if TYPE_CHECKING:
    from pathlib import Path


class InStep(msgspec.Struct, frozen=True, kw_only=True):
    """Every generated file with its state, and which were written now."""

    files: tuple[Generated, ...]
    written: tuple[str, ...] = ()

    @property
    def out_of_step(self) -> tuple[Generated, ...]:
        return tuple(each for each in self.files if each.state is not State.CURRENT and each.path not in self.written)


def workflows(start: Path, *, update: bool) -> InStep:
    """Compare the generated workflows with the settings; with `update`, bring them in step. Edited ones are left."""
    repository = repository_around(start)
    found = generated.look(repository)
    if not update:
        return InStep(files=found)
    written = generated.update(found, root=repository.root, default_branch=repository.default_branch() or "main")
    return InStep(files=found, written=written)
