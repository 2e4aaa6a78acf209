"""The Open Inference Protocol, version 2: one tensor a column, of shape [n] or [n, 1], in the JSON or behind it.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from . import binary
from .described import Cell, Input, Output, Serving
from .errors import Refused
from .forms import decoded
from .replies import JSON, Reply
from .validate import Table, by_column

_INTEGERS = {f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
_FLOATS = {"FP16", "FP32", "FP64"}
# Kind -> what it is called in answers, and what is understood in requests.
DATATYPES = {
    "integer": "INT64",
    "float": "FP64",
    "boolean": "BOOL",
    "text": "BYTES",
    "date": "BYTES",
    "timestamp": "BYTES",
}
UNDERSTOOD = {
    "integer": _INTEGERS | _FLOATS,
    "float": _INTEGERS | _FLOATS,
    "boolean": {"BOOL"},
    "text": {"BYTES"},
    "date": {"BYTES"},
    "timestamp": {"BYTES"},
}


class _OfTensor(msgspec.Struct):
    binary_data_size: int | None = None


class _Tensor(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: list[Cell | list[Cell]] | None = None
    parameters: _OfTensor | None = None


class _OfWanted(msgspec.Struct):
    binary_data: bool | None = None


class _Wanted(msgspec.Struct):
    name: str
    parameters: _OfWanted | None = None


class _OfQuestion(msgspec.Struct):
    binary_data_output: bool = False


class Question(msgspec.Struct):
    """A request; other parameters than those of the binary extension mean nothing here."""

    inputs: list[_Tensor]
    id: str | None = None
    parameters: _OfQuestion | None = None
    outputs: list[_Wanted] | None = None


_decoder = msgspec.json.Decoder(Question)


def question(body: bytes, headers: Mapping[bytes, bytes], outputs: Sequence[Output]) -> Question:
    """The request in `body`, tensors behind it put into it. Raises Refused: another form, or an unknown output."""
    text, behind = binary.parted(body, headers)
    found: Question = decoded(_decoder, text)
    _put_in(found.inputs, behind)
    names = [each.name for each in outputs]
    for wanted in found.outputs or ():
        if wanted.name not in names:
            raise Refused("unknown_output", f"there is no output {wanted.name[:100]!r}; there are {', '.join(names)}")
    return found


def table(asked: Question, inputs: Sequence[Input]) -> Table:
    """The tensors of a request as columns. Raises Refused naming the tensor."""
    kinds = {each.name: each.kind for each in inputs}
    columns: dict[str, Sequence[Any]] = {}
    for tensor in asked.inputs:
        if tensor.name in columns:
            raise Refused("wrong_form", "there are two tensors of this name", where=f"column {tensor.name[:100]}")
        kind = kinds.get(tensor.name)
        if kind is not None and tensor.datatype not in UNDERSTOOD[kind]:
            allowed = ", ".join(sorted(UNDERSTOOD[kind]))
            raise Refused(
                "wrong_datatype",
                f"{tensor.name} is a tensor of {tensor.datatype[:20]!r}; a column of kind {kind} is one of {allowed}",
                where=f"column {tensor.name}",
            )
        columns[tensor.name] = _values(tensor)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise Refused("wrong_shape", f"tensors of {min(lengths)} and of {max(lengths)} rows")
    return by_column(columns)


def _put_in(tensors: list[_Tensor], behind: memoryview) -> None:
    """Tensors whose values are behind the JSON follow each other there without gaps."""
    place = 0
    for tensor in tensors:
        size = tensor.parameters.binary_data_size if tensor.parameters is not None else None
        if (size is None) == (tensor.data is None):
            words = "a tensor has either data or the parameter binary_data_size"
            raise Refused("wrong_form", words, where=f"column {tensor.name[:100]}")
        if size is not None:
            if not 0 <= size <= len(behind) - place:
                words = f"binary_data_size is {size}; {len(behind) - place} bytes are left behind the JSON"
                raise Refused("wrong_binary", words, where=f"column {tensor.name[:100]}")
            tensor.data = binary.values(behind[place : place + size], tensor.datatype, tensor.name)
            place += size
    if place != len(behind):
        raise Refused("wrong_binary", f"{len(behind)} bytes are behind the JSON; tensors have {place} of them")


def _values(tensor: _Tensor) -> Sequence[Any]:
    data: list[Any] = tensor.data or []
    if list in set(map(type, data)):
        if not all(type(value) is list and len(value) == 1 for value in data):
            raise _wrong_shape(tensor, "nested data")
        data = [value[0] for value in data]
    if tensor.shape not in ([len(data)], [len(data), 1]):
        raise _wrong_shape(tensor, f"shape {str(tensor.shape)[:40]} and {len(data)} values")
    return data


def _wrong_shape(tensor: _Tensor, found: str) -> Refused:
    return Refused(
        "wrong_shape",
        f"{found}; [rows] or [rows, 1] is allowed, one tensor a column",
        where=f"column {tensor.name[:100]}",
    )


def answer(asked: Question, serving: Serving, version: str, answers: Sequence[list[Any]]) -> Reply:
    """The response: every output, or those that were asked for."""
    wanted = {each.name: each.parameters for each in asked.outputs} if asked.outputs else None
    everything = asked.parameters is not None and asked.parameters.binary_data_output
    behind = []
    fields: dict[str, Any] = {"model_name": serving.project, "model_version": version}
    if asked.id is not None:
        fields["id"] = asked.id
    fields["outputs"] = outputs = []
    for output, values in zip(serving.outputs, answers, strict=True):
        if wanted is not None and output.name not in wanted:
            continue
        datatype = DATATYPES[output.kind]
        tensor: dict[str, Any] = {"name": output.name, "shape": [len(values)], "datatype": datatype}
        own = wanted[output.name] if wanted is not None else None
        if everything if own is None or own.binary_data is None else own.binary_data:
            behind.append(binary.written(values, datatype))
            tensor["parameters"] = {"binary_data_size": len(behind[-1])}
        else:
            tensor["data"] = values
        outputs.append(tensor)
    text = msgspec.json.encode(fields)
    if not behind:
        return Reply(200, text, JSON)
    return Reply(200, b"".join([text, *behind]), binary.CONTENT_TYPE, ((binary.LENGTH, b"%d" % len(text)),))


def metadata(serving: Serving, version: str) -> dict[str, Any]:
    """What `/v2/models/NAME` answers."""

    def tensors(columns: Sequence[Input] | Sequence[Output]) -> list[dict[str, Any]]:
        return [{"name": each.name, "datatype": DATATYPES[each.kind], "shape": [-1]} for each in columns]

    return {
        "name": serving.project,
        "versions": [version],
        "platform": f"mlops-ci_{serving.model.format}",
        "inputs": tensors(serving.inputs),
        "outputs": tensors(serving.outputs),
    }
