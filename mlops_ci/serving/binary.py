"""Tensors as bytes behind the JSON of a question or an answer: the binary extension of the Open Inference Protocol.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
Little endian; each text is its length in four bytes, and its UTF-8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .errors import Refused

EXTENSION = "binary_tensor_data"
LENGTH = b"inference-header-content-length"
CONTENT_TYPE = b"application/octet-stream"
_DTYPES = {
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    "BOOL": "?",
}


def parted(body: bytes, headers: Mapping[bytes, bytes]) -> tuple[bytes, memoryview]:
    """The JSON, and the bytes behind it. Raises Refused where the header that says how long the JSON is cannot be."""
    length = headers.get(LENGTH)
    if length is None:
        return body, memoryview(b"")
    if not (length.isdigit() and len(length) < 20 and int(length) <= len(body)):
        found = f"{length[:20].decode('latin-1')!r}; the body has {len(body)} bytes"
        raise Refused("wrong_form", f"{LENGTH.decode()} is {found}")
    return body[: int(length)], memoryview(body)[int(length) :]


def values(content: memoryview, datatype: str, name: str) -> list[Any]:
    """The values of one tensor; NaN is missing, as nothing else can say so. Raises Refused."""
    if datatype == "BYTES":
        return _texts(content, name)
    dtype = _DTYPES.get(datatype)
    if dtype is None:
        raise _refused(name, f"{datatype[:20]!r} has no binary form here")
    size = np.dtype(dtype).itemsize
    if len(content) % size:
        raise _refused(name, f"{len(content)} bytes are no whole number of values of {size}")
    found: list[Any] = np.frombuffer(content, dtype=dtype).tolist()
    return [None if value != value else value for value in found] if "f" in dtype else found


def _texts(content: memoryview, name: str) -> list[str]:
    texts, place = [], 0
    while place < len(content):
        begin = place + 4
        place = begin + int.from_bytes(content[place:begin], "little")
        if begin > len(content) or place > len(content):
            raise _refused(name, "a text is longer than its tensor")
        try:
            texts.append(str(content[begin:place], "utf-8"))
        except UnicodeDecodeError as error:
            raise _refused(name, f"text {len(texts)} is not UTF-8: {error.reason}") from None
    return texts


def written(answers: Sequence[Any], datatype: str) -> bytes:
    """The bytes of a tensor of these values."""
    if datatype == "BYTES":
        texts = [text.encode() for text in answers]
        return b"".join(part for text in texts for part in (len(text).to_bytes(4, "little"), text))
    return np.array(answers, dtype=_DTYPES[datatype]).tobytes()


def _refused(name: str, words: str) -> Refused:
    return Refused("wrong_binary", words, where=f"column {name[:100]}")
