"""ONNX: converted, run by ONNX Runtime over all held-out and hunted rows, and taken where it answers alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import feeds, graph
from .attempt import Chosen, Judged, Refused, first_line

FILE = "model.onnx"
# Values of a missing text, most natural first: scikit-learn's encoders write NaN as this text.
_MISSING = ("nan", "")


def write(judged: Judged, request: dict[str, Any]) -> Chosen:
    """Numbers as float32, and as float64 where float32 is not enough. Raises Refused."""
    unfit = feeds.unfit(judged.model, judged.kinds)
    if unfit:
        raise Refused(unfit)
    text = "text" in judged.kinds.values()
    reasons: list[str] = []
    for number in ("float32", "float64"):
        for missing_text in _MISSING if text else ("",):
            try:
                content, found = _attempt(judged, number, missing_text)
            except Refused as refused:
                reasons += [f"{number}: {reason}" for reason in refused.reasons]
                continue
            (Path(request["output"]) / FILE).write_bytes(content)
            return Chosen(FILE, found.pop("parity"), _once(reasons), found)
    raise Refused(*_once(reasons))


def _attempt(judged: Judged, number: str, missing_text: str) -> tuple[bytes, dict[str, Any]]:
    table = feeds.one_table(judged.model, judged.kinds)
    inputs = feeds.feeds(judged.kinds, number=number, table=table)
    probabilities = judged.found.score_kind == "probability"
    try:
        converted = graph.convert(judged.model, inputs, missing_text=missing_text)
        model = graph.OnnxModel(
            converted.content,
            converted.feeds,
            missing_text=missing_text,
            classes=getattr(judged.model, "classes_", None),
            probabilities=probabilities,
        )
    except Exception as error:  # noqa: BLE001 - a converter raises what it likes, and that is an answer
        raise Refused(f"{type(error).__name__}: {first_line(error)}") from None
    parity = judged.compare(model, cast=np.dtype(number).type)
    wiring = {
        "feeds": [feed.fields() for feed in model.feeds],
        "missing_text": missing_text,
        "label": model.label,
        "scores": model.scores,
    }
    return converted.content, {"parity": parity, "onnx": wiring, "opset": converted.opset}


def _once(reasons: list[str]) -> list[str]:
    return list(dict.fromkeys(reasons))
