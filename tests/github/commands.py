"""Steps of workflow files that are one command of mlops-ci, whichever way they name the program."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any


def words(step: Mapping[str, Any]) -> list[str]:
    """What stands after the program; empty: the step is something else."""
    lines = str(step.get("run", "")).splitlines()
    found = shlex.split(lines[0]) if len(lines) == 1 else []
    return found[1:] if found and PurePosixPath(found[0]).name == "mlops-ci" else []
