"""Objects of JSON that have the same names, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec


def named(names: Sequence[str]) -> Callable[..., Any]:
    """What makes of values, one a name, what msgspec writes as an object of these names in this order.

    A struct is made and written in half the time of a dict.
    """
    return struct(names, [Any] * len(names)) or (lambda *values: dict(zip(names, values, strict=True)))


def struct(names: Sequence[str], types: Sequence[Any]) -> type[msgspec.Struct] | None:
    """An object of exactly these names; None where JSON escapes one: msgspec has no field of such a name."""
    fields = {f"f{place}": name for place, name in enumerate(names)}
    try:
        return msgspec.defstruct(
            "Named", list(zip(fields, types, strict=True)), rename=fields, forbid_unknown_fields=True, gc=False
        )
    except ValueError:
        return None
