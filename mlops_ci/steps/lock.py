"""Locks with hashes, made by uv: the project's requirements, and the tool itself for CI."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from mlops_ci import __version__
from mlops_ci.edge.processes import Limits, run
from mlops_ci.errors import OutsideError
from mlops_ci.steps.project_files import read_text

UNPINNED = "mlops-ci[docker]"
"""In CI releases get their images, too."""
TOOL = f"{UNPINNED}=={__version__}\n"
TOOL_LOCK = ".mlops-ci/tool.lock"
"""At the root of the repository: one judge for all its projects."""
OLDEST = "3.11"
"""A lock serves every Python from here on, so that a desk's own version does not decide for CI."""
_SECONDS = 120
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "NETRC", "LD_LIBRARY_PATH")
_PREFIXES = ("UV_", "SSL_CERT_", "XDG_", "HTTP_", "HTTPS_", "NO_PROXY", "ALL_PROXY")


def locked(requirements: str) -> str | None:
    """The text of a lock with hashes for every platform, or None where uv could not make one (no network, no index)."""
    text, _ = _compiled(requirements)
    return text


def relocked(requirements: str, *, before: str, upgrade: str) -> str:
    """A lock made from an earlier one: `upgrade` in the newest version there is, the rest as it was where it fits.

    OutsideError where uv cannot make it.
    """
    text, said = _compiled(requirements, "--upgrade-package", upgrade, before=before)
    if text is None:
        last = "\n".join(said.strip().splitlines()[-8:]) or f"it took longer than {_SECONDS} s"
        raise OutsideError(
            f"uv cannot look for a newer {upgrade}:\n{last}",
            "Is the package index reached from here? UV_INDEX_URL names another one. Nothing was changed.",
        )
    return text


def _compiled(requirements: str, *more: str, before: str = "") -> tuple[str | None, str]:
    """The text of the lock, or None, and what uv said."""
    with tempfile.TemporaryDirectory(prefix="mlops-ci-") as name:
        folder = Path(name)
        (folder / "requirements.in").write_text(requirements, encoding="utf-8")
        out = folder / "out.lock"
        if before:
            out.write_text(before, encoding="utf-8")
        options = (*more, "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header")
        finished = run(
            [
                *(sys.executable, "-m", "uv", "pip", "compile", *options, "--python-version", OLDEST),
                *("--only-binary", ":all:", "requirements.in", "-o", "out.lock"),
            ],
            cwd=folder,
            environment=uv_environment(),
            log=folder / "log",
            limits=Limits(seconds=_SECONDS),
        )
        made = out.read_text(encoding="utf-8") if finished.succeeded and out.is_file() else None
        return made, finished.log


def tool_lock(text: str | None) -> str:
    """The text of TOOL_LOCK: what CI installs. Without hashes CI refuses it, and says so."""
    head = "# The version of mlops-ci that judges this repository; CI installs exactly this.\n"
    if text:
        return head + text
    wanted = TOOL.strip()
    return (
        f"{head}# There are no hashes yet, so CI will refuse it. Once the package index has it:\n"
        f"# echo '{wanted}' | uv pip compile --universal --generate-hashes - -o {TOOL_LOCK}\n"
        f"{wanted}\n"
    )


def missing(root: Path) -> dict[str, str]:
    """TOOL_LOCK with its text, where there is none yet, or one that waits for hashes which can be had now."""
    before = read_text(root / TOOL_LOCK)
    if before not in (None, tool_lock(None)):
        return {}
    text = tool_lock(locked(TOOL))
    return {} if text == before else {TOOL_LOCK: text}


def has_hashes(text: str) -> bool:
    """Whether CI installs from that lock."""
    return "--hash=" in text


def uv_environment() -> dict[str, str]:
    """What uv is shown: how to reach an index, and no other secrets."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or name.upper().startswith(_PREFIXES)}
