"""Wheels of this checkout, also as other versions: what a package index would have."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import uv

from mlops_ci import __version__
from tests.helpers import git

ROOT = Path(__file__).parents[1]


def wheel(into: Path, version: str = __version__, *changes: tuple[str, str, str]) -> None:
    """Build one into a folder; `changes`: of files, each an old text and a new one."""
    source = into.parent / f"source-{into.name}-{version}"
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")[:-1]:
        if name.startswith(("mlops_ci/", "templates/", "example_project/")) or "/" not in name:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    for name, old, new in (("mlops_ci/__init__.py", f'"{__version__}"', f'"{version}"'), *changes):
        text = (source / name).read_text(encoding="utf-8")
        assert old in text, name
        (source / name).write_text(text.replace(old, new), encoding="utf-8")
    command = [uv.find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", into, source]
    subprocess.run(command, check=True, capture_output=True)


def offered(dist: Path) -> dict[str, str]:
    """Variables for uv: the wheels in `dist`, packages from the cache of this machine, the Python of this process."""
    cache = subprocess.run([uv.find_uv_bin(), "cache", "dir"], check=True, capture_output=True, text=True)
    return {"UV_FIND_LINKS": str(dist), "UV_CACHE_DIR": cache.stdout.strip(), "UV_PYTHON": sys.executable}
