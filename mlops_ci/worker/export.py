"""The job `export`: a judged model as a file for a release, in a format whose answers are the model's own."""

from __future__ import annotations

import sys
from typing import Any

from . import fit


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Asks: kit (folder, or empty: nothing converts), model, features, task, classes, target, id as the job `predict`.

    nullable: columns that may lack values; kind: of the target; format: auto, onnx, skops, pickle or pyfunc;
    trusted: types skops may build; output.
    Answers the format chosen, the file, what was tried, and how far its answers are from the model's.
    """
    fit.need_pandas("the model")
    # Before the project's own packages: these versions are known to work together.
    if request["kit"]:
        sys.path.insert(0, request["kit"])
    from .formats import choose

    return choose.run(request)
