"""XGBoost and LightGBM inside or outside a pipeline, by the converters of onnxmltools; CatBoost alone, by its own."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .attempt import Unconverted
from .feeds import Feed, parts

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
    if type(part).__module__.split(".")[0] == "xgboost" and part.__sklearn_is_fitted__():
        part.get_booster().feature_names = None


def catboost(model: Any, inputs: list[Feed], name: str) -> Any | None:
    """A CatBoost model as it exports itself, with probabilities as a tensor; None for any other.

    It has one input for all columns, of float32, and raises for categorical features.
    """
    import onnx

    if type(model).__module__.split(".")[0] != "catboost":
        return None
    if [feed.type for feed in inputs] != ["float32"]:
        raise Unconverted("CatBoost exports models of numbers alone, as float32")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        model.save_model(str(file), format="onnx", export_parameters={"onnx_graph_name": name})
        made = onnx.load(str(file))
    for node in [node for node in made.graph.node if node.op_type == "ZipMap"]:
        [place] = [place for place, each in enumerate(made.graph.output) if each.name == node.output[0]]
        tensor = onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, [None, None])
        made.graph.output[place].CopyFrom(tensor)
        made.graph.node.remove(node)
    for output in made.graph.output:
        output.type.tensor_type.ClearField("shape")  # numbers are said to have one dimension, and have two
    return made


def _register(kind: type, converter: Callable[[Any, Any, Any], None]) -> None:
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator

    classifies = hasattr(kind, "predict_proba")
    name = "calculate_linear_classifier_output_shapes" if classifies else "calculate_linear_regressor_output_shapes"
    options = _OPTIONS if classifies else None
    shapes = getattr(shape_calculator, name)
    update_registered_converter(kind, f"MlopsCi{kind.__name__}", shapes, converter, options=options)
