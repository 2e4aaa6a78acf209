"""The lines of the prediction log: one a row that was answered, one a request that was not."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from .described import Serving
from .errors import Refused
from .named import named
from .validate import Checked, Row, picker

_EXACT = 2**53
_encode = msgspec.json.Encoder(enc_hook=str).encode  # of what is no JSON, dates and times, the text


class _Answered(msgspec.Struct, gc=False):
    """What a line says of one row."""

    row: int
    inputs: Any
    outputs: Any
    ids: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Recorder:
    """Makes lines. Private columns are hashed under `key`, or left out where there is none."""

    def __init__(self, serving: Serving, digest: str, key: bytes) -> None:
        self._same = _encode({"digest": digest, "release": serving.release})[1:-1]
        self._outputs = named([each.name for each in serving.outputs])
        private = frozenset(serving.private)
        shown = [(place, each.name) for place, each in enumerate(serving.inputs) if each.name not in private]
        hidden = [(place, each.name) for place, each in enumerate(serving.inputs) if each.name in private]
        hashed = hidden if key else []
        self._shown = picker([place for place, _ in shown]) if shown else _nothing
        self._hashed = [place for place, _ in hashed]
        self._inputs = named([name for _, name in (*shown, *hashed)])
        self._keyed = bool(key)
        self._private = private
        self._hash = _hasher(key)
        self._second, self._time = 0, b""  # the text of a second is that of all its requests

    def answered(
        self, request: bytes, milliseconds: float, checked: Checked, answers: Sequence[Sequence[Any]]
    ) -> bytes:
        """A line for each row: time, request, row, digest, release, ids, inputs, outputs, milliseconds, status."""
        head = self._head(request, milliseconds, 200)
        lines = []
        for row, (values, outputs) in enumerate(zip(checked.rows, zip(*answers, strict=True), strict=True)):
            inputs = self._shown(values)
            if self._hashed:
                inputs = (*inputs, *[self._hash(values[place]) for place in self._hashed])
            record = _Answered(row, self._inputs(*inputs), self._outputs(*outputs))
            if checked.ids:
                record.ids = self._ids(checked.ids, row)
            lines.append(head + _encode(record)[1:] + b"\n")
        return b"".join(lines)

    def refused(self, request: bytes, milliseconds: float, refused: Refused) -> bytes:
        """One line, without values: the code says what was wrong, `where` in which row and column."""
        fields = {"row": None, "error": refused.code, "where": refused.where}
        return self._head(request, milliseconds, refused.status) + _encode(fields)[1:] + b"\n"

    def _head(self, request: bytes, milliseconds: float, status: int) -> bytes:
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second, self._time = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
        return b'{"time":"%b.%03dZ","request":"%b",%b,"status":%d,"milliseconds":%.3f,' % (
            self._time,
            (now - second) * 1000,
            request,
            self._same,
            status,
            milliseconds,
        )

    def _ids(self, ids: Mapping[str, Sequence[Any]], row: int) -> dict[str, Any]:
        shown = {name: values[row] for name, values in ids.items() if name not in self._private}
        hashed = [name for name in ids if name in self._private] if self._keyed else []
        return shown | {name: self._hash(ids[name][row]) for name in hashed}


def _nothing(_: Row) -> Row:
    return ()


def _hasher(key: bytes) -> Callable[[Any], str | None]:
    """Equal values have equal hashes (3 is 3.0), which nobody without the key can guess values by."""
    derived = hashlib.blake2b(key, digest_size=32).digest()  # keys of any length

    def hashed(value: Any) -> str | None:
        if value is None:
            return None
        if type(value) is int and abs(value) <= _EXACT:
            value = float(value)
        return "blake2b:" + hashlib.blake2b(_encode(value), key=derived, digest_size=16).hexdigest()

    return hashed
