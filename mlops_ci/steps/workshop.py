"""Where the project's own code runs: its environment, a copy of its files, a scratch folder, limits."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci.edge import environment, files, worker
from mlops_ci.edge.processes import Limits, default_memory
from mlops_ci.errors import ConfigError, OutsideError, SourceError, UserCodeError
from mlops_ci.steps.change import code_paths
from mlops_ci.steps.project import Project
from mlops_ci.steps.trees import Tree

LEAVE_ALONE = (
    "Leave the files alone while a check runs, then run it again. The project's code runs in a copy of them: "
    "it must write with relative paths."
)
_SETTINGS = ("train.entrypoint", "train.command", "data.prepare", "data.sources")
"""Keys that the worker points at; it does not know their lines."""


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """One visit: a fresh copy of the code, so that what it writes is thrown away with it."""

    python: Path
    workspace: Path
    scratch: Path
    limits: Limits
    secrets: tuple[str, ...]

    def run(self, job: str, request: dict[str, Any]) -> worker.Answer:
        """Run one job of the worker; UserCodeError with the user's own traceback when it fails."""
        return worker.run(
            job,
            request,
            python=self.python,
            workspace=self.workspace,
            scratch=self.scratch,
            limits=self.limits,
            secrets=self.secrets,
        )


class Workshop:
    """The environment and code of one tree; both are looked at only when a step needs them."""

    def __init__(self, project: Project, tree: Tree, say: Callable[[str], None]) -> None:
        self._project = project
        self._tree = tree
        self._say = say

    @cached_property
    def environment(self) -> environment.ProjectEnvironment:
        """The project's environment, made on first use when it is locked."""
        return environment.resolve(self._tree.root, self._project.state / "env", say=self._say)

    def beside(self, tree: Tree) -> Workshop:
        """The code of another tree in this one's environment: only the code is then another."""
        other = Workshop(self._project, tree, self._say)
        other.environment = self.environment
        return other

    @property
    def sql_apart(self) -> Limits | None:
        """Of the process that the SQL of prepare has for itself; None: it runs in ours, as the user's own."""
        return None

    @property
    def locked(self) -> str:
        """The environment's digest; empty where it is not locked."""
        return self.environment.digest if self.environment.locked else ""

    @cached_property
    def code(self) -> str:
        """Digest over every file that is neither data, judge nor prose."""
        return self._digest(self._tree.root)

    def _digest(self, root: Path) -> str:
        total = hashlib.sha256()
        for name in sorted(code_paths(self._tree)):
            path = root / name
            if path.is_file():
                total.update(f"{name}\0{files.sha256(path)}\n".encode("utf-8", "surrogateescape"))
        return total.hexdigest()

    @contextmanager
    def open(self, *, extra: tuple[tuple[Path, str], ...] = ()) -> Iterator[Bench]:
        """A bench for some jobs, cleared afterwards. `extra` files or folders are laid into the copy: (from, name)."""
        with files.temporary() as folder:
            workspace, scratch = folder / "workspace", folder / "scratch"
            workspace.mkdir()
            scratch.mkdir()
            for path in code_paths(self._tree):
                _copy(self._tree.root / path, workspace / path)
            if self._digest(workspace) != self.code:  # answers are kept under that digest
                raise OutsideError("the project's code changed while it was judged", LEAVE_ALONE)
            for source, path in extra:
                _copy(source, workspace / path)
            with self._settings_named():
                yield Bench(
                    python=self.environment.python,
                    workspace=workspace,
                    scratch=scratch,
                    limits=Limits(
                        seconds=self._tree.config.runner.timeout,
                        memory_bytes=default_memory(),
                        threads=os.cpu_count() or 1,
                    ),
                    secrets=self._tree.config.runner.secrets,
                )

    @contextmanager
    def _settings_named(self) -> Iterator[None]:
        """An error about `train.entrypoint` is told with the file and line where that stands."""
        try:
            yield
        except (ConfigError, UserCodeError) as error:
            if error.where in _SETTINGS or error.where.startswith("metrics."):
                error.where = self._tree.config.place(error.where)
            raise


class NoWorkshop(Workshop):
    """Where nothing of the project's code may run: what needs it cannot be found out. Of its SQL all has to be done
    at `until`, by the monotonic clock.
    """

    def __init__(self, project: Project, tree: Tree, say: Callable[[str], None], *, until: float) -> None:
        super().__init__(project, tree, say)
        self._until = until

    @property
    def sql_apart(self) -> Limits:
        return Limits(seconds=max(self._until - time.monotonic(), 0), memory_bytes=default_memory())

    @cached_property
    def environment(self) -> environment.ProjectEnvironment:
        raise SourceError("the project's code is not run here")

    def beside(self, tree: Tree) -> Workshop:
        return NoWorkshop(self._project, tree, self._say, until=self._until)

    @contextmanager
    def open(self, *, extra: tuple[tuple[Path, str], ...] = ()) -> Iterator[Bench]:  # noqa: ARG002 - as above
        raise SourceError("the project's code is not run here")
        yield


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
