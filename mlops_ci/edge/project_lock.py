"""The text of the project's lock as pip reads it: what it says of every library, without asking an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.edge import uv
from mlops_ci.edge.files import temporary

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.edge.environment import ProjectEnvironment

_EXPORT = ("export", "--quiet", "--frozen", "--offline", "--no-emit-project", "--no-header")


def text(root: Path, environment: ProjectEnvironment) -> str:
    """Of requirements.lock as it is, of uv.lock as uv writes it out; empty where nothing is locked."""
    if not environment.locked:
        return ""
    if environment.source != "uv.lock":
        return (root / environment.source).read_text(encoding="utf-8")
    with temporary() as folder:
        out = folder / "requirements.txt"
        options = ("--format", "requirements-txt", "--python", str(environment.python), "--output-file", str(out))
        uv.call([*_EXPORT, *options], root, folder / "log.txt", making="a list of what uv.lock holds")
        return out.read_text(encoding="utf-8")
