"""Is a generated file still what was generated: current, missing, outdated, or edited by hand."""

from __future__ import annotations

import difflib
import hashlib
import json
from enum import StrEnum

import msgspec

from mlops_ci.errors import ConfigError
from mlops_ci.workflows.pins import with_newer_pins, without_pins


class State(StrEnum):
    """What is true of one generated file."""

    CURRENT = "current"
    MISSING = "missing"
    OUTDATED = "outdated"
    EDITED = "edited"


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """One generated file: its state, and the text it would get (newer pins in the file are kept)."""

    path: str
    state: State
    text: str
    difference: str

    @property
    def is_written(self) -> bool:
        """Whether an update writes it."""
        return self.state in (State.MISSING, State.OUTDATED)


class GeneratedLock(msgspec.Struct, frozen=True, kw_only=True):
    """`.mlops-ci/generated.lock`: what was generated last. `files`: path -> sha256 of the text without its pins."""

    default_branch: str
    files: dict[str, str] = {}


def compare(path: str, *, mine: str | None, made: str, lock: GeneratedLock | None) -> Generated:
    """The state of the file at `path` that holds `mine`, where the tool would now write `made`."""
    if mine is None:
        return Generated(path=path, state=State.MISSING, text=made, difference=difference(path, "", made))
    text = with_newer_pins(made, mine)
    if without_pins(mine) == without_pins(made):
        state = State.CURRENT if text == mine else State.OUTDATED
    elif lock and lock.files.get(path) == _digest(mine):
        state = State.OUTDATED
    else:
        state = State.EDITED
    return Generated(path=path, state=state, text=text, difference=difference(path, mine, text))


def difference(path: str, before: str, after: str) -> str:
    """A unified diff, empty where nothing differs."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def lock_text(default_branch: str, files: dict[str, str], *, kept: dict[str, str] | None = None) -> str:
    """The lock file for generated texts; `kept`: digests of files that stay as they were locked."""
    digests = (kept or {}) | {path: _digest(text) for path, text in files.items()}
    return json.dumps({"default_branch": default_branch, "files": digests}, indent=2, sort_keys=True) + "\n"


def parse_lock(text: str, *, file: str) -> GeneratedLock:
    """The lock, or ConfigError where it is not one."""
    try:
        return msgspec.json.decode(text, type=GeneratedLock)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"not a lock of generated files: {error}", "Delete it, then: mlops-ci workflows --update", where=file
        ) from error


def _digest(text: str) -> str:
    return hashlib.sha256(without_pins(text).encode()).hexdigest()
