"""The packages that convert a model, beside the project's own: laid into a folder once for each lock and Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci import exporter
from mlops_ci.edge import beside, files
from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.edge.environment import ProjectEnvironment

_LOCK = Path(exporter.__file__).resolve().parent / "requirements.lock"
_SIZE = "about 110 MB"
_OLDEST = (3, 11)


def digest() -> str:
    """Of the lock, 64 hex digits: what the answers of a converter depend on besides the model."""
    return files.sha256(_LOCK)


def lock() -> str:
    """What it installs, with hashes: skops is read by the version that wrote a file."""
    return _LOCK.read_text(encoding="utf-8")


def install(environment: ProjectEnvironment, say: Callable[[str], None]) -> Path:
    """The folder to put in front of the imports of the project's Python; `say` is told when it has to be filled.

    It lies in the user's cache folder and serves every project. Raises OutsideError when it cannot be made.
    """
    minor = ".".join(environment.version.split(".")[:2])
    if tuple(map(int, minor.split("."))) < _OLDEST:
        raise OutsideError(
            f"the project's Python is {environment.version}, and what converts models needs 3.11 or a later one",
            "Raise .python-version or requires-python, and lock again; or write `format: pickle` under `package:`.",
        )
    # Only what the lock names: scikit-learn, numpy, scipy and pandas are those the model was made with.
    return beside.lay(_LOCK, "exporter", environment, lambda: say(f"installing what converts models, {_SIZE}, once"))
