"""The project's environment: made by uv from its lock, or the active one where there is none."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import msgspec

from mlops_ci.edge import files, uv
from mlops_ci.edge.files import temporary
from mlops_ci.edge.processes import Limits
from mlops_ci.edge.processes import run as run_program
from mlops_ci.errors import ConfigError, OutsideError

_READY = "mlops-ci-ready.json"
_LOCKS = ("requirements.lock", "uv.lock")
_VERSION = re.compile(r"[0-9A-Za-z.,<>=!~*@+ -]{1,80}")
_REQUIREMENT = re.compile(r"[A-Za-z0-9]")

# Asked of a Python that is not ours: its version and what is installed, with the standard library alone.
_QUESTION = """
import importlib.metadata as m, json, sys
names = {d.metadata["Name"]: d.version for d in m.distributions() if d.metadata["Name"]}
print("\\nmlops-ci:" + json.dumps({"python": ".".join(map(str, sys.version_info[:3])), "packages": names}))
"""


class ProjectEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """Where the project's code runs. `packages`: distribution, in lower case with dashes -> version.

    `digest`, 64 hex digits: where `locked` over the lock and Python's minor version, else over all that is installed.
    """

    python: Path
    digest: str
    locked: bool
    packages: dict[str, str]
    version: str
    source: str
    """requirements.lock, uv.lock, or the words for an environment that is not locked."""


class _Installed(msgspec.Struct, frozen=True):
    python: str
    packages: dict[str, str]


Say = Callable[[str], None]


def resolve(root: Path, into: Path, *, say: Say) -> ProjectEnvironment:
    """The environment of the project at `root`; a locked one is made once, below `into`, and used again.

    Raises ConfigError for a lock without hashes, OutsideError when uv cannot make the environment.
    """
    for name in _LOCKS:
        lock = root / name
        if lock.is_file():
            return _locked(root, lock, into, say)
    return _active(root)


def _locked(root: Path, lock: Path, into: Path, say: Say) -> ProjectEnvironment:
    content = lock.read_bytes()
    if lock.name == "requirements.lock":
        check_hashes(content.decode("utf-8", "replace"), file=lock.name)
    wanted = wanted_python(root)
    place = into / _hash(content, wanted.encode(), sys.platform.encode())[:16]
    installed = _ready(place)
    if installed is None:
        into.mkdir(parents=True, exist_ok=True)
        with _only_one(place.with_suffix(".lock"), say):
            installed = _ready(place) or _make(root, lock, place, wanted, say)
    minor = ".".join(installed.python.split(".")[:2])
    return ProjectEnvironment(
        python=_python_of(place),
        digest=_hash(content, minor.encode()),
        locked=True,
        packages=installed.packages,
        version=installed.python,
        source=lock.name,
    )


def check_hashes(text: str, *, file: str) -> None:
    """Every requirement must name its hashes. Raises ConfigError naming the first line that does not."""
    logical, first = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        first = first if logical else number
        logical += " " + re.sub(r"(^|\s)#.*", "", line).removesuffix("\\").strip()
        if line.rstrip().endswith("\\"):
            continue
        if _REQUIREMENT.match(logical.strip()) and "--hash=" not in logical:
            raise ConfigError(
                f"{logical.split()[0]} has no --hash",
                "lock with hashes: uv pip compile --generate-hashes requirements.in -o requirements.lock",
                where=f"{file}:{first}",
            )
        if logical.split()[:1] in (["-e"], ["--editable"], ["-r"], ["--requirement"]):
            raise ConfigError(
                f"{logical.strip()} has no hash", "a lock names every package itself", where=f"{file}:{first}"
            )
        logical = ""


def wanted_python(root: Path) -> str:
    """`.python-version`, else requires-python of pyproject.toml, else the version the tool itself runs on."""
    pinned = root / ".python-version"
    if pinned.is_file():
        lines = [line.strip() for line in pinned.read_text(encoding="utf-8", errors="replace").splitlines()]
        found = next((line for line in lines if line and not line.startswith("#")), "")
        return _checked(found, ".python-version")
    project = root / "pyproject.toml"
    if project.is_file():
        try:
            settings = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"it is no TOML: {error}", "mend that place", where="pyproject.toml") from error
        if isinstance(settings, dict) and settings.get("requires-python"):
            return _checked(str(settings["requires-python"]), "pyproject.toml: project.requires-python")
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _checked(text: str, where: str) -> str:
    if not _VERSION.fullmatch(text) or text.startswith("-"):
        raise ConfigError(f"{text!r} is no version of Python", "write 3.12, for example", where=where)
    return text


def _make(root: Path, lock: Path, place: Path, wanted: str, say: Say) -> _Installed:
    """Made where it stays, since an environment cannot be moved; whole once the ready file is there."""
    say(f"making the project's environment from {lock.name}")
    if place.exists():
        shutil.rmtree(place)
    try:
        with temporary() as folder:
            installed = _installed(root, lock, place, wanted, folder / "log.txt")
        files.write(place / _READY, msgspec.json.encode(installed))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return installed


def _installed(root: Path, lock: Path, place: Path, wanted: str, log: Path) -> _Installed:
    uv.call(["venv", "--quiet", "--no-project", "--python", wanted, str(place)], root, log)
    python = _python_of(place)
    if lock.name == "uv.lock":
        # Without the project itself: its code is imported from the checkout that is judged.
        arguments = ["sync", "--quiet", "--frozen", "--no-install-project", "--compile-bytecode"]
        uv.call(arguments, root, log, UV_PROJECT_ENVIRONMENT=str(place))
    else:
        options = ["--quiet", "--require-hashes", "--compile-bytecode", "--python", str(python)]
        uv.call(["pip", "sync", *options, str(lock)], root, log)
    return _ask(python, log)


@contextmanager
def _only_one(path: Path, say: Say) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another mlops-ci that makes the project's environment")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ready(place: Path) -> _Installed | None:
    if not _python_of(place).exists():  # restored on a machine that has another Python
        return None
    try:
        return msgspec.json.decode((place / _READY).read_bytes(), type=_Installed)
    except (OSError, msgspec.DecodeError):
        return None


def _active(root: Path) -> ProjectEnvironment:
    python, source = _active_python(root)
    with temporary() as folder:
        installed = _ask(python, folder / "log.txt")
    listed = msgspec.json.encode(sorted(installed.packages.items()))
    return ProjectEnvironment(
        python=python,
        digest=_hash(listed, installed.python.encode()),
        locked=False,
        packages=installed.packages,
        version=installed.python,
        source=source,
    )


def _active_python(root: Path) -> tuple[Path, str]:
    """The activated environment, else .venv of the project, else the tool's own when the project lives there too,
    else the python on PATH.
    """
    activated = os.environ.get("VIRTUAL_ENV")
    if activated and _python_of(Path(activated)).exists():
        return _python_of(Path(activated)), "the active environment"
    if _python_of(root / ".venv").exists():
        return _python_of(root / ".venv"), "the environment in .venv"
    # The tool does not need pandas: where it finds it, somebody put the project's packages beside it.
    if find_spec("pandas") is not None:
        return Path(sys.executable), "the environment mlops-ci is installed in"
    own = str(Path(sys.executable).parent)
    others = os.pathsep.join(part for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if part != own)
    found = shutil.which("python", path=others) or shutil.which("python3", path=others)
    if found:
        return Path(found), "the python on PATH"
    return Path(sys.executable), "the environment mlops-ci is installed in"


def _ask(python: Path, log: Path) -> _Installed:
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LD_LIBRARY_PATH")}
    limits = Limits(seconds=120)
    finished = run_program(
        [str(python), "-I", "-c", _QUESTION], cwd=log.parent, environment=environment, log=log, limits=limits
    )
    _, found, answer = finished.log.rpartition("mlops-ci:")
    if not finished.succeeded or not found:
        raise OutsideError(
            f"{python.name} does not start:\n{finished.log.strip()[-2000:]}", "is the environment whole?"
        )
    installed = msgspec.json.decode(answer, type=_Installed)
    packages = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in installed.packages.items()}
    return _Installed(installed.python, dict(sorted(packages.items())))


def _python_of(place: Path) -> Path:
    return place / "bin" / "python"


def _hash(*parts: bytes) -> str:
    """Sha256 over the parts, each with its length before it."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
