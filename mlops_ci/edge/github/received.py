"""An artifact as it arrives: no more bytes than allowed, and the file is there only when it is whole."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType

from mlops_ci.edge.github.values import Artifact
from mlops_ci.errors import OutsideError


class Received:
    """A context: left without an error, `file` holds the artifact's zip; left with one, there is no file."""

    def __init__(self, file: Path, artifact: Artifact, limit: int) -> None:
        self._file, self._artifact, self._limit = file, artifact, limit
        self._digest, self._size = hashlib.sha256(), 0

    def __enter__(self) -> Received:
        if self._artifact.expired:
            raise self._refused("has expired", "Run the workflow again: GitHub keeps what a run uploads for a time.")
        self._limited(self._artifact.size_in_bytes)
        self._out = self._file.open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._out.close()
        if kind is not None:
            self._file.unlink(missing_ok=True)
            return
        expected = self._artifact.digest
        if expected is not None and expected != f"sha256:{self._digest.hexdigest()}":
            self._file.unlink(missing_ok=True)
            raise self._refused("arrived with another digest than GitHub names", "Run the command again.")

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
        if size > self._limit:
            raise self._refused(
                f"has more than {self._limit:,} bytes", "What a check leaves is smaller: is the artifact the right one?"
            )

    def _refused(self, what: str, advice: str) -> OutsideError:
        return OutsideError(f"the artifact {self._artifact.name!r} {what}", advice)
