"""The serving runtime: handed into bundles as files, and run from them in an environment made from their own lock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from mlops_ci import serving
from mlops_ci.edge import beside, environment
from mlops_ci.edge.files import temporary
from mlops_ci.edge.processes import Limits, user_environment
from mlops_ci.edge.processes import run as run_program
from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = "mlops_ci_serving"
LOCK = "requirements.lock"
PROGRAMS = ("httptools", "msgspec", "uvicorn", "uvloop")
"""Of the lock, what serves whatever the format of the model is."""
RANGES = {
    "click": ">=7.0",
    "h11": ">=0.8",
    "httptools": ">=0.6.3",
    "msgspec": ">=0.18",
    "numpy": ">=1.25",
    "packaging": ">=17.0",
    "pandas": ">=2.0",
    "prettytable": ">=3.9",
    "uvicorn": ">=0.34",
    "uvloop": ">=0.15.1",
}
"""The versions that the runtime, and what it is made of, work with: those of the project's libraries are kept."""
_FOLDER = Path(serving.__file__).resolve().parent
_SECONDS = 120.0
_TRUST = "MLOPS_CI_TRUST"


class Conforms(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says that answered its own golden requests; `error`: why it did not, or not as it was judged."""

    fingerprint: str = ""
    golden: int = 0
    """Requests that were asked."""
    error: Problem | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    message: str


def files() -> dict[str, bytes]:
    """Path in the bundle -> content."""
    found = {path.relative_to(_FOLDER).as_posix(): path for path in sorted(_FOLDER.rglob("*.py"))}
    return {f"serve/{PACKAGE}/{name}": path.read_bytes() for name, path in found.items()}


def lock() -> str:
    """The requirements of a bundle whose model is ONNX, with hashes."""
    return (_FOLDER / LOCK).read_text(encoding="utf-8")


def kit(name: str) -> Path:
    """The lock of what a part of the runtime needs beside a bundle's own lock."""
    return _FOLDER / name / LOCK


def named_trust() -> Path | None:
    """The public key that the environment names; None: it demands nobody's signature."""
    named = os.environ.get(_TRUST)
    return Path(named) if named else None


def trusting(found: environment.ProjectEnvironment, trust: Path | None, say: Callable[[str], None]) -> dict[str, str]:
    """The variables of a process that must demand a signature by a public key; without a key none.

    PYTHONPATH is where the library lies that checks it: only who demands one installs it.
    """
    if trust is None:
        return {}
    return {_TRUST: str(trust.absolute()), "PYTHONPATH": str(lay_trust(found, say))}


def lay_trust(found: environment.ProjectEnvironment, say: Callable[[str], None]) -> Path:
    """The folder with what checks and makes signatures, for the imports of an environment."""
    return beside.lay(kit("trust"), "trust", found, lambda: say("installing what checks signatures, 16 MB, once"))


def environment_for(bundle: Path, say: Callable[[str], None]) -> environment.ProjectEnvironment:
    """The bundle's environment, made from its lock once for the machine.

    It lies in the user's cache folder. Raises OutsideError when it cannot be made.
    """
    into = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlops-ci" / "serving"
    try:
        return environment.resolve(bundle, into, say=lambda _: say("making the environment of the bundle, once"))
    except OSError as error:
        raise OutsideError(f"{into} cannot be written: {error.strerror or error}", "Set XDG_CACHE_HOME.") from error


def python_for(bundle: Path, say: Callable[[str], None]) -> Path:
    """The Python of the bundle's environment. Raises OutsideError when it cannot be made."""
    return environment_for(bundle, say).python


def conforms(bundle: Path, python: Path) -> Conforms:
    """Whether the bundle, loaded in a process of its own, answers its golden requests as the judged model did."""
    with temporary() as scratch:
        variables = user_environment(scratch, python=python, threads=1)
        variables |= {"PYTHONPATH": str(bundle / "serve"), "PYTHONDONTWRITEBYTECODE": "1"}
        finished = run_program(
            [str(python), "-s", "-m", PACKAGE, str(bundle), "--check"],
            cwd=scratch,
            environment=variables,
            log=scratch / "log.txt",
            limits=Limits(seconds=_SECONDS),
        )
    lines = finished.log.strip().splitlines()
    try:
        return msgspec.json.decode(lines[-1] if lines else "", type=Conforms)
    except msgspec.DecodeError:
        told = "\n".join(lines[-12:])
        raise OutsideError(f"the bundle does not start:\n{told}", "Is its environment whole?") from None


def become(bundle: Path, options: tuple[str, ...], trust: Path | None, say: Callable[[str], None]) -> NoReturn:
    """Replace this process by the bundle's server. Nothing is written into the bundle.

    trust: the public key whose signature it must have.
    """
    found = environment_for(bundle, say)
    python, demanded = found.python, trusting(found, trust, say)
    paths = [str(bundle / "serve"), *filter(None, [demanded.pop("PYTHONPATH", "")])]
    variables = os.environ | demanded | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    os.execve(python, [str(python), "-s", "-m", PACKAGE, str(bundle), *options], variables)  # noqa: S606 - no shell


def licences() -> dict[str, str]:
    """Library of the lock, and of what opens skops -> SPDX expression."""
    return msgspec.json.decode((_FOLDER / "licences.json").read_bytes(), type=dict[str, str])
