"""The text form of a class, the same for the truth in the table and for what a model answers.

Text stays as it is; booleans are `false` and `true`; integers, and floats without a fraction, are decimal
digits; other floats are Python's shortest form. The order of classes: false < true, numbers by value, else code point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .failures import Failure

_SHOWN = 5


def class_text(value: Any) -> str:
    """The text form of one class."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def class_value(text: str, kind: str) -> Any:
    """The value of a class as the project's table holds it, from its text form and the kind of the target."""
    if kind == "boolean":
        return text == "true"
    if kind in ("integer", "float"):
        number = float(text)
        return int(text) if kind == "integer" else number
    return text


def codes(labels: Any, classes: list[str]) -> tuple[Any, list[str]]:
    """Labels as int32 codes into `classes` (-1: none of them), and the first few that are none of them.

    Raises Failure when a label is missing, or when not one of them is a class of the target.
    """
    numbers, found = pd.factorize(np.asarray(labels).astype(object))
    if (numbers < 0).any():
        gone = f"the model answered no label for {int((numbers < 0).sum())} rows (None or NaN)"
        raise Failure("unusable", gone, "one label a row is expected")
    texts = [_known(class_text(value), classes) for value in found]
    unseen = sorted(text for text in texts if text not in classes)
    if texts and len(unseen) == len(texts):
        raise Failure(
            "unusable",
            f"the model answers {_few(unseen)}, and the target's classes are {_few(classes)}",
            "the estimator has to predict the values of the target as they are in the table",
        )
    place = np.array([classes.index(text) if text in classes else -1 for text in texts], dtype=np.int32)
    return place[numbers], unseen[:_SHOWN]


def _known(text: str, classes: list[str]) -> str:
    """A boolean target is often trained on as 0 and 1, or written True and False."""
    if classes == ["false", "true"]:
        return {"0": "false", "1": "true", "False": "false", "True": "true"}.get(text, text)
    return text


def positions(model_classes: list[Any], classes: list[str]) -> list[int]:
    """For each of the target's classes its place among the model's, -1 where the model does not know it."""
    texts = [_known(class_text(value), classes) for value in model_classes]
    return [texts.index(name) if name in texts else -1 for name in classes]


def _few(texts: list[str]) -> str:
    shown = ", ".join(repr(text[:40]) for text in texts[:_SHOWN])
    return shown + (", …" if len(texts) > _SHOWN else "")
