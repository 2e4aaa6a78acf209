"""Writes zip archives that are the same bytes for the same content: names sorted, one time, one mode."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIME = (1980, 1, 1, 0, 0, 0)
_FILE = 0o100644 << 16  # the mode of a plain file that everybody may read


def write(into: IO[bytes], entries: Mapping[str, Path | bytes]) -> None:
    """Write `entries`, posix path -> file or content."""
    with zipfile.ZipFile(into, "w") as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = _FILE
            content = entries[name]
            archive.writestr(entry, content if isinstance(content, bytes) else content.read_bytes())
