"""mlops.yaml: text into a checked Config, and its JSON Schema."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect as types

from mlops_ci.config import catalog, convert, yaml
from mlops_ci.config.consistency import check
from mlops_ci.config.settings import VERSION, Config, Keys

if TYPE_CHECKING:
    from mlops_ci.config.yaml import Document


def parse(text: str, *, file: str) -> Config:
    """The settings in `text`, complete and consistent; ConfigError with file, line, key, found and allowed."""
    document = yaml.load(text, file=file)
    _readable_version(document)
    keys: Keys = convert.struct(document, document.value, (), _root())
    values = {name: getattr(keys, name) for name in keys.__struct_fields__}
    if not keys.data.split.salt:
        split = msgspec.structs.replace(keys.data.split, salt=keys.project)
        values["data"] = msgspec.structs.replace(keys.data, split=split)
    lines = {convert.key_text(path): line for path, line in document.lines.items()}
    config = Config(**values, file=file, lines=lines)
    check(config, document)
    return config


def effective(config: Config) -> dict[str, Any]:
    """Every key with its value, defaults filled in, as plain data in the order of the file."""
    plain: dict[str, Any] = msgspec.to_builtins(config)
    return {name: value for name, value in plain.items() if name not in ("file", "lines")}


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of mlops.yaml, for editors."""
    made: dict[str, Any] = msgspec.json.schema(Keys)
    definitions = made["$defs"]
    for struct in _all_structs(_root()):
        properties = definitions[struct.cls.__name__]["properties"]
        for item in struct.fields:
            _as_written(properties[item.encode_name], catalog.reads(item.type))
    for short in ("GateSetting", "MetricSetting"):
        definitions[short] = {"anyOf": [{"type": "string"}, definitions[short]]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "mlops.yaml", **made}


def _as_written(entry: dict[str, Any], reads: str) -> None:
    """What editors may write, where msgspec describes the value that was read."""
    if reads == "texts":
        items = {"type": entry.pop("type", "array"), "items": entry.pop("items", {"type": "string"})}
        entry["anyOf"] = [{"type": "string"}, items]
    elif reads in ("share", "duration"):
        entry.pop("anyOf", None)
        entry["type"] = ["number", "string"] if reads == "share" else "string"
        entry["examples"] = ["20%"] if reads == "share" else ["60m"]
        entry.pop("default", None)


@cache
def _root() -> types.StructType:
    root = msgspec.inspect.type_info(Keys)
    assert isinstance(root, types.StructType)  # noqa: S101 - for the type checker: Keys is a Struct
    return root


def _all_structs(struct: types.StructType) -> list[types.StructType]:
    found = [struct]
    for item in struct.fields:
        plain = item.type.type if isinstance(item.type, types.Metadata) else item.type
        inner = plain.value_type if isinstance(plain, types.DictType) else plain
        inner = inner.item_type if isinstance(inner, types.VarTupleType) else inner
        for nested in catalog.structs(inner):
            found += _all_structs(nested)
    return found


def _readable_version(document: Document) -> None:
    """A newer file is named as such before its keys are called unknown."""
    value = document.value
    version = value.get("version") if isinstance(value, dict) else None
    if isinstance(version, int) and version > VERSION:
        convert.refuse(
            document,
            ("version",),
            f"found version {version}; this mlops-ci reads up to {VERSION}",
            "Install a newer mlops-ci, or write the file for this one.",
        )
