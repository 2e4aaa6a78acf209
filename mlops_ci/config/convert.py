"""Plain data into the structs of `settings`, with messages that name key, line, what was found and what is allowed."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from msgspec import NODEFAULT
from msgspec import inspect as types

from mlops_ci.config.catalog import EXAMPLES, allowed, keys, reads
from mlops_ci.config.yaml import Path
from mlops_ci.errors import ConfigError

if TYPE_CHECKING:
    from mlops_ci.config.yaml import Document

Problem = tuple[Path, str, str]
"""Path of a key, what was found, what to do."""

_SHORT = ("gate", "function")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,12})?)\s*%")


def key_text(path: Path) -> str:
    """A path as people write it: `gates[1].gate`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def refuse(document: Document, path: Path, message: str, advice: str) -> NoReturn:
    """Stop with the file, line and key of `path`."""
    where = str(document.where(path))
    raise ConfigError(message, advice, where=f"{where}: {key_text(path)}" if path else where)


def described(value: object) -> str:
    """What was found, in the words of YAML, cut to a line."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"a mapping ({', '.join(map(str, list(value)[:3]))}{', ...' if len(value) > 3 else ''})"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    kind = "the number" if isinstance(value, int | float) else "the text"
    shown = repr(value) if isinstance(value, str) else str(value)
    return f"{kind} {shown if len(shown) <= 60 else shown[:57] + '...'}"


def mapping(document: Document, value: Any, path: Path, known: tuple[str, ...]) -> dict[str, Any]:
    """A mapping with some of the keys that are known, of a small file. ConfigError for any other."""
    if not isinstance(value, dict):
        refuse(document, path, f"found {described(value)}", f"Allowed: a mapping with {', '.join(known)}.")
    for key in value:
        if key not in known:
            close = get_close_matches(key, known, 1)
            advice = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
            refuse(document, (*path, key), f"there is no key {key!r}", advice)
    return value


def struct(document: Document, value: object, path: Path, kind: types.StructType) -> Any:
    """One mapping of mlops.yaml as its struct; an empty value (`slices:`) counts as left out."""
    if not isinstance(value, dict):
        _expected(document, path, value, f"a mapping with {' | '.join(item.encode_name for item in kind.fields)}")
    known = {item.encode_name: item for item in kind.fields}
    for key in value:
        if key not in known:
            _unknown(document, (*path, key), tuple(known))
    found = {}
    for name, item in known.items():
        if value.get(name) is not None:
            found[item.name] = convert(document, value[name], (*path, name), item.type)
        elif item.default is NODEFAULT and item.default_factory is NODEFAULT:
            here = (*path, name) if name in value else path
            refuse(document, here, f"{key_text((*path, name))} is missing", f"It is {allowed(item.type)}.")
    return kind.cls(**found)


def convert(document: Document, value: object, path: Path, kind: types.Type) -> Any:
    """`value` as the type `kind`; ConfigError where it is not."""
    if isinstance(kind, types.Metadata):
        reader = _READERS.get(reads(kind))
        return reader(document, value, path) if reader else convert(document, value, path, kind.type)
    if isinstance(kind, types.StructType):
        return _short_or_struct(document, value, path, kind)
    if isinstance(kind, types.UnionType):
        return _union(document, value, path, kind)
    if isinstance(kind, types.DictType):
        if not isinstance(value, dict):
            _expected(document, path, value, allowed(kind))
        return {key: convert(document, item, (*path, key), kind.value_type) for key, item in value.items()}
    if isinstance(kind, types.VarTupleType):
        if not isinstance(value, list):
            _expected(document, path, value, allowed(kind))
        return tuple(convert(document, item, (*path, at), kind.item_type) for at, item in enumerate(value))
    return _scalar(document, value, path, kind)


def _short_or_struct(document: Document, value: object, path: Path, kind: types.StructType) -> Any:
    """A text where a mapping could stand is its `gate` or its `function`."""
    short = next((item.encode_name for item in kind.fields if item.encode_name in _SHORT), None)
    if isinstance(value, str) and short:
        return struct(document, {short: value}, path, kind)
    return struct(document, value, path, kind)


def _union(document: Document, value: object, path: Path, kind: types.UnionType) -> Any:
    choices = [choice for choice in kind.types if not isinstance(choice, types.NoneType)]
    wants_mapping = [choice for choice in choices if isinstance(choice, types.StructType)]
    if wants_mapping and isinstance(value, dict):
        return struct(document, value, path, wants_mapping[0])
    plain = [choice for choice in choices if not isinstance(choice, types.StructType)]
    if len(plain) > 1:  # words or a number
        number = isinstance(value, int) and not isinstance(value, bool)
        plain = [choice for choice in plain if isinstance(choice, types.IntType) is number]
    chosen = (plain or wants_mapping)[0]
    if isinstance(chosen, types.LiteralType):
        return _word(document, value, path, chosen, allowed(kind))
    return convert(document, value, path, chosen)


def _scalar(document: Document, value: object, path: Path, kind: types.Type) -> Any:
    if isinstance(kind, types.LiteralType):
        return _word(document, value, path, kind, allowed(kind))
    if isinstance(kind, types.StrType):
        return _text(document, value, path, kind)
    if isinstance(kind, types.BoolType):
        if not isinstance(value, bool):
            _expected(document, path, value, allowed(kind))
        return value
    if isinstance(kind, types.IntType):
        if isinstance(value, bool) or not isinstance(value, int) or not _within(value, kind):
            _expected(document, path, value, allowed(kind))
        return value
    return value


def _word(document: Document, value: object, path: Path, kind: types.LiteralType, among: str) -> object:
    """One of the values of `kind`; `among`: everything that is allowed there, in words."""
    if value not in kind.values:
        close = get_close_matches(str(value), [str(choice) for choice in kind.values], 1)
        _expected(document, path, value, among, f" Did you mean {close[0]}?" if close else "")
    return value


def _text(document: Document, value: object, path: Path, kind: types.StrType) -> str:
    if isinstance(value, bool | int | float):
        _expected(document, path, value, f'text: put it into quotes, "{value}"')
    if not isinstance(value, str) or not value.strip():
        _expected(document, path, value if value else None, "a text")
    if kind.pattern and not re.fullmatch(kind.pattern.strip("^$"), value):
        _expected(document, path, value, "small letters, digits and `-`, at most 63, not starting with `-`")
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        _expected(document, path, value, "one line without control characters")
    return value


def _texts(document: Document, value: object, path: Path) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    places = [(*path, at) for at in range(len(items))] if isinstance(value, list) else [path]
    found = tuple(_text(document, item, at, types.StrType()) for item, at in zip(items, places, strict=True))
    for at, name in enumerate(found):
        if name in found[:at]:
            refuse(document, places[at], f"{name!r} is there twice", "Name each once.")
    return found


def _share(document: Document, value: object, path: Path) -> float:
    share = math.nan
    if isinstance(value, str) and (match := _SHARE.fullmatch(value.strip())):
        share = float(match[1]) / 100
    elif isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    if not 0 < share < 1:
        _expected(document, path, value, f"{EXAMPLES['share']}, more than 0 and less than 100%")
    return share


def _duration(document: Document, value: object, path: Path) -> int:
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match or int(match[1]) == 0:
        _expected(document, path, value, EXAMPLES["duration"])
    return int(match[1]) * _SECONDS[match[2]]


def _range(document: Document, value: object, path: Path) -> tuple[float, float]:
    ends = value if isinstance(value, list) else []
    numbers = [float(end) for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(ends) != 2 or len(numbers) != 2 or not all(map(math.isfinite, numbers)) or numbers[0] >= numbers[1]:
        _expected(document, path, value, EXAMPLES["range"])
    return numbers[0], numbers[1]


_READERS = {"texts": _texts, "share": _share, "duration": _duration, "range": _range}


def _within(value: int, kind: types.IntType) -> bool:
    return (kind.ge is None or value >= kind.ge) and (kind.le is None or value <= kind.le)


def _expected(document: Document, path: Path, value: object, allowed: str, more: str = "") -> NoReturn:
    refuse(document, path, f"found {described(value)}", f"Allowed: {allowed}.{more}")


def _unknown(document: Document, path: Path, known: tuple[str, ...]) -> NoReturn:
    key = str(path[-1])
    inside = key_text(path[:-1])
    around = f" in {inside}" if inside else ""
    if close := get_close_matches(key, known, 1, 0.6):
        advice = f"Did you mean {close[0]}?"
    elif elsewhere := [known.name for known in keys() if known.name.rsplit(".", 1)[-1] == key]:
        advice = f"It belongs elsewhere: {elsewhere[0]}."
    else:
        advice = f"Known{around or ' here'}: {', '.join(known)}."
    refuse(document, path, f"there is no key {key!r}{around}", advice)
