"""ONNX: converted, run by ONNX Runtime over all held-out and hunted rows, and taken where it answers alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import feeds, graph
from .attempt import Chosen, Judged, Refused, Unconverted, first_line

FILE = "model.onnx"
# Values of a missing text, most natural first: scikit-learn's encoders write NaN as this text.
_MISSING = ("nan", "")


def write(judged: Judged, request: dict[str, Any]) -> Chosen:
    """Numbers as float32, and as float64 where float32 is refused or answers otherwise at a jump. Raises Refused."""
    unfit = feeds.unfit(judged.model, judged.kinds)
    if unfit:
        raise Refused(unfit)
    found, reasons = _best(judged)
    (Path(request["output"]) / FILE).write_bytes(found.pop("content"))
    return Chosen(FILE, found.pop("parity"), _words(reasons), found)


def _best(judged: Judged) -> tuple[dict[str, Any], list[Refused]]:
    """What is taken, and why other ways were not. Raises Refused."""
    found, reasons = _found(judged, "float32")
    effects = found["parity"]["effect_count"] if found else 0
    if found is not None and not effects:
        return found, reasons
    exact, more = _found(judged, "float64")
    # Where nothing is rounded, rounding explains nothing: a converter that still answers otherwise is wrong.
    if exact is None and not (found and all(isinstance(each, Unconverted) for each in more)):
        raise Refused(*_words(reasons + more))
    if found is not None and (exact is None or exact["parity"]["effect_count"]):
        return found, reasons
    assert exact is not None  # noqa: S101 - refused above
    told = (
        [Refused(f"float32: {effects:,} values at jumps of the model fall on the other side")] if effects else reasons
    )
    return exact, told


def _found(judged: Judged, number: str) -> tuple[dict[str, Any] | None, list[Refused]]:
    """The first that is taken with numbers of this type, and why others were not."""
    refusals: list[Refused] = []
    for missing_text in _MISSING if "text" in judged.kinds.values() else ("",):
        try:
            return _attempt(judged, number, missing_text), refusals
        except Refused as refused:
            refusals.append(type(refused)(*(f"{number}: {reason}" for reason in refused.reasons)))
    return None, refusals


def _attempt(judged: Judged, number: str, missing_text: str) -> dict[str, Any]:
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
    except Unconverted:
        raise
    except Exception as error:  # noqa: BLE001 - a converter raises what it likes, and that is an answer
        raise Unconverted(f"{type(error).__name__}: {first_line(error)}") from None
    parity = judged.compare(model, cast=np.dtype(number).type)
    wiring = {
        "feeds": [feed.fields() for feed in model.feeds],
        "missing_text": missing_text,
        "label": model.label,
        "scores": model.scores,
    }
    return {"content": converted.content, "parity": parity, "onnx": wiring, "opset": converted.opset}


def _words(refusals: list[Refused]) -> list[str]:
    return list(dict.fromkeys(reason for each in refusals for reason in each.reasons))
