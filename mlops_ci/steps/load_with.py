"""Whether a bundle, in environments with later versions of what opens its model, answers as it was judged."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlops_ci.edge import neighbours, runtime
from mlops_ci.edge.neighbours import NoSuchVersionError
from mlops_ci.errors import OutsideError
from mlops_ci.packaging import locks
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_ci.steps.bundle import Bundle

CHECK = "bundle_loads_with"
_OPENS = {
    "onnx": ("onnxruntime", "numpy"),
    "skops": ("scikit-learn",),
    "pickle": ("scikit-learn",),
    "pyfunc": ("mlflow", "mlflow-skinny", "scikit-learn", "torch"),
}


def loads_with(bundle: Bundle, format_: str, asked: Sequence[str], say: Callable[[str], None]) -> tuple[Result, ...]:
    """What came of each library and neighbour asked for: patch, minor; `locked` is asked anyway.

    A version that does not exist, or cannot be asked for, is skipped and told.
    """
    lock = locks.read((bundle.folder / "requirements.lock").read_text(encoding="utf-8"), "requirements.lock")
    results: list[Result] = []
    if not set(asked) - {"locked"}:
        return ()
    installed = runtime.environment_for(bundle.folder, say)
    for library in _OPENS[format_]:
        if library in installed.packages:
            for neighbour in (one for one in asked if one != "locked"):
                wanted = next_version(library, installed.packages[library], neighbour)
                others = sorted({pin.name for pin in lock.pins if _fits(pin)} - {library})
                tried = _tried(bundle, wanted, others, library=library, python=installed.version, say=say)
                results.append(tried)
    return tuple(results)


def next_version(library: str, version: str, neighbour: str) -> str:
    """The range of the next patches, or of the next minor: `numpy>2.4.6,<2.5`, `numpy>=2.5,<2.6`."""
    major, minor = (*locks.release(version), 0)[:2]
    if neighbour == "patch":
        return f"{library}>{version},<{major}.{minor + 1}"
    return f"{library}>={major}.{minor + 1},<{major}.{minor + 2}"


def _fits(pin: locks.Locked) -> bool:
    """Not one for another platform alone."""
    return "sys_platform == 'win32'" not in pin.marker or sys.platform == "win32"


def _tried(
    bundle: Bundle, wanted: str, others: Sequence[str], *, library: str, python: str, say: Callable[[str], None]
) -> Result:
    minor = ".".join(python.split(".")[:2])
    try:
        there = neighbours.environment_with(bundle.folder, wanted, others, python=minor, say=say)
        found = runtime.conforms(bundle.folder, there.python)
    except NoSuchVersionError:
        return _result(Status.SKIPPED, f"{wanted}: there is none that fits", wanted)
    except OutsideError as error:
        return _result(Status.SKIPPED, f"{wanted}: could not be asked: {error.message.splitlines()[0]}", wanted)
    version = there.packages[library]
    if found.error is not None:
        return _result(Status.FAILED, f"{library} {version}: {found.error.message}", wanted, version)
    if found.fingerprint != bundle.golden.fingerprint:
        return _result(Status.FAILED, f"{library} {version}: it behaves otherwise than it was judged", wanted, version)
    return _result(Status.PASSED, f"{library} {version}: the judged answers", wanted, version)


def _result(status: Status, message: str, wanted: str, version: str = "") -> Result:
    return Result(
        check=CHECK,
        part=Part.MODEL,
        status=status,
        message=message,
        numbers={"asked": wanted, "version": version or None},
    )
