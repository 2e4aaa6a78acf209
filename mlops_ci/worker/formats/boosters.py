"""XGBoost and LightGBM inside or outside a pipeline: the converters of onnxmltools, where a model has such a part."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .feeds import parts

if TYPE_CHECKING:
    from collections.abc import Callable

_CONVERTERS = {
    "xgboost": ("onnxmltools.convert.xgboost.operator_converters.XGBoost", "convert_xgboost"),
    "lightgbm": ("onnxmltools.convert.lightgbm.operator_converters.LightGbm", "convert_lightgbm"),
}
_OPTIONS = {"nocl": [True, False], "zipmap": [True, False, "columns"], "output_class_labels": [True, False]}


def register(model: Any) -> None:
    """Tell skl2onnx about those that are in the model."""
    for part in [model, *parts(model, deep=True)]:
        library = type(part).__module__.split(".")[0]
        if library in _CONVERTERS:
            module, name = _CONVERTERS[library]
            _register(type(part), getattr(importlib.import_module(module), name))


def forget_names(part: Any) -> None:
    """The converter knows the columns of XGBoost by place, and refuses names."""
    if type(part).__module__.split(".")[0] == "xgboost":
        part.get_booster().feature_names = None


def _register(kind: type, converter: Callable[[Any, Any, Any], None]) -> None:
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator

    classifies = hasattr(kind, "predict_proba")
    name = "calculate_linear_classifier_output_shapes" if classifies else "calculate_linear_regressor_output_shapes"
    options = _OPTIONS if classifies else None
    shapes = getattr(shape_calculator, name)
    update_registered_converter(kind, f"MlopsCi{kind.__name__}", shapes, converter, options=options)
