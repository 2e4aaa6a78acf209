"""What went wrong in the project's code, told in its own lines."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = str(Path(__file__).resolve().parent) + os.sep
_LONGEST = 16_000
_DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "dotenv": "python-dotenv",
}
ADD = "add {} to your requirements and lock them again"


class Failure(Exception):  # noqa: N818 - the noun of the protocol
    """The job cannot answer. `kind`: raised, exit, memory, entrypoint, package, unusable, pickle, outside or bug."""

    def __init__(self, kind: str, message: str, advice: str = "", *, where: str = "", details: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.advice = advice
        self.where = where
        self.details = details

    def fields(self) -> dict[str, str]:
        """As the protocol writes it, each text of bounded length."""
        return {
            "kind": self.kind,
            "message": _shorten(self.message, 2_000),
            "advice": _shorten(self.advice, 2_000),
            "where": _shorten(self.where, 500),
            "details": _shorten(self.details, _LONGEST),
        }


@contextlib.contextmanager
def user_code(doing: str) -> Iterator[None]:
    """Turn whatever the project's code raises into a Failure. `doing` starts the sentence: `training`."""
    try:
        yield
    except Failure:
        raise
    except ModuleNotFoundError as error:
        raise (missing_package(error) or raised(doing, error)) from None
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are the project's too
        raise raised(doing, error) from None


def raised(doing: str, error: BaseException) -> Failure:
    """The Failure for an exception that came out of the project's code."""
    where, details = place(error), own_traceback(error)
    if isinstance(error, SystemExit):
        code = error.code if error.code is not None else 0
        return Failure(
            "exit",
            f"{doing} called exit({_safe(code)!s}) instead of returning",
            "return from the function; raise an exception if something is wrong",
            where=where,
            details=details,
        )
    text = _safe(error)
    message = f"{doing} raised {type(error).__name__}" + (f": {text}" if text else "")
    if isinstance(error, MemoryError):
        return Failure("memory", message, "use less memory, or a machine with more of it", where=where, details=details)
    return Failure("raised", message, where=where, details=details)


def missing_package(error: ModuleNotFoundError) -> Failure | None:
    """The Failure for an import of something that is neither in the project nor in its environment."""
    name = (error.name or "").partition(".")[0]
    if not name or Path(name).is_dir() or Path(name + ".py").is_file():
        return None
    distribution = _DISTRIBUTIONS.get(name, name)
    return Failure(
        "package",
        f"{name} is imported, and the project's environment does not have it",
        ADD.format(distribution),
        where=place(error),
        details=own_traceback(error),
    )


def place(error: BaseException) -> str:
    """`pipeline/train.py:12`: the last line of the project's own that was running, or nothing."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{relative(error.filename)}:{error.lineno}"
    lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    for filename, line in reversed(lines):
        if in_project(filename):
            return f"{relative(filename)}:{line}"
    return ""


def in_project(filename: str) -> bool:
    """Whether a file is the project's own: below the working directory and not in an environment there."""
    path = Path(relative(filename))
    outside = path.is_absolute() or filename.startswith("<") or ".." in path.parts
    return not outside and "site-packages" not in path.parts


def own_traceback(error: BaseException) -> str:
    """The traceback without our frames and the import machinery's, files named from the project's root."""
    whole = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    pending: list[traceback.TracebackException | None] = [whole]
    while pending:
        part = pending.pop()
        if part is not None and id(part) not in seen:
            seen.add(id(part))
            _trim(part)
            pending += [part.__cause__, part.__context__]
    return "".join(whole.format())


def _trim(part: traceback.TracebackException) -> None:
    if getattr(part, "filename", None):  # of a SyntaxError
        part.filename = _shown(part.filename)
    frames = [frame for frame in part.stack if not frame.filename.startswith(_OURS) and not _imports(frame.filename)]
    for frame in frames:
        _ = frame.line  # reads the source while the name is still the real one
        frame.filename = _shown(frame.filename)
    part.stack[:] = frames


def _imports(filename: str) -> bool:
    return filename.startswith("<frozen importlib") or filename.endswith(os.path.join("importlib", "__init__.py"))  # noqa: PTH118


def relative(filename: str) -> str:
    """A file of the project named from its root; any other as it is."""
    root = str(Path.cwd()) + os.sep
    return filename[len(root) :] if filename.startswith(root) else filename


def _shown(filename: str) -> str:
    """Without the folders of this machine: `pipeline/train.py`, `pandas/core/frame.py`, `json/decoder.py`."""
    if in_project(filename):
        return relative(filename)
    for folder in ("site-packages", "dist-packages", f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        _, found, rest = filename.rpartition(os.sep + folder + os.sep)
        if found:
            return rest
    return filename


def _safe(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a hostile __str__
        return f"<{type(value).__name__} that cannot be shown>"


def _shorten(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = longest // 2
    return text[:half] + "\n[cut]\n" + text[-half:]
