"""The job `predict`: open a model and ask it about every row."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from . import fit


def run(request: dict[str, Any]) -> dict[str, Any]:
    """model, features (folder), task, classes, target, id, output (folder) -> labels.npy and scores.npy in it.

    batch: how many rows are asked at once; left out or None: all of them.
    """
    fit.need_pandas("the model")
    import numpy as np

    from . import answers, batches, frames, models, tables

    model = models.load(request["model"], task=request["task"])
    frame = frames.read(Path(request["features"]))
    asked = tables.select(frame, model, target=request["target"], ids=request["id"])
    if request.get("batch"):
        model = batches.InBatches(model, int(request["batch"]))
    started = time.perf_counter()
    found = answers.ask(model, asked, task=request["task"], classes=request["classes"])
    seconds = time.perf_counter() - started
    output = Path(request["output"])
    output.mkdir(parents=True, exist_ok=True)
    frames.save(output / "labels.npy", found.labels)
    if found.scores is not None:
        frames.save(output / "scores.npy", np.ascontiguousarray(found.scores))
    return {
        "rows": len(asked),
        "features": [str(name) for name in asked.columns],
        "score_kind": found.score_kind,
        "unseen": found.unseen,
        "seconds": round(seconds, 3),
    }
