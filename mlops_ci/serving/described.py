"""What a bundle says of its model: serving.json and golden.json as frozen values, held together by checks."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from .errors import BundleError

Kind = Literal["integer", "float", "text", "boolean", "date", "timestamp"]
Cell = bool | int | float | str | None
_Described = TypeVar("_Described", "Serving", "Golden")


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of the model; `trusted` are the types that a skops file may name beside skops' own.

    pyfunc: a model of MLflow, whose file is its folder; `predicts` says what its `predict` answers.
    """

    file: str
    format: Literal["onnx", "skops", "pickle", "pyfunc"]
    trusted: tuple[str, ...] = ()
    predicts: Literal["labels", "probabilities"] | None = None


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column the model is asked with. Limits are those of the data contract, None where it has none."""

    name: str
    kind: Kind
    nullable: bool = False
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    categories: tuple[Cell, ...] | None = None


class Output(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of the answer."""

    name: str
    kind: Literal["integer", "float", "text", "boolean"]


class Feed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input of the ONNX graph: a tensor [rows, len(columns)] of these columns."""

    name: str
    columns: tuple[str, ...]
    type: Literal["float32", "float64", "int64", "boolean", "string"]


class Wiring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How columns become feeds and what comes out becomes answers. Missing numbers are NaN."""

    feeds: tuple[Feed, ...]
    label: str
    scores: str | None = None
    missing_text: str = ""


class Serving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """serving.json. `outputs` are the prediction and, where there are any, one probability a class."""

    version: Literal[1]
    project: str
    task: Literal["binary", "multiclass", "regression"]
    model: Model
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    release: str = ""
    commit: str = ""
    ids: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    onnx: Wiring | None = None


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """golden.json: rows with the answers that the judged model gave, by output; None is missing."""

    version: Literal[1]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    answers: dict[str, tuple[Cell, ...]]
    tolerance: float
    quantum: float
    """The step to which numbers are rounded in the fingerprint."""
    fingerprint: str


def decoded(content: bytes, of: type[_Described], file: str) -> _Described:
    """The JSON of a file as a value. Raises BundleError naming file and key."""
    try:
        return msgspec.json.decode(content, type=of)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BundleError(f"{file}: {error}") from None


def check(serving: Serving, golden: Golden) -> None:
    """What no type says: names that must be there, once. Raises BundleError."""
    inputs = [each.name for each in serving.inputs]
    outputs = [each.name for each in serving.outputs]
    _once([*inputs, *serving.ids], "serving.json: inputs and ids")
    _once(outputs, "serving.json: outputs")
    _known(serving.private, [*inputs, *serving.ids], "serving.json: private")
    if len(outputs) not in (1, 1 + len(serving.classes)):
        raise BundleError(f"serving.json: {len(outputs)} outputs; one is allowed, or one and one a class")
    if serving.model.format == "onnx":
        _check_wiring(serving, inputs)
    if (serving.model.format == "pyfunc") != (serving.model.predicts is not None):
        raise BundleError("serving.json: model.predicts and the format pyfunc go together")
    if golden.columns != tuple(inputs):
        raise BundleError(f"golden.json: columns are {', '.join(golden.columns)}; inputs are {', '.join(inputs)}")
    lengths = {len(row) for row in golden.rows} | {len(inputs)}
    if not golden.rows or len(lengths) > 1 or set(golden.answers) != set(outputs):
        raise BundleError("golden.json: each row needs a value of every input, and an answer of every output")
    if {len(values) for values in golden.answers.values()} != {len(golden.rows)}:
        raise BundleError(f"golden.json: {len(golden.rows)} rows and another number of answers")


def _check_wiring(serving: Serving, inputs: list[str]) -> None:
    if serving.onnx is None:
        raise BundleError("serving.json: onnx is missing, and the format of the model is onnx")
    _known([name for feed in serving.onnx.feeds for name in feed.columns], inputs, "serving.json: onnx.feeds")
    if (serving.onnx.scores is None) != (len(serving.outputs) == 1):
        raise BundleError("serving.json: onnx.scores and the outputs of probabilities go together")


def _once(names: list[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BundleError(f"{where}: {', '.join(twice)} more than once")


def _known(names: list[str] | tuple[str, ...], known: list[str], where: str) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise BundleError(f"{where}: {', '.join(unknown)}; there are {', '.join(known)}")
