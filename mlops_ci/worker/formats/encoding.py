"""OneHotEncoder with infrequent categories: skl2onnx refuses some, and sends what is unknown to none of the columns."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np


def register() -> None:
    """Tell skl2onnx to convert it with what is here; encoders without infrequent categories stay with skl2onnx."""
    from skl2onnx import update_registered_converter
    from sklearn.preprocessing import OneHotEncoder

    update_registered_converter(OneHotEncoder, "MlopsCiOneHotEncoder", _shapes, _encoder)


def _infrequent(encoder: Any) -> list[Any] | None:
    """For each column the places of its infrequent categories, or None."""
    return encoder._infrequent_indices if getattr(encoder, "_infrequent_enabled", False) else None  # noqa: SLF001


def _shapes(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.shape_calculators.one_hot_encoder import calculate_sklearn_one_hot_encoder_output_shapes

    encoder = operator.raw_operator
    if _infrequent(encoder) is None:
        calculate_sklearn_one_hot_encoder_output_shapes(operator)
        return
    width = int(sum(encoder._n_features_outs))  # noqa: SLF001 - as it transforms
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].get_first_dimension(), width])


def _encoder(scope: Any, operator: Any, container: Any) -> None:
    """One column a category first, all of them; then the product with what the encoder makes of each."""
    from onnx import TensorProto
    from skl2onnx.operator_converters.one_hot_encoder import convert_sklearn_one_hot_encoder

    encoder = operator.raw_operator
    if _infrequent(encoder) is None:
        convert_sklearn_one_hot_encoder(scope, operator, container)
        return
    plain = copy.copy(encoder)
    plain._infrequent_enabled, plain.drop_idx_, plain.handle_unknown = False, None, "ignore"  # noqa: SLF001 - as above
    plain.dtype = np.float32
    every, weights, start, moved = (scope.get_unique_variable_name(name) for name in ("all", "weights", "start", "sum"))
    inner = SimpleNamespace(raw_operator=plain, inputs=operator.inputs, output_full_names=[every])
    convert_sklearn_one_hot_encoder(scope, inner, container)
    matrix, unknown = mapping(encoder)
    container.add_initializer(weights, TensorProto.FLOAT, list(matrix.shape), matrix.ravel().tolist())
    container.add_initializer(start, TensorProto.FLOAT, [len(unknown)], unknown.tolist())
    for kind, inputs, made in (
        ("MatMul", [every, weights], moved),
        ("Add", [moved, start], operator.outputs[0].full_name),
    ):
        container.add_node(kind, inputs, [made], name=scope.get_unique_operator_name(kind))


def mapping(encoder: Any) -> tuple[Any, Any]:
    """What a category adds to the row of a value that is unknown in every column, shape (categories, columns out);
    and that row.
    """
    sizes = [len(values) for values in encoder.categories_]
    first = [values[0] for values in encoder.categories_]
    ends = np.cumsum(encoder._n_features_outs)  # noqa: SLF001 - as above
    matrix, unknown = np.zeros((sum(sizes), int(ends[-1]))), np.zeros(int(ends[-1]))
    for place, values in enumerate(encoder.categories_):
        rows = np.array([[*first[:place], value, *first[place + 1 :]] for value in values], dtype=object)
        columns = slice(int(ends[place] - encoder._n_features_outs[place]), int(ends[place]))  # noqa: SLF001 - as above
        made = _dense(encoder, rows)[:, columns]
        infrequent = (_infrequent(encoder) or [])[place]
        if infrequent is not None and encoder.handle_unknown in ("infrequent_if_exist", "warn"):
            unknown[columns] = made[infrequent[0]]
        begin = sum(sizes[:place])
        matrix[begin : begin + sizes[place], columns] = made - unknown[columns]
    return matrix, unknown


def _dense(encoder: Any, rows: Any) -> Any:
    import pandas as pd

    names = getattr(encoder, "feature_names_in_", None)
    columns = {place: list(rows[:, place]) for place in range(rows.shape[1])}
    frame = pd.DataFrame({name: columns[place] for place, name in enumerate(columns if names is None else names)})
    made = encoder.transform(frame if names is not None else rows)
    return np.asarray(made.todense() if hasattr(made, "todense") else made)
