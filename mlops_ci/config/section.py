"""What a mapping in mlops.yaml is, and the kinds of values that can be written in more than one way (convert.py)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

_TEXTS: dict[str, Any] = {"type": ["string", "array"]}
Names = Annotated[tuple[str, ...], Meta(extra={"reads": "texts"}, extra_json_schema=_TEXTS)]
Share = Annotated[float, Meta(extra={"reads": "share"}, extra_json_schema={"type": ["number", "string"]})]
Range = Annotated[
    tuple[float, float],
    Meta(extra={"reads": "range"}, extra_json_schema={"type": "array", "prefixItems": [{"type": "number"}] * 2}),
]
Duration = Annotated[int, Meta(extra={"reads": "duration"}, extra_json_schema={"type": "string"})]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping in mlops.yaml."""
