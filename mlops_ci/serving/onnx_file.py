"""Looks into an ONNX file before ONNX Runtime does: no data beside the file, no operators but the standard's.

A protocol buffer is read without its library, as far as needed: fields are (number << 3 | wire type), then
the value (https://protobuf.dev/programming-guides/encoding/). Numbers of fields are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator

from .errors import BundleError

_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_VARINT, _EIGHT_BYTES, _MESSAGE, _FOUR_BYTES = 0, 1, 2, 5
_DEEPEST = 64
# Message -> field -> what is in it, as far as a tensor or a domain may be below.
_INSIDE = {
    "model": {7: "graph", 8: "operators", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 9: "operators", 11: "attribute"},
    "node": {5: "attribute", 7: "domain"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "external"},
    "operators": {1: "domain"},
}


def check(content: bytes, file: str) -> None:
    """Raises BundleError where the model in `content` needs anything beside itself and standard operators."""
    try:
        for what, value in _walk(memoryview(content), "model", 0):
            if what == "external":
                raise BundleError(f"{file}: the model keeps data in other files; a bundle holds it in one")
            domain = value.decode(errors="replace")
            if what == "domain" and domain not in _DOMAINS:
                raise BundleError(f"{file}: operators of {domain!r}; only ONNX's own are allowed")
    except (IndexError, ValueError) as error:
        raise BundleError(f"{file}: no ONNX model: {error}") from None


def _walk(message: memoryview, kind: str, depth: int) -> Iterator[tuple[str, bytes]]:
    """(what, value) of every domain and every note of external data in a message."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    inside = _INSIDE[kind]
    for number, value in _fields(message, inside):
        what = inside[number]
        if what in _INSIDE:
            yield from _walk(value, what, depth + 1)
        else:
            yield what, bytes(value)


def _fields(message: memoryview, wanted: dict[int, str]) -> Iterator[tuple[int, memoryview]]:
    place, end = 0, len(message)
    while place < end:
        tag, place = _varint(message, place)
        wire = tag & 7
        if wire == _MESSAGE:
            size, place = _varint(message, place)
            if place + size > end:
                raise ValueError("cut off")
            if tag >> 3 in wanted:
                yield tag >> 3, message[place : place + size]
            place += size
        elif wire == _VARINT:
            _, place = _varint(message, place)
        elif wire in (_FOUR_BYTES, _EIGHT_BYTES):
            place += 4 if wire == _FOUR_BYTES else 8
        else:
            raise ValueError(f"wire type {wire}")


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7
        if shift > 63:
            raise ValueError("a number beyond 64 bits")
