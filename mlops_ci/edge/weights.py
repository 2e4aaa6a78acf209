"""What the libraries of an environment weigh: the files that each of them says it brought, as they lie there."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path


def weights(python: Path) -> dict[str, int]:
    """Library -> bytes, without what Python compiled. `python`: that of a virtual environment."""
    places = [str(path) for path in python.parent.parent.glob("lib/python3*/site-packages")]
    found = {}
    for each in distributions(path=places):
        files = [Path(str(each.locate_file(file))) for file in each.files or () if file.suffix != ".pyc"]
        name = re.sub(r"[-_.]+", "-", each.metadata["Name"] or "").lower()
        found[name] = sum(path.stat().st_size for path in files if path.is_file())
    return found
