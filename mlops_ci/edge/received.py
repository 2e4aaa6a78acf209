"""A file as it arrives: no more bytes than allowed, and it is there only when it is whole."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType

import msgspec

from mlops_ci.errors import OutsideError


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file before it comes. `what`: its name in messages; `digest`: `sha256:…`, if it is known."""

    what: str
    size: int
    digest: str | None
    limit: int
    too_large: str
    """What to think of where it has more bytes than `limit`."""


class Received:
    """A context, and a sink: left without an error, `file` holds all that came; left with one, there is no file."""

    def __init__(self, file: Path, expected: Expected) -> None:
        self._file, self._expected = file, expected
        self._digest, self._size = hashlib.sha256(), 0

    def __enter__(self) -> Received:
        self._limited(self._expected.size)
        self._out = self._file.open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._out.close()
        if kind is not None:
            self._file.unlink(missing_ok=True)
            return
        expected = self._expected.digest
        if expected is not None and expected != f"sha256:{self._digest.hexdigest()}":
            self._file.unlink(missing_ok=True)
            raise self._refused("arrived with another digest than it should have", "Run the command again.")

    def restart(self) -> None:
        self._out.seek(0)
        self._out.truncate()
        self._digest, self._size = hashlib.sha256(), 0

    def add(self, part: bytes) -> None:
        self._size += len(part)
        self._limited(self._size)
        self._digest.update(part)
        self._out.write(part)

    def _limited(self, size: int) -> None:
        if size > self._expected.limit:
            raise self._refused(f"has more than {self._expected.limit:,} bytes", self._expected.too_large)

    def _refused(self, what: str, advice: str) -> OutsideError:
        return OutsideError(f"{self._expected.what} {what}", advice)
