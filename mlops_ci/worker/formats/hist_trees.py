"""Histogram gradient boosting in ONNX, categorical splits and missing values included.

skl2onnx reads a categorical split as a numeric one, and does not know that scikit-learn puts the categorical columns
first: what it makes is wrong, without a word. Here such a split is a chain of questions `is it this one?`
that all lead to the same child. A threshold becomes the nearest float32: rounding keeps the order, so a value that
is not above it stays so, and thresholds are often values of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .attempt import Unconverted

if TYPE_CHECKING:
    from collections.abc import Callable

_ML_OPSET = 3


def register() -> None:
    """Tell skl2onnx to convert both estimators with what is here."""
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    update_registered_converter(
        HistGradientBoostingClassifier,
        "MlopsCiHistGradientBoostingClassifier",
        _float_scores(calculate_linear_classifier_output_shapes),
        _classifier,
        options={"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]},
    )
    update_registered_converter(
        HistGradientBoostingRegressor,
        "MlopsCiHistGradientBoostingRegressor",
        _float_scores(calculate_linear_regressor_output_shapes),
        _regressor,
    )


def _float_scores(shapes: Callable[[Any], None]) -> Callable[[Any], None]:
    """What the operator answers is float32, whatever goes in."""

    def calculate(operator: Any) -> None:
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

        shapes(operator)
        for output in operator.outputs:
            if isinstance(output.type, DoubleTensorType):
                output.type = FloatTensorType(output.type.shape)

    return calculate


def members(bitset: Any) -> set[int]:
    """The numbers whose bit is set in an array of 32-bit words."""
    words = [int(word) for word in bitset]
    return {32 * place + bit for place, word in enumerate(words) for bit in range(32) if word >> bit & 1}


class Columns:
    """Which column of the table a split asks about, and which of its values a category's code stands for."""

    def __init__(self, model: Any) -> None:
        preprocessor = getattr(model, "_preprocessor", None)  # since scikit-learn 1.4
        self._order = list(range(model.n_features_in_))
        self._values: list[Any] | None = None
        if preprocessor is not None:
            categorical = np.asarray(model.is_categorical_)
            self._order = [*np.flatnonzero(categorical), *np.flatnonzero(~categorical)]
            self._values = preprocessor.named_transformers_["encoder"].categories_
        self._known, self._places = model._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001 - as it predicts

    def original(self, feature: int) -> int:
        """The place in the table of the column a split names."""
        return int(self._order[feature])

    def known(self, feature: int) -> set[int]:
        """The codes the model was trained with."""
        return members(self._known[self._places[feature]])

    def values(self, feature: int, codes: set[int]) -> list[float]:
        """What stands in the table for the codes."""
        if self._values is None:
            return [float(code) for code in sorted(codes)]
        values = [float(self._values[feature][code]) for code in sorted(codes)]
        return [value for value in values if not np.isnan(value)]


class Trees:
    """The attributes of a TreeEnsembleRegressor, filled tree by tree."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._number = -1
        self.nodes: list[tuple[int, int, int, str, float, int, int, int]] = []
        self.leaves: list[tuple[int, int, int, float]] = []

    def add(self, predictor: Any, target: int) -> None:
        """One tree, which adds to the score number `target`; a node keeps its number, further ones follow."""
        self._number += 1
        further = len(predictor.nodes)
        for number, node in enumerate(predictor.nodes):
            if node["is_leaf"]:
                self._node(number, 0, "LEAF", 0.0, (0, 0))
                self.leaves.append((self._number, number, target, float(node["value"])))
            elif node["is_categorical"]:
                further = self._choice(number, node, predictor.raw_left_cat_bitsets, further)
            else:
                column, below = self._columns.original(int(node["feature_idx"])), float(node["num_threshold"])
                ways = (int(node["left"]), int(node["right"]))
                self._node(number, column, "BRANCH_LEQ", below, ways, missing=bool(node["missing_go_to_left"]))

    def _choice(self, number: int, node: Any, bitsets: Any, further: int) -> int:
        """A categorical split: `is it this one?` for each category of one side, else the other side."""
        feature = int(node["feature_idx"])
        chosen, inside, outside = members(bitsets[int(node["bitset_idx"])]), int(node["left"]), int(node["right"])
        if node["missing_go_to_left"]:  # what is missing or unknown goes left too: ask who goes right
            chosen, inside, outside = self._columns.known(feature) - chosen, outside, inside
        values = self._columns.values(feature, chosen)
        if not values:  # nobody goes there
            values, inside = [0.0], outside
        for place, value in enumerate(values):
            last = place == len(values) - 1
            self._node(
                number, self._columns.original(feature), "BRANCH_EQ", value, (inside, outside if last else further)
            )
            number, further = further, further if last else further + 1
        return further

    def _node(
        self, number: int, column: int, mode: str, value: float, ways: tuple[int, int], *, missing: bool = False
    ) -> None:
        self.nodes.append((self._number, number, column, mode, value, *ways, int(missing)))

    def attributes(self, baseline: Any, *, double: bool) -> dict[str, Any]:
        """As the operator names them. baseline: one number for each score; double: thresholds as they are."""
        trees, numbers, columns, modes, values, true, false, missing = zip(*self.nodes, strict=True)
        leaf_trees, leaf_numbers, targets, weights = zip(*self.leaves, strict=True)
        return {
            "nodes_treeids": trees,
            "nodes_nodeids": numbers,
            "nodes_featureids": columns,
            "nodes_modes": modes,
            **_numbers("nodes_values", values, double=double),
            "nodes_truenodeids": true,
            "nodes_falsenodeids": false,
            "nodes_missing_value_tracks_true": missing,
            "target_treeids": leaf_trees,
            "target_nodeids": leaf_numbers,
            "target_ids": targets,
            **_numbers("target_weights", weights, double=double),
            **_numbers("base_values", np.ravel(baseline), double=double),
            "n_targets": np.size(baseline),
            "aggregate_function": "SUM",
            "post_transform": "NONE",
        }


def _numbers(name: str, values: Any, *, double: bool) -> dict[str, Any]:
    """An attribute of the operator: a list of float32, or where the input is float64 a tensor of those."""
    from onnx import TensorProto, helper

    if not double:
        return {name: np.array(values, np.float32)}
    name = f"{name}_as_tensor"
    return {name: helper.make_tensor(name, TensorProto.DOUBLE, [len(values)], [float(value) for value in values])}


class _Graph:
    """Adds nodes one after the other; each gives back the name of its output."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def constant(self, kind: int, values: list[Any]) -> str:
        name = str(self._scope.get_unique_variable_name("constant"))
        self._container.add_initializer(name, kind, [len(values)], values)
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or str(self._scope.get_unique_variable_name(operator.lower()))
        unique = self._scope.get_unique_operator_name(operator)
        self._container.add_node(operator, list(inputs), [name], name=unique, **attributes)
        return name


def _raw(graph: _Graph, operator: Any) -> str:
    """The baseline and the sum of all trees: shape (rows, trees an iteration)."""
    from onnx import TensorProto
    from skl2onnx.common.data_types import DoubleTensorType

    model = operator.raw_operator
    trees = Trees(Columns(model))
    for iteration in model._predictors:  # noqa: SLF001 - where the fitted trees are
        for target, predictor in enumerate(iteration):
            trees.add(predictor, target)
    double = isinstance(operator.inputs[0].type, DoubleTensorType)
    given = graph.add("Cast", operator.inputs[0].full_name, to=TensorProto.DOUBLE if double else TensorProto.FLOAT)
    fields = trees.attributes(model._baseline_prediction, double=double)  # noqa: SLF001 - as above
    return graph.add("TreeEnsembleRegressor", given, op_domain="ai.onnx.ml", op_version=_ML_OPSET, **fields)


def _classifier(scope: Any, operator: Any, container: Any) -> None:
    from onnx import TensorProto

    graph = _Graph(scope, container)
    raw = _raw(graph, operator)
    label, scores = (output.full_name for output in operator.outputs)
    classes = operator.raw_operator.classes_
    if len(classes) == 2:
        positive = graph.add("Sigmoid", raw)
        negative = graph.add("Sub", graph.constant(TensorProto.FLOAT, [1.0]), positive)
        graph.add("Concat", negative, positive, axis=1, output=scores)
        # The sign of the sum decides, as in scikit-learn: near one half the two shares are equal in float32.
        raw = graph.add("Concat", graph.add("Sub", raw, raw), raw, axis=1)
    else:
        graph.add("Softmax", raw, axis=1, output=scores)
    best = graph.add("ArgMax", raw, axis=1, keepdims=0)
    if isinstance(classes[0], str):
        values = graph.constant(TensorProto.STRING, [value.encode() for value in classes])
    else:
        values = graph.constant(TensorProto.INT64, [int(value) for value in classes])
    graph.add("Gather", values, best, axis=0, output=label)


def _regressor(scope: Any, operator: Any, container: Any) -> None:
    graph = _Graph(scope, container)
    link = type(operator.raw_operator._loss.link).__name__  # noqa: SLF001 - the only place that says it
    inverse = {"IdentityLink": "Identity", "LogLink": "Exp"}.get(link)
    if inverse is None:
        raise Unconverted(f"histogram gradient boosting with the link {link}")
    graph.add(inverse, _raw(graph, operator), output=operator.outputs[0].full_name)
