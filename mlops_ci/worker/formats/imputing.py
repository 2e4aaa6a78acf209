"""SimpleImputer over numbers: skl2onnx writes an operator that ONNX Runtime has for float32 alone, and forgets the
columns that say where something was missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .attempt import Unconverted


def register() -> None:
    """Tell skl2onnx to convert it with what is here; text stays with skl2onnx."""
    from skl2onnx import update_registered_converter
    from sklearn.impute import SimpleImputer

    update_registered_converter(SimpleImputer, "MlopsCiSimpleImputer", _shapes, _imputer)


def of_text(imputer: Any) -> bool:
    """Whether text stands for what is missing. A constant number is kept as an object too."""
    return any(isinstance(value, str) for value in np.asarray(imputer.statistics_, dtype=object))


def _indicated(imputer: Any) -> list[int]:
    """The columns for which another one says where they were missing."""
    return [] if imputer.indicator_ is None else [int(place) for place in imputer.indicator_.features_]


def _shapes(operator: Any) -> None:
    from skl2onnx.shape_calculators.imputer import calculate_sklearn_imputer_output_shapes

    calculate_sklearn_imputer_output_shapes(operator)
    rows, columns = operator.outputs[0].type.shape
    if columns is not None:
        operator.outputs[0].type.shape = [rows, columns + len(_indicated(operator.raw_operator))]


def _imputer(scope: Any, operator: Any, container: Any) -> None:
    from onnx import TensorProto
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
    from skl2onnx.operator_converters.imputer_op import convert_sklearn_imputer

    imputer, indicated = operator.raw_operator, _indicated(operator.raw_operator)
    numbers = all(isinstance(given.type, (DoubleTensorType, FloatTensorType)) for given in operator.inputs)
    if not numbers or of_text(imputer) or not np.isnan(imputer.missing_values):
        if indicated:
            raise Unconverted("a SimpleImputer over text that also says where something was missing has no converter")
        convert_sklearn_imputer(scope, operator, container)
        return
    statistics = np.asarray(imputer.statistics_, dtype=float)
    if np.isnan(statistics).any():
        raise Unconverted("a SimpleImputer that saw no value of a column has nothing to fill in there")
    kind = TensorProto.DOUBLE if isinstance(operator.inputs[0].type, DoubleTensorType) else TensorProto.FLOAT
    names = ("values", "table", "missing", "filled", "columns", "where", "flags")
    values, table, gone, filled, columns, where, flags = (scope.get_unique_variable_name(name) for name in names)
    output = operator.outputs[0].full_name
    container.add_initializer(values, kind, [1, len(statistics)], statistics.tolist())
    nodes: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Concat", [variable.full_name for variable in operator.inputs], table, {"axis": 1}),
        ("IsNaN", [table], gone, {}),
        ("Where", [gone, values, table], filled if indicated else output, {}),
    ]
    if indicated:
        container.add_initializer(columns, TensorProto.INT64, [len(indicated)], indicated)
        nodes += [
            ("Gather", [gone, columns], where, {"axis": 1}),
            ("Cast", [where], flags, {"to": kind}),
            ("Concat", [filled, flags], output, {"axis": 1}),
        ]
    for name, inputs, made, attributes in nodes:
        container.add_node(name, inputs, [made], name=scope.get_unique_operator_name(name), **attributes)
