"""What every place that many machines reach can do: keep a file under a name, and give it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mlops_ci.edge import files
from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Remote(Protocol):
    """A store of files that never change: a name holds the digest of what is in the file.

    Every method raises OutsideError where the place refuses or is not reached.
    """

    @property
    def place(self) -> str:
        """What people call it: `GitHub releases of acme/ml`."""

    def put(self, name: str, file: Path) -> None:
        """Keep a file, and read it back. One that is there already stays, and has to have the same bytes."""

    def fetch(self, name: str, into: Path, *, limit: int) -> bool:
        """Write what is kept under the name to a file; False where there is nothing. Over `limit` bytes: no file."""

    def size(self, name: str) -> int | None:
        """Bytes of what is kept under the name; None where there is nothing."""

    def remove(self, name: str) -> None:
        """Keep it no more; what is gone already is no error."""


def same_as(file: Path, read_back: Callable[[Path], object], *, name: str, place: str) -> None:
    """Compare a file with what a store gives back; `read_back` writes that to a path."""
    with files.temporary() as scratch:
        read_back(scratch / "back")
        if files.sha256(scratch / "back") != files.sha256(file):
            raise OutsideError(
                f"{name} in {place} is not the file that was put there",
                "Somebody changed it: remove it there, then run the command again.",
            )
