"""Libraries of a lock for another machine: wheels only, with their hashes, laid into a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.edge import files, uv

if TYPE_CHECKING:
    from pathlib import Path

_PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
ARCHITECTURES = tuple(_PLATFORMS)
_LEFT_OUT = ("__pycache__", "bin", "tests")
"""Folders that nothing is imported from."""


def lay(lock: str, into: Path, *, python: str, architecture: str) -> dict[str, Path]:
    """Path below `into` -> file, of what the lock names, for a Linux with Python `python`. OutsideError where that
    cannot be had.
    """
    with files.temporary() as scratch:
        (scratch / "requirements.lock").write_text(lock, encoding="utf-8")
        options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-config"]
        options += ["--python-version", python, "--python-platform", _PLATFORMS[architecture], "--target", str(into)]
        arguments = ["pip", "install", *options, "--requirements", str(scratch / "requirements.lock")]
        uv.call(arguments, scratch, scratch / "log.txt", making=f"the libraries for Python {python} on {architecture}")
    found = {path.relative_to(into).as_posix(): path for path in sorted(into.rglob("*")) if path.is_file()}
    return {name: path for name, path in found.items() if _wanted(name)}


def _wanted(name: str) -> bool:
    """Not what is never imported, nor what says how and when it was installed."""
    *folders, last = name.split("/")
    installed = last in ("RECORD", "INSTALLER", "REQUESTED", "uv_cache.json", "direct_url.json", ".lock")
    return not installed and last not in ("CACHEDIR.TAG",) and not set(folders) & set(_LEFT_OUT)
