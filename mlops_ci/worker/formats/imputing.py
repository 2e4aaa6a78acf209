"""SimpleImputer over float64: skl2onnx writes an operator that ONNX Runtime has for float32 alone."""

from __future__ import annotations

from typing import Any

import numpy as np


def register() -> None:
    """Tell skl2onnx to convert it with what is here; other types of input stay with skl2onnx."""
    from skl2onnx import update_registered_converter
    from skl2onnx.shape_calculators.imputer import calculate_sklearn_imputer_output_shapes
    from sklearn.impute import SimpleImputer

    update_registered_converter(
        SimpleImputer, "MlopsCiSimpleImputer", calculate_sklearn_imputer_output_shapes, _imputer
    )


def _imputer(scope: Any, operator: Any, container: Any) -> None:
    from onnx import TensorProto
    from skl2onnx.common.data_types import DoubleTensorType
    from skl2onnx.operator_converters.imputer_op import convert_sklearn_imputer

    imputer = operator.raw_operator
    double = all(isinstance(given.type, DoubleTensorType) for given in operator.inputs)
    if not double or not np.isnan(imputer.missing_values):
        convert_sklearn_imputer(scope, operator, container)
        return
    values, table, gone = (scope.get_unique_variable_name(name) for name in ("values", "table", "missing"))
    container.add_initializer(values, TensorProto.DOUBLE, [1, len(imputer.statistics_)], list(imputer.statistics_))
    given = [variable.full_name for variable in operator.inputs]
    output = operator.outputs[0].full_name
    for kind, inputs, made in (
        ("Concat", given, table),
        ("IsNaN", [table], gone),
        ("Where", [gone, values, table], output),
    ):
        name = scope.get_unique_operator_name(kind)
        container.add_node(kind, inputs, [made], name=name, **({"axis": 1} if kind == "Concat" else {}))
