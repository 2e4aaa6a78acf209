"""Environments of a bundle with one library in a later version: everything else stays as near its lock as it fits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.edge import environment, files, uv
from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlops_ci.edge.environment import ProjectEnvironment

_LOCK = "requirements.lock"
_NONE = ("no solution found", "not found in the package registry")


class NoSuchVersionError(OutsideError):
    """The index was asked and has no version that fits."""


def environment_with(
    bundle: Path, wanted: str, names: Iterable[str], *, python: str, say: Callable[[str], None]
) -> ProjectEnvironment:
    """The environment of a bundle with `wanted` (`scikit-learn>1.9.1,<1.10`) and the other libraries of its lock.

    names: those libraries; python: `3.11`. NoSuchVersionError where there is none, OutsideError where the index cannot
    be asked or the environment cannot be made.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlops-ci" / "neighbours"
    with files.temporary() as folder:
        (folder / "in.txt").write_text("".join(f"{one}\n" for one in (wanted, *names)), encoding="utf-8")
        (folder / _LOCK).write_bytes((bundle / _LOCK).read_bytes())  # what stands there is preferred
        (folder / ".python-version").write_text(f"{python}\n", encoding="utf-8")
        options = ("--quiet", "--generate-hashes", "--no-emit-index-url", "--no-header", "--only-binary", ":all:")
        arguments = ["pip", "compile", *options, "--python-version", python, "in.txt", "-o", _LOCK]
        try:
            uv.call(arguments, folder, folder / "log.txt", making=f"an environment with {wanted}")
        except OutsideError as error:
            if any(sign in error.message.lower() for sign in _NONE):
                raise NoSuchVersionError(error.message, error.advice) from None
            raise
        return environment.resolve(folder, caches, say=say)
