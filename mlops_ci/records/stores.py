"""What `store:` in mlops.yaml names: a folder, or a place that many machines reach."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
DEFAULT = ".mlops-ci/store"
ALLOWED = "a folder, or github-release"


class StorePlace(msgspec.Struct, frozen=True, kw_only=True):
    """`folder`: of what is kept here; relative to the project. A remote keeps what is fetched there."""

    kind: Literal["folder", "github-release"]
    folder: str


def store_place(text: str) -> StorePlace | None:
    """None where the text names no place that is known."""
    if text == "github-release":
        return StorePlace(kind="github-release", folder=DEFAULT)
    return None if _SCHEME.match(text) or text in ("oci", "s3") else StorePlace(kind="folder", folder=text)
