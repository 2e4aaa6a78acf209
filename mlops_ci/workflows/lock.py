"""`.mlops-ci/generated.lock`: what was generated last, so that an update can tell a person's edits from the tool's.

Texts are kept line by line: a pull request shows what an update changed, and two branches merge it as they merge text.
"""

from __future__ import annotations

import hashlib
import json

import msgspec

from mlops_ci.errors import ConfigError

VERSION = 2


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it was generated last: by which mlops-ci, from which settings.

    `edited`: digest of the file with the edits that an update has met; empty where there were none.
    """

    made_by: str
    settings: dict[str, object]
    edited: str = ""
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """What was generated, with LF at the end of every line."""
        return "".join(f"{line}\n" for line in self.lines)


class GeneratedLock(msgspec.Struct, frozen=True, kw_only=True):
    """`files`: by path; version 1 had a digest of the text without pins."""

    default_branch: str
    version: int = 1
    files: dict[str, Recorded | str] = {}


def digest(text: str) -> str:
    """sha256, 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def parse(text: str, *, file: str) -> GeneratedLock:
    """The lock, of any version until now; ConfigError where it is none."""
    try:
        lock = msgspec.json.decode(text.encode("utf-8", "surrogateescape"), type=GeneratedLock)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"not a lock of generated files: {error}",
            f"Bring it back from git: git checkout HEAD -- {file}",
            where=file,
        ) from error
    if lock.version > VERSION:
        raise ConfigError(
            f"version {lock.version} of generated.lock needs a newer mlops-ci than this one",
            "Install the mlops-ci of .mlops-ci/tool.lock.",
            where=file,
        )
    return lock


def written(lock: GeneratedLock) -> str:
    """The lock as text: one line of a file on one line of it."""
    files = dict(sorted(lock.files.items()))
    plain = msgspec.to_builtins(msgspec.structs.replace(lock, version=VERSION, files=files))
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
