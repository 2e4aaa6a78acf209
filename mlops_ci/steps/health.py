"""Is one thing in place? Each look answers for itself and none stops the others."""

from __future__ import annotations

import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import find
from mlops_ci.data import contract
from mlops_ci.edge import files, tables
from mlops_ci.edge.environment import check_hashes, wanted_python
from mlops_ci.edge.processes import Limits, run
from mlops_ci.errors import MlopsCiError
from mlops_ci.records.stores import store_place
from mlops_ci.steps import generated
from mlops_ci.steps.lock import TOOL_LOCK, has_hashes, uv_environment
from mlops_ci.steps.project import Project, open_project
from mlops_ci.steps.project_files import read_text
from mlops_ci.steps.stores import is_set
from mlops_ci.steps.surroundings import look_around
from mlops_ci.workflows.compare import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCKS = ("requirements.lock", "uv.lock")


class Condition(StrEnum):
    """OK; missing: a check or CI will fail, or what is decided binds nobody; note: it works, and could be better."""

    OK = "ok"
    MISSING = "missing"
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found, and how to mend it."""

    name: str
    condition: Condition
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Finding:
    return Finding(name=name, condition=Condition.OK, found=found)


def missing(name: str, found: str, mend: str) -> Finding:
    return Finding(name=name, condition=Condition.MISSING, found=found, mend=mend)


def note(name: str, found: str, mend: str) -> Finding:
    return Finding(name=name, condition=Condition.NOTE, found=found, mend=mend)


def unseen(name: str, page: str) -> Finding:
    return note(name, "cannot be seen with this token", f"An administrator sees it: {page}")


def repository(start: Path) -> Iterator[Finding]:
    """Git, the repository, its commits and its remote."""
    around = look_around(start)
    if around.root is None:
        yield missing("repository", f"{around.folder} is in no git repository", "git init")
        return
    yield ok("repository", str(around.root))
    commit = "git add --all && git commit"
    yield ok("commits", f"default branch {around.branch}") if around.commits else note("commits", "none yet", commit)
    add = "git remote add origin ADDRESS"
    yield ok("remote", around.remote) if around.remote else note("remote", "none: decisions stay here", add)


def settings(start: Path) -> tuple[Project | None, Finding]:
    """mlops.yaml, and the project where it can be opened."""
    try:
        project = open_project(start)
    except MlopsCiError as error:
        return None, _from_error(find.SETTINGS, error)
    gates = len(project.config.gates)
    if not gates:
        return project, note(find.SETTINGS, "valid, without gates", "Without gates no model is refused: write some.")
    return project, ok(find.SETTINGS, f"valid, {gates} gate{'s' if gates > 1 else ''}")


def data(project: Project) -> Iterator[Finding]:
    """Every source: there, no pointer, and known to git."""
    tracked = set(project.repository.worktree_files(project.folder))
    for name, pattern in project.config.data.sources.items():
        paths = tables.expand(project.root, pattern)
        pointers = [path for path in paths if files.is_lfs_pointer(path)]
        relative = [path.relative_to(project.root).as_posix() for path in paths]
        if not paths:
            yield missing(f"data {name}", f"no file matches {pattern}", "Bring the file, or mend data.sources.")
        elif pointers:
            yield missing(f"data {name}", f"{pointers[0].name} is a git LFS pointer", "git lfs pull")
        elif ignored := [path for path in relative if path not in tracked]:
            mend = "CI will not have it: commit it, with git LFS where it is large."
            yield note(f"data {name}", f"{ignored[0]} is ignored by git", mend)
        else:
            yield ok(f"data {name}", f"{len(paths)} file{'s' if len(paths) > 1 else ''}")


def data_contract(project: Project) -> Iterator[Finding]:
    """The contract is there and can be read."""
    path = project.config.data.contract
    text = read_text(project.root / path)
    if text is None:
        yield missing("contract", f"{path} is not there", f"Bring it back from git: git log -- {path}")
        return
    terms = contract.parse(text, file=path)
    yield ok("contract", f"{path}, {len(terms.columns)} columns")


def store(project: Project) -> Iterator[Finding]:
    """Bundles have a place that outlives a job; nothing is said where none is named."""
    named = project.config.store
    place = store_place(named)
    if place is not None and place.kind == "folder" and is_set(project) and not Path(named).is_absolute():
        mend = "Leave `store` out or write github-release (docs/store.md)."
        yield note(
            "store", f"{named} is lost with a runner: the workflow mlops release cannot keep bundles there", mend
        )


def code(project: Project) -> Iterator[Finding]:
    """The training function's file and the model tests."""
    train = project.config.train
    if train is None:
        mend = "Set train: in mlops.yaml, or give `check --predictions FILE`."
        yield note("training", "mlops.yaml says nothing of training", mend)
    elif train.entrypoint:
        module = train.entrypoint.partition(":")[0].replace(".", "/")
        there = [name for name in (f"{module}.py", f"{module}/__init__.py") if (project.root / name).is_file()]
        mend = f"Write {module}.py with the function, or mend train.entrypoint."
        yield ok("training", there[0]) if there else missing("training", f"{module}.py is not there", mend)
    else:
        yield ok("training", f"by {train.rung}")
    tests = sorted((project.root / "tests" / "model").glob("test_*.py"))
    mend = "Write what the model must always do as pytest in tests/model."
    yield ok("model tests", f"{len(tests)} in tests/model") if tests else note("model tests", "none", mend)


def locks(project: Project) -> Iterator[Finding]:
    """The project's lock and the tool's, with hashes."""
    name = next((lock for lock in _LOCKS if (project.root / lock).is_file()), None)
    if name is None:
        mend = "uv pip compile --universal --generate-hashes requirements.in -o requirements.lock"
        yield note("environment", "not locked: the active Python is used", mend)
    else:
        if name == "requirements.lock":
            check_hashes(read_text(project.root / name) or "", file=name)
        yield ok("environment", f"{name}, Python {wanted_python(project.root)}")
    tool = read_text(project.repository.root / TOOL_LOCK)
    if tool is None:
        yield missing("tool", f"{TOOL_LOCK} is not there: CI cannot install mlops-ci", "mlops-ci workflows --update")
    elif not has_hashes(tool):
        mend = f"echo mlops-ci==VERSION | uv pip compile --universal --generate-hashes - -o {TOOL_LOCK}"
        mend += ", at the root of the repository" if project.folder else ""
        yield missing("tool", f"{TOOL_LOCK} has no hashes: CI cannot install mlops-ci", mend)
    else:
        yield ok("tool", TOOL_LOCK)


def workflows(project: Project) -> Iterator[Finding]:
    """The generated workflows are in step with the settings."""
    for each in generated.look(project.repository).files:
        name = each.path.rsplit("/", 1)[-1]
        if each.state is State.CURRENT:
            yield ok(name, "in step with the settings" + (", with edits of yours" if each.edits else ""))
        elif each.state in (State.EDITED, State.UNKNOWN):
            yield note(name, "edited by hand", "mlops-ci workflows --diff")
        elif each.state is State.DELETED:
            yield note(name, "deleted by a commit", f"Revert that commit, if it was not meant: git log -- {each.path}")
        else:
            yield missing(name, str(each.state), "mlops-ci workflows --update")


def uv(_project: Project) -> Iterator[Finding]:
    """Uv, which makes the project's environment, starts."""
    with tempfile.TemporaryDirectory(prefix="mlops-ci-") as name:
        command = [sys.executable, "-m", "uv", "--version"]
        log = Path(name) / "log"
        finished = run(command, cwd=Path(name), environment=uv_environment(), log=log, limits=Limits(seconds=30))
    if finished.succeeded:
        yield ok("uv", finished.log.strip().removeprefix("uv "))
    else:
        yield missing("uv", "it does not start", "Install mlops-ci again: uv comes with it.")


def looked(name: str, look: Callable[[Project], Iterator[Finding]], project: Project) -> Iterator[Finding]:
    """One look; what stops it is what it found."""
    try:
        yield from look(project)
    except MlopsCiError as error:
        yield _from_error(name, error)


def _from_error(name: str, error: MlopsCiError) -> Finding:
    place = f"{error.where}: " if error.where else ""
    return missing(name, f"{place}{error.message}", error.advice)
