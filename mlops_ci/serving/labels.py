"""Labels as a model gives them, in the kind that the answer has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .described import Serving

_BOOLEANS = {1: True, 0: False, "true": True, "false": False, "True": True, "False": False, "1": True, "0": False}


def labelled(serving: Serving) -> Callable[[list[Any]], list[Any]]:
    """What turns a list of labels (plain Python values) into values of the first output's kind.

    Integers where the prediction is text are places among the classes: boosters answer so.
    """
    kind, classes = serving.outputs[0].kind, serving.classes
    if kind == "boolean":
        return lambda labels: [_BOOLEANS[label] for label in labels]
    if kind == "text":
        return lambda labels: [label if type(label) is str else classes[int(label)] for label in labels]
    if kind == "integer":
        return lambda labels: [int(label) for label in labels]
    return lambda labels: [float(label) for label in labels]
