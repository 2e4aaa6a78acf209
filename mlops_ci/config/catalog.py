"""The keys of mlops.yaml as a list: for messages, docs/settings.md and the JSON Schema."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import NODEFAULT
from msgspec import inspect as types

from mlops_ci.config.settings import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = {
    "texts": "a text or a list of texts",
    "share": "a share such as 20% or 0.2",
    "duration": "a duration such as 60m, 24h or 7d",
    "range": "two numbers, the smaller first: [0, 1]",
}


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key: its dotted name, what it is for, what is allowed, and its default (None: required)."""

    name: str
    description: str
    allowed: str
    default: str | None


def reads(kind: types.Type) -> str:
    """How the values of a type are read: `texts`, `share`, `duration`, or empty."""
    return (kind.extra or {}).get("reads", "") if isinstance(kind, types.Metadata) else ""


def allowed(kind: types.Type) -> str:
    """The values of a type, in words."""
    if isinstance(kind, types.Metadata):
        return EXAMPLES.get(reads(kind)) or allowed(kind.type)
    if isinstance(kind, types.UnionType):
        return " or ".join(allowed(choice) for choice in kind.types if not isinstance(choice, types.NoneType))
    if isinstance(kind, types.LiteralType):
        return " | ".join(str(choice) for choice in kind.values)
    if isinstance(kind, types.IntType):
        low = f" from {kind.ge}" if kind.ge is not None else ""
        return f"a whole number{low}" + (f" to {kind.le}" if kind.le is not None else "")
    if isinstance(kind, types.StructType):
        return f"a mapping with {' | '.join(item.encode_name for item in kind.fields)}"
    return {
        types.DictType: "a mapping, name: value",
        types.VarTupleType: "a list",
        types.BoolType: "true | false",
    }.get(type(kind), "a text")


@cache
def keys() -> tuple[Key, ...]:
    """Every key, in the order of the file. `*` stands for a name, `[]` for an item of a list."""
    root = msgspec.inspect.type_info(Keys)
    assert isinstance(root, types.StructType)  # noqa: S101 - for the type checker: Keys is a Struct
    return tuple(_keys(root, ""))


def structs(kind: types.Type) -> Iterator[types.StructType]:
    """The mappings a type holds, itself included, not those inside them."""
    if isinstance(kind, types.Metadata):
        yield from structs(kind.type)
    elif isinstance(kind, types.StructType):
        yield kind
    elif isinstance(kind, types.UnionType):
        for choice in kind.types:
            yield from structs(choice)


def _keys(struct: types.StructType, prefix: str) -> Iterator[Key]:
    for item in struct.fields:
        name = f"{prefix}{item.encode_name}"
        yield Key(name=name, description=_description(item.type), allowed=allowed(item.type), default=_default(item))
        plain = item.type.type if isinstance(item.type, types.Metadata) else item.type
        inner, mark = plain, "."
        if isinstance(plain, types.DictType):
            inner, mark = plain.value_type, ".*."
        elif isinstance(plain, types.VarTupleType):
            inner, mark = plain.item_type, "[]."
        for nested in structs(inner):
            yield from _keys(nested, f"{name}{mark}")


def _description(kind: types.Type) -> str:
    return str((kind.extra_json_schema or {}).get("description", "")) if isinstance(kind, types.Metadata) else ""


def _default(item: types.Field) -> str | None:
    if item.required:
        return None
    if item.default is NODEFAULT:
        return ""
    value: Any = item.default
    if isinstance(value, msgspec.Struct) or value is None or value in ("", ()):
        return ""
    if reads(item.type) == "share":
        return f"{value:.0%}"
    if reads(item.type) == "duration":
        return f"{value // 60}m"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
