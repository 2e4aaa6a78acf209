"""Locks with hashes, made by uv: the project's requirements, and the tool itself for CI."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from mlops_ci import __version__
from mlops_ci.edge.processes import Limits, run

TOOL = f"mlops-ci=={__version__}\n"
TOOL_LOCK = ".mlops-ci/tool.lock"
"""At the root of the repository: one judge for all its projects."""
OLDEST = "3.11"
"""A lock serves every Python from here on, so that a desk's own version does not decide for CI."""
_SECONDS = 120
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "NETRC", "LD_LIBRARY_PATH")
_PREFIXES = ("UV_", "SSL_CERT_", "XDG_", "HTTP_", "HTTPS_", "NO_PROXY", "ALL_PROXY")


def locked(requirements: str) -> str | None:
    """The text of a lock with hashes for every platform, or None where uv could not make one (no network, no index)."""
    with tempfile.TemporaryDirectory(prefix="mlops-ci-") as name:
        folder = Path(name)
        (folder / "requirements.in").write_text(requirements, encoding="utf-8")
        options = ("--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header")
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
        out = folder / "out.lock"
        return out.read_text(encoding="utf-8") if finished.succeeded and out.is_file() else None


def tool_lock(text: str | None) -> str:
    """The text of TOOL_LOCK: what CI installs. Without hashes CI refuses it, and says so."""
    head = "# The version of mlops-ci that judges this repository; CI installs exactly this.\n"
    if text:
        return head + text
    wanted = TOOL.strip()
    return (
        f"{head}# There are no hashes yet, so CI will refuse it. Once the package index has it:\n"
        f"# echo {wanted} | uv pip compile --universal --generate-hashes - -o {TOOL_LOCK}\n"
        f"{wanted}\n"
    )


def uv_environment() -> dict[str, str]:
    """What uv is shown: how to reach an index, and no other secrets."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or name.upper().startswith(_PREFIXES)}
