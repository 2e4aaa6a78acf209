"""Environments of peers: what each brings along must not decide what another takes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import uv

_MODEL = ("scikit-learn", "numpy", "scipy", "joblib")


def trained_with() -> list[str]:
    """The versions here of what a fitted model needs to be opened."""
    return [f"{name}=={version(name)}" for name in _MODEL]


def peer(name: str, *packages: str) -> Path:
    """The Python of a peer: these packages beside what a fitted model needs. Made once, kept in the cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    pins = trained_with()
    return made(cache / "mlops-ci" / "bench" / "-".join([*pins, name]), *pins, *packages)


def made(place: Path, *packages: str) -> Path:
    """The Python of an environment with these packages; one that was finished is taken as it is."""
    python, ready = place / "bin" / "python", place / "ready"
    if not ready.exists():
        shutil.rmtree(place, ignore_errors=True)
        find = uv.find_uv_bin()
        subprocess.run([find, "venv", "--quiet", "--python", sys.executable, place], check=True)
        options = ("--quiet", "--compile-bytecode", "--python", python)
        subprocess.run([find, "pip", "install", *options, *packages], check=True)
        ready.touch()
    return python
