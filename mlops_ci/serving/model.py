"""A bundle that has proved itself: loaded, and its golden requests answered as they were judged."""

from __future__ import annotations

from typing import Any

import msgspec

from . import golden
from .bundle import Bundle
from .engine import Engine
from .validate import Checked, Signature, Table


class Model:
    """Asks the engine with what the signature lets through."""

    def __init__(self, bundle: Bundle, release: str = "") -> None:
        """Raises BundleError where the model cannot be loaded, or answers otherwise than when it was judged.

        `release` is its number, which a bundle cannot know: it is given to the digest.
        """
        self.bundle = bundle
        self.serving = msgspec.structs.replace(bundle.serving, release=release or bundle.serving.release)
        self.signature = Signature(bundle.serving)
        self.outputs = [each.name for each in bundle.serving.outputs]
        self.engine = Engine(bundle)
        self.fingerprint = golden.answered(bundle.golden, self.signature, self.engine, self.outputs)

    def answer(self, table: Table, most: int | None = None) -> tuple[Checked, list[list[Any]]]:
        """What was asked, checked, and the columns of the answer; at most `most` rows. Raises Refused."""
        checked = self.signature.checked(table, most)
        return checked, self.engine(checked.rows)
