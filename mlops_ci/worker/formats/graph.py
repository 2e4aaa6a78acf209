"""From a fitted estimator to an ONNX model with the same bytes every time, and that model asked like the estimator."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import boosters, encoding, functions, hist_trees, imputing
from .attempt import Unconverted
from .feeds import TEXT, Feed, parts

NAME = "mlops-ci"
_IN_FLOAT64 = ("HistGradientBoosting", "KNeighbors")
OPSETS = {"": 18, "ai.onnx.ml": 3}


@dataclass(frozen=True)
class Converted:
    """An ONNX model, and its inputs as they are called in it: names of columns are not always names in ONNX."""

    content: bytes
    feeds: list[Feed]
    opset: dict[str, int]


def convert(model: Any, inputs: list[Feed], *, missing_text: str) -> Converted:
    """The ONNX model. Whatever a converter raises for an estimator that it cannot convert comes through."""
    made = boosters.catboost(model, inputs, NAME) or _by_skl2onnx(model, inputs, missing_text)
    opsets = sorted(((each.domain, each.version) for each in made.opset_import), reverse=True)
    names = [each.name for each in made.graph.input]
    named = [replace(feed, name=name) for feed, name in zip(inputs, names, strict=True)]
    return Converted(_bytes(made, opsets), named, dict(opsets))


def _by_skl2onnx(model: Any, inputs: list[Feed], missing_text: str) -> Any:
    from skl2onnx import convert_sklearn

    hist_trees.register()
    imputing.register()
    encoding.register()
    functions.register()
    boosters.register(model)
    _let_it_know_zipmap()
    prepared = _prepared(model, missing_text, double=any(feed.type == "float64" for feed in inputs))
    types = [(feed.name, _tensor(feed)) for feed in inputs]
    options = {"zipmap": False} if hasattr(model, "classes_") else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = convert_sklearn(prepared, NAME, types, options=options, target_opset=OPSETS)
    for node in made.graph.node:
        if node.op_type == "ZipMap":
            raise Unconverted("the probabilities are a list of mappings")
        if node.op_type == "StringNormalizer":
            _in_any_locale(node)
    return made


def _let_it_know_zipmap() -> None:
    """skl2onnx refuses for LinearSVC the option that keeps scores a tensor, and asks for it all the same."""
    from skl2onnx import get_model_alias, update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    from skl2onnx.operator_converters.linear_classifier import convert_sklearn_linear_classifier
    from sklearn.svm import LinearSVC

    update_registered_converter(
        LinearSVC,
        get_model_alias(LinearSVC),
        calculate_linear_classifier_output_shapes,
        convert_sklearn_linear_classifier,
        options={"zipmap": [True, False], "nocl": [True, False], "raw_scores": [True, False]},
    )


def _in_any_locale(node: Any) -> None:
    """Small machines lack en_US; `C` is everywhere. It changes the case of ASCII alone, which parity looks at."""
    from onnx import helper

    kept = [attribute for attribute in node.attribute if attribute.name != "locale"]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("locale", "C")])


def _tensor(feed: Feed) -> Any:
    from skl2onnx.common import data_types

    kinds = {
        TEXT: data_types.StringTensorType,
        "float32": data_types.FloatTensorType,
        "float64": data_types.DoubleTensorType,
    }
    return kinds[feed.type]([None, len(feed.columns)])


def _bytes(made: Any, opsets: list[tuple[str, int]]) -> bytes:
    """Without what differs from day to day and between versions of the converter."""
    made.producer_name, made.producer_version, made.doc_string, made.domain = NAME, "", "", ""
    made.model_version = 0
    del made.metadata_props[:]
    del made.opset_import[:]
    for domain, version in opsets:
        made.opset_import.add(domain=domain, version=version)
    return bytes(made.SerializeToString(deterministic=True))


def _prepared(model: Any, missing_text: str, *, double: bool) -> Any:
    """A copy for the converter.

    Its steps know missing text by what it is handed over as, since a tensor of text has no missing values. double: the
    steps before the last one compute in float64, as they do in scikit-learn.
    """
    found = copy.deepcopy(model)
    for part in [found, *parts(found, deep=True)]:
        name = type(part).__name__
        if name == "SimpleImputer" and hasattr(part, "statistics_") and imputing.of_text(part):
            part.missing_values = missing_text
        if name == "OrdinalEncoder" and hasattr(part, "categories_"):
            _forget_missing(part)
        if name == "Pipeline" and double:
            _cast_at_the_end(part)
        if name == "VotingClassifier":
            part.flatten_transform = False  # it is about `transform`, and the converter refuses it
        if name == "LinearDiscriminantAnalysis" and len(getattr(part, "classes_", ())) == 2:
            _as_logistic(part)
        boosters.forget_names(part)
    return found


def _cast_at_the_end(pipeline: Any) -> None:
    """Most estimators have operators for float32 alone, and trees compare float32 in scikit-learn too."""
    from skl2onnx.sklapi import CastTransformer

    last = pipeline.steps[-1][1]
    if hasattr(last, "predict") and not type(last).__name__.startswith(_IN_FLOAT64):
        pipeline.steps.insert(len(pipeline.steps) - 1, ("float32", CastTransformer(dtype=np.float32)))


def _as_logistic(discriminant: Any) -> None:
    """Of two classes both answer the logistic function of the same sum; the converter writes softmax for this one."""
    from sklearn.linear_model import LogisticRegression

    kept = {name: getattr(discriminant, name) for name in ("coef_", "intercept_", "classes_", "n_features_in_")}
    discriminant.__class__ = LogisticRegression
    discriminant.__dict__ = {**vars(LogisticRegression()), **kept}


def _forget_missing(encoder: Any) -> None:
    """Where missing and unknown are encoded alike, a missing category is one more unknown one."""
    alike = encoder.unknown_value is not None and np.isnan(encoder.unknown_value)
    if alike and np.isnan(encoder.encoded_missing_value):
        encoder.categories_ = [
            values[:-1] if len(values) and isinstance(values[-1], float) and np.isnan(values[-1]) else values
            for values in encoder.categories_
        ]


class OnnxModel:
    """An ONNX model with scikit-learn's way to ask, on one thread."""

    def __init__(
        self, content: bytes, inputs: list[Feed], *, missing_text: str, classes: Any, probabilities: bool
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.feeds = inputs
        self._missing_text = missing_text
        names = [output.name for output in self._session.get_outputs()]
        self.label, self.scores = names[0], names[1] if probabilities else None
        if classes is not None:
            self.classes_ = classes
        if probabilities:
            self.predict_proba = self._predict_proba

    def predict(self, frame: Any) -> Any:
        """Labels or numbers, one a row."""
        return self._run(self.label, frame)

    def _predict_proba(self, frame: Any) -> Any:
        return self._run(self.scores, frame)

    def _run(self, output: str | None, frame: Any) -> Any:
        given = {feed.name: feed.array(frame, self._missing_text) for feed in self.feeds}
        return self._session.run([output], given)[0]
