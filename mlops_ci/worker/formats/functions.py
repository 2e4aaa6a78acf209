"""FunctionTransformer of the functions of numpy that people put before a linear model."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

# Function -> the operator, and what is added before it or after it.
_OPERATORS: dict[Any, tuple[float, str, float]] = {
    np.log1p: (1.0, "Log", 0.0),
    np.expm1: (0.0, "Exp", -1.0),
    np.log: (0.0, "Log", 0.0),
    np.exp: (0.0, "Exp", 0.0),
    np.sqrt: (0.0, "Sqrt", 0.0),
    np.abs: (0.0, "Abs", 0.0),
}


def register() -> None:
    """Tell skl2onnx to convert them; what has no function stays with skl2onnx, other functions are refused."""
    from skl2onnx import update_registered_converter
    from sklearn.preprocessing import FunctionTransformer

    update_registered_converter(FunctionTransformer, "MlopsCiFunctionTransformer", _shapes, _function)


def _shapes(operator: Any) -> None:
    from skl2onnx.shape_calculators.function_transformer import calculate_sklearn_function_transformer_output_shapes

    given = operator.raw_operator
    if _operator(given) is not None:
        operator.raw_operator = copy.copy(given)
        operator.raw_operator.func = None
    calculate_sklearn_function_transformer_output_shapes(operator)
    operator.raw_operator = given


def _operator(transformer: Any) -> tuple[float, str, float] | None:
    return None if transformer.kw_args else _OPERATORS.get(transformer.func)


def _function(scope: Any, operator: Any, container: Any) -> None:
    from onnx import TensorProto
    from skl2onnx.common.data_types import DoubleTensorType
    from skl2onnx.operator_converters.function_transformer import convert_sklearn_function_transformer

    found = _operator(operator.raw_operator)
    if found is None:
        convert_sklearn_function_transformer(scope, operator, container)
        return
    before, kind, after = found
    double = isinstance(operator.inputs[0].type, DoubleTensorType)
    table = scope.get_unique_variable_name("table")
    nodes = [("Concat", [each.full_name for each in operator.inputs], {"axis": 1})]
    for number, name in ((before, "Add"), (None, kind), (after, "Add")):
        if number is None:
            nodes.append((name, [], {}))
        elif number:
            constant = scope.get_unique_variable_name("constant")
            container.add_initializer(constant, TensorProto.DOUBLE if double else TensorProto.FLOAT, [1], [number])
            nodes.append((name, [constant], {}))
    for place, (name, inputs, attributes) in enumerate(nodes):
        last = place == len(nodes) - 1
        made = operator.outputs[0].full_name if last else scope.get_unique_variable_name("table")
        given = inputs if name == "Concat" else [table, *inputs]
        container.add_node(name, given, [made], name=scope.get_unique_operator_name(name), **attributes)
        table = made
