"""The job `time`: ask a model about one row at a time and say how long each answer took."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from . import fit

_WARM_UP = 20


def run(request: dict[str, Any]) -> dict[str, Any]:
    """model, features (folder), task, classes, target, id, requests, seconds -> `wall` and `cpu`, seconds a request.

    The rows are asked in turns until `requests` were answered or `seconds` are over, after a few that are not counted.
    An answer is what is judged: label and score. `cpu` counts every thread of the process.
    """
    fit.need_pandas("the model")
    from . import answers, frames, models, tables

    model = models.load(request["model"], task=request["task"])
    frame = frames.read(Path(request["features"]))
    asked = tables.select(frame, model, target=request["target"], ids=request["id"])
    rows = [asked.iloc[[place]].reset_index(drop=True) for place in range(len(asked))]
    for row in rows[:_WARM_UP]:  # the first answers load what is loaded late
        _timed(answers.ask, model, row, request)
    until = time.perf_counter() + request["seconds"]
    found: list[tuple[float, float]] = []
    while len(found) < request["requests"] and (not found or time.perf_counter() < until):
        found.append(_timed(answers.ask, model, rows[len(found) % len(rows)], request))
    return {"wall": [wall for wall, _ in found], "cpu": [cpu for _, cpu in found]}


def _timed(ask: Any, model: Any, row: Any, request: dict[str, Any]) -> tuple[float, float]:
    started, used = time.perf_counter(), time.process_time()
    ask(model, row, task=request["task"], classes=request["classes"])
    return time.perf_counter() - started, time.process_time() - used
