"""Objects of JSON that have the same names, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec


def named(names: Sequence[str]) -> Callable[..., Any]:
    """What makes of values, one a name, what msgspec writes as an object of these names in this order.

    A struct is made and written in half the time of a dict.
    """
    fields = {f"f{place}": name for place, name in enumerate(names)}
    try:
        return msgspec.defstruct("Named", [(field, Any) for field in fields], rename=fields, gc=False)
    except ValueError:  # a name with a character that JSON escapes: msgspec has no field of such a name
        return lambda *values: dict(zip(names, values, strict=True))
