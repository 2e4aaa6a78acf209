"""Folders as GitHub hands them out."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path


def zipped(folder: Path, *, hidden: bool = False) -> bytes:
    """A folder as the zip that upload-artifact makes; `hidden`: its `include-hidden-files`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and (hidden or not any(part.startswith(".") for part in inside.parts)):
                archive.write(path, inside.as_posix())
    return content.getvalue()
