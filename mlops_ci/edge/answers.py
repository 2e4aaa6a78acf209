"""Reads what the worker left behind. The project's code can write it too: nothing is believed unread."""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
import numpy as np

from mlops_ci.errors import UserCodeError
from mlops_ci.records.bundles import Predicts, Wiring
from mlops_ci.records.releases import Parity, Tried

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_LARGEST_ANSWER = 4 * 1024 * 1024
_LARGEST_HEADER = 10_000
_LARGEST_MODEL = 2 * 1024**3
_MOST_FILES = 10_000
_MODELS = {"onnx": "model.onnx", "skops": "model.skops", "pickle": "model.pkl", "pyfunc": "model"}


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """`file` in the output folder; `format`: pickle, cloudpickle where plain pickle cannot, or mlflow: a folder."""

    file: str
    format: str


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the job `fit`."""

    model: ModelFile
    class_name: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    """`classes_` in text form, in the model's order; empty where it has none."""
    packages: dict[str, str]
    python: str
    seconds: float
    """Of the training function alone."""


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the job `predict`; the arrays are read by `predictions`."""

    rows: int
    features: tuple[str, ...]
    score_kind: str
    """probability | decision | none"""
    unseen: tuple[str, ...]
    """The first few labels that are no class of the target."""
    seconds: float


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the job `prepare`; the table is a frame folder."""

    rows: int
    columns: int


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the job `test`: pytest's own exit code; the results are events, see model_tests."""

    code: int


class Timed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the job `time`: seconds of every request, of the clock and of the processor."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the job `metric`: one number, or None where there is one a row, read by `measured_rows`."""

    value: float | None
    rows: int


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the job `export`; what it wrote is read by `exported_files`."""

    format: Literal["onnx", "skops", "pickle", "pyfunc"]
    file: Literal["model.onnx", "model.skops", "model.pkl", "model"]
    """Of a model of MLflow its folder."""
    tried: tuple[Tried, ...]
    parity: Parity
    inputs: tuple[str, ...]
    """The columns the model is asked with."""
    prediction: Literal["integer", "float", "text", "boolean"]
    classes: tuple[str, ...]
    """In text form and in the order of the columns of probabilities; empty where there are none."""
    scores: Literal["probability", "decision", "none"]
    versions: dict[str, str]
    onnx: Wiring | None = None
    opset: dict[str, int] = msgspec.field(default_factory=dict)
    trusted: tuple[str, ...] = ()
    """Of skops: the types that loading must be told to trust."""
    predicts: Predicts | None = None
    """Of a model of MLflow."""

    def __post_init__(self) -> None:
        wired, told = self.onnx is not None, self.predicts is not None
        fits = (wired, told) == (self.format == "onnx", self.format == "pyfunc")
        if self.file != _MODELS[self.format] or not fits:
            raise ValueError("the file and what is said of it do not belong to the format")
        if self.onnx and {name for feed in self.onnx.feeds for name in feed.columns} - set(self.inputs):
            raise ValueError("an input of the ONNX model is no column the model is asked with")


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """An installed distribution; `expression`: its licence as SPDX writes it, `licence`: in its own words."""

    version: str
    expression: str = ""
    licence: str = ""


class Libraries(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the job `libraries`; `code`: files of the project that were imported, relative to it."""

    libraries: dict[str, Library]
    code: tuple[str, ...]


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """Why the worker has no answer, in texts of bounded length."""

    kind: str
    message: str
    advice: str
    where: str
    details: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    ok: bool
    value: msgspec.Raw = msgspec.Raw(b"{}")
    failure: Failed | None = None


Value = Fitted | Predicted | Prepared | Tested | Timed | Measured | Exported | Libraries
JOBS: dict[str, type[Value]] = {
    "fit": Fitted,
    "predict": Predicted,
    "prepare": Prepared,
    "test": Tested,
    "time": Timed,
    "metric": Measured,
    "export": Exported,
    "libraries": Libraries,
}

T = TypeVar("T")
N = TypeVar("N", bound="np.generic")


def envelope(path: Path) -> Envelope | None:
    """What is in answer.json; None when there is no such file."""
    content = regular_file(path, largest=_LARGEST_ANSWER)
    return None if content is None else decode(content, Envelope)


def decode(content: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Raises UserCodeError when `content` is not JSON of that shape."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UserCodeError(
            f"the answer of the project's environment cannot be read: {error}",
            "the project's code must leave the files beside it alone",
        ) from error


def regular_file(path: Path, *, largest: int) -> bytes | None:
    """The bytes of a plain file, None when there is none; no link is followed and no pipe waited for.

    Raises UserCodeError for anything else, and beyond `largest` bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserCodeError(f"{path.name} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise UserCodeError(f"{path.name} is no plain file")
        if state.st_size > largest:
            raise UserCodeError(f"{path.name} has {state.st_size} bytes, more than the {largest} it may have")
        return file.read(largest)


def predictions(
    folder: Path, *, rows: int, classes: tuple[str, ...]
) -> tuple[NDArray[np.generic], NDArray[np.float32] | None]:
    """The labels and scores that the job `predict` wrote, in the form of `records.evaluation.Predictions`.

    `classes` is empty for regression. Raises UserCodeError when the arrays are missing or are not what they must be.
    """
    labels: NDArray[np.generic] | None = _array(
        folder / "labels.npy", shape=(rows,), kind=np.int32 if classes else np.float32
    )
    if labels is None:
        raise UserCodeError("the answer of the model is missing: labels.npy", "the project's code must leave it alone")
    if classes and rows and (labels.min() < -1 or labels.max() >= len(classes)):
        raise UserCodeError("labels.npy holds codes that are no classes")
    shape = (rows,) if len(classes) <= 2 else (rows, len(classes))
    scores = _array(folder / "scores.npy", shape=shape, kind=np.float32) if classes else None
    for name, values in (("labels", labels), ("scores", scores)):
        if values is not None and not np.isfinite(values).all():
            raise UserCodeError(f"{name}.npy holds NaN or infinity")
    return labels, scores


def exported_files(folder: Path, exported: Exported) -> dict[str, bytes]:
    """Path -> content of what the job `export` wrote: one file, or those of the folder of a model of MLflow.

    UserCodeError when it is missing or too large, or holds what is no plain file.
    """
    found, room = dict[str, bytes](), _LARGEST_MODEL
    names = [exported.file] if exported.format != "pyfunc" else _below(folder, exported.file)
    for name in names:
        content = regular_file(folder / name, largest=room)
        if content is None:
            raise UserCodeError(f"the model's file is missing: {name}", "the project's code must leave it alone")
        found[name], room = content, room - len(content)
    return found


def _below(folder: Path, name: str) -> list[str]:
    """The paths of what lies below `name`, a folder: no link is followed."""
    found: list[str] = []
    if (folder / name).is_symlink():
        raise UserCodeError(f"{name} is no plain folder")
    for at, folders, names in os.walk(folder / name):
        if link := next((one for one in folders if os.path.islink(f"{at}/{one}")), None):  # noqa: PTH114
            raise UserCodeError(f"{link} is no plain folder")
        found += [os.path.relpath(f"{at}/{one}", folder) for one in names]
        if len(found) > _MOST_FILES:
            raise UserCodeError(f"{name} holds more than the {_MOST_FILES:,} files it may have")
    if f"{name}/MLmodel" not in found:
        raise UserCodeError(f"the model's file is missing: {name}/MLmodel", "the project's code must leave it alone")
    return sorted(found)


def measured_rows(folder: Path, *, rows: int) -> NDArray[np.float32]:
    """What the job `metric` gave for each row. UserCodeError when the array is missing or is not what it must be."""
    found = _array(folder / "rows.npy", shape=(rows,), kind=np.float32)
    if found is None:
        raise UserCodeError("the numbers of the metric are missing", "the project's code must leave rows.npy alone")
    if not np.isfinite(found).all():
        raise UserCodeError("rows.npy holds NaN or infinity")
    return found


def _array(path: Path, *, shape: tuple[int, ...], kind: type[N]) -> NDArray[N] | None:
    """A `.npy` file of exactly that shape and type; never pickled."""
    wanted = np.dtype(kind)
    size = wanted.itemsize
    for length in shape:
        size *= length
    content = regular_file(path, largest=size + _LARGEST_HEADER)
    if content is None:
        return None
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_2_0 if version > (1, 0) else np.lib.format.read_array_header_1_0
        found_shape, fortran, found_type = read_header(stream, max_header_size=_LARGEST_HEADER)
    except ValueError as error:
        raise UserCodeError(f"{path.name} is no array: {error}") from error
    body = content[stream.tell() :]
    if found_shape != shape or found_type != wanted or len(body) != size:
        raise UserCodeError(f"{path.name} holds {found_type} {found_shape}, not {wanted} {shape}")
    return np.frombuffer(body, dtype=kind).reshape(shape, order="F" if fortran else "C")
