"""Packages that are laid beside an environment: a folder for its imports, filled once for each lock and Python."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.edge import files, uv

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.edge.environment import ProjectEnvironment


def lay(lock: Path, kind: str, environment: ProjectEnvironment, telling: Callable[[], None]) -> Path:
    """The folder with what `lock` names, without what that depends on; `telling` is called when it has to be filled.

    It lies in the user's cache folder, under `kind`, and serves every project. Raises OutsideError when it cannot be
    made.
    """
    minor = ".".join(environment.version.split(".")[:2])
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlops-ci" / kind
    place = caches / hashlib.sha256(f"{files.sha256(lock)} {minor} {sys.platform}".encode()).hexdigest()[:16]
    if not place.is_dir():
        telling()
        _fill(place, lock, environment.python, kind)
    files.touch(place)
    return place


def _fill(place: Path, lock: Path, python: Path, kind: str) -> None:
    options = ["--quiet", "--no-deps", "--require-hashes", "--compile-bytecode", "--python", str(python)]
    with files.folder(place) as fresh, files.temporary() as scratch:
        arguments = ["pip", "install", *options, "--target", str(fresh), "--requirements", str(lock)]
        uv.call(arguments, scratch, scratch / "log.txt", making=f"the packages of the {kind}")
