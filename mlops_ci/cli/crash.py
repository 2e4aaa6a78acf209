"""The log of an error nobody expected: versions and traceback, for a bug report."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from mlops_ci import __version__

_LIBRARIES = ("click", "duckdb", "gitpython", "jinja2", "lark", "msgspec", "numpy", "pyyaml", "rich", "uv", "mlflow")


def write_log(error: Exception, words: list[str]) -> Path:
    """Write the log beside the project's state where there is one, else into the temporary folder."""
    import tempfile

    text = _text(error, words)
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.log"
    for folder in (*_state_folders(words), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            path = folder / (name if folder.name == "logs" else f"mlops-ci-{name}")
            with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
                path.chmod(0o600)
                file.write(text)
        except OSError:
            continue
        return path
    return Path("(no folder could be written)")


def _state_folders(words: list[str]) -> tuple[Path, ...]:
    """`.mlops-ci/logs` of the project around; looked for by name only: settings may be what is broken."""
    start = Path(words[words.index("-C") + 1]) if "-C" in words[:-1] else Path()
    around = start.resolve()
    found = next(
        (folder / ".mlops-ci" for folder in (around, *around.parents) if (folder / ".mlops-ci").is_dir()), None
    )
    return (found / "logs",) if found else ()


def _text(error: Exception, words: list[str]) -> str:
    import platform
    import traceback
    from importlib import metadata

    versions = [f"mlops-ci {__version__}", f"python {sys.version}", platform.platform()]
    for library in _LIBRARIES:
        try:
            versions.append(f"{library} {metadata.version(library)}")
        except metadata.PackageNotFoundError:
            continue
    return "\n".join([*versions, "", f"arguments: {words!r}", "", *traceback.format_exception(error)])
