"""waivers.yaml: gates knowingly overridden for a while; read, and put into. The format is in docs/waivers.md."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import msgspec

from mlops_ci.config.convert import described, key_text, mapping, refuse
from mlops_ci.config.yaml import Document, Path, load, scalar
from mlops_ci.errors import ConfigError
from mlops_ci.records.verdicts import Waiver

FILE = "waivers.yaml"
_START = """# Gates that are knowingly overridden for a while. What counts is what the base of a change holds.
version: 1
waivers:
"""
_EXAMPLE = """version: 1
waivers:
  - gate: accuracy >= 0.8
    reason: the sensors of May were broken
    owner: Ada Example
    until: 2026-12-01
"""
_TOP = ("version", "waivers")
_KEYS = ("gate", "reason", "owner", "until")


def parse(text: str, *, file: str = FILE) -> tuple[Waiver, ...]:
    """The waivers in `text`, in their order. ConfigError with file, line and key where it cannot be used."""
    document = load(text, file=file, example=_EXAMPLE)
    top = mapping(document, document.value, (), _TOP)
    if top.get("version") != 1:
        at: Path = ("version",) if "version" in top else ()
        refuse(document, at, f"found version {described(top.get('version'))}", "This mlops-ci reads `version: 1`.")
    listed = top.get("waivers") or []
    if not isinstance(listed, list):
        refuse(document, ("waivers",), f"found {described(listed)}", f"Allowed: a list, for example:\n{_EXAMPLE}")
    found = tuple(_waiver(document, item, ("waivers", place)) for place, item in enumerate(listed))
    for place, waiver in enumerate(found):
        for first in found[:place]:
            if waiver.is_for(first.gate):
                here: Path = ("waivers", place, "gate")
                refuse(document, here, f"{waiver.gate} is waived twice (first at {first.where})", "Keep one of them.")
    return found


def day(text: str) -> str | None:
    """`text` where it is a day, `2026-12-01`; else None."""
    try:
        return text if date.fromisoformat(text).isoformat() == text else None
    except ValueError:
        return None


def with_waiver(text: str | None, waiver: Waiver, *, file: str = FILE) -> str:
    """`text` (None: there is no file yet) with the waiver in it, in the place of one for the same gate.

    Comments and other entries stay as they are; the same waiver again changes nothing. ConfigError where the file
    cannot be used, or is written so that no entry can be put in.
    """
    if text is None:
        return _START + _entry(waiver, 2)
    before = parse(text, file=file)
    place = next((at for at, one in enumerate(before) if waiver.is_for(one.gate)), len(before))
    if place < len(before) and _said(before[place]) == _said(waiver):
        return text
    made = _put(text, load(text, file=file), waiver, place)
    expected = [_said(one) for one in before]
    expected[place : place + 1] = [_said(waiver)]
    try:
        kept = [_said(one) for one in parse(made, file=file)] == expected
    except ConfigError:
        kept = False
    if not kept:
        raise ConfigError(
            "no entry can be put into the list as it is written",
            f"Write one entry a line under `waivers:`, or add this by hand:\n{_entry(waiver, 2)}",
            where=file,
        )
    return made


def _put(text: str, document: Document, waiver: Waiver, place: int) -> str:
    """The text with the entry at `place` of the list replaced; one more where the list is not that long."""
    if ("waivers",) not in document.lines:
        return f"{text.rstrip()}\nwaivers:\n{_entry(waiver, 2)}"
    lines = f"{text.removesuffix(chr(10))}\n".splitlines(keepends=True)
    starts = sorted(line - 1 for path, line in document.lines.items() if path and len(path) <= 2)
    ends = {start: _without_remarks(lines, start, end) for start, end in pairwise([*starts, len(lines)])}
    listed = sorted(line - 1 for path, line in document.lines.items() if len(path) == 2)
    indent = len(lines[listed[0]]) - len(lines[listed[0]].lstrip()) if listed else 2
    last = listed[-1] if listed else document.lines["waivers",] - 1
    start, end = (listed[place], ends[listed[place]]) if place < len(listed) else (ends[last], ends[last])
    return "".join([*lines[:start], _entry(waiver, indent), *lines[end:]])


def _without_remarks(lines: list[str], start: int, end: int) -> int:
    """Where an entry ends: blank lines and comments before the next one belong to that."""
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _entry(waiver: Waiver, indent: int) -> str:
    values = {key: scalar(getattr(waiver, key)) for key in _KEYS} | {"until": waiver.until}
    lines = [f"{key}: {value}\n" for key, value in values.items()]
    return " " * indent + "- " + (" " * (indent + 2)).join(lines)


def _waiver(document: Document, item: Any, path: Path) -> Waiver:
    found = mapping(document, item, path, _KEYS)
    texts = {key: _text(document, found, path, key) for key in _KEYS}
    if day(texts["until"]) is None:
        refuse(document, (*path, "until"), f"found {described(texts['until'])}", "Allowed: a day such as 2026-12-01.")
    return Waiver(**texts, where=document.where(path))


def _text(document: Document, found: dict[str, Any], path: Path, key: str) -> str:
    value = found.get(key)
    here = (*path, key)
    if value is None:
        refuse(document, here if key in found else path, f"{key_text(here)} is missing", f"Needed: {', '.join(_KEYS)}.")
    if not isinstance(value, str) or not value.strip():
        refuse(document, here, f"found {described(value)}", "Allowed: a text; put a number into quotes.")
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in value):
        refuse(document, here, f"found {described(value)}", "Allowed: one line without control characters.")
    return value.strip()


def _said(waiver: Waiver) -> Waiver:
    return msgspec.structs.replace(waiver, where=None)
