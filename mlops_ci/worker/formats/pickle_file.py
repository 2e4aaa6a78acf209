"""Pickle: the file as it is, only where it was asked for. It runs code when it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import models
from .attempt import Chosen, Judged


def write(judged: Judged, request: dict[str, Any]) -> Chosen:
    """Written anew and compared, as a model may answer differently after it was kept. Raises Failure or Refused."""
    output = Path(request["output"])
    file = models.save(judged.model, output)["file"]
    again = models.load(str(output / file), task=judged.task)
    return Chosen(file, judged.compare(again))
