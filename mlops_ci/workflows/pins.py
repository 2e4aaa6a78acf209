"""The actions the workflows use, each pinned by the commit of a released version."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

import msgspec


class Pin(msgspec.Struct, frozen=True):
    """An action at a commit; `version` is the released version of that commit."""

    action: str
    version: str
    commit: str

    def __str__(self) -> str:
        return f"{self.action}@{self.commit} # {self.version}"


# An action of several parts (actions/cache/restore) is one commit.
_CACHE = ("v6.1.0", "55cc8345863c7cc4c66a329aec7e433d2d1c52a9")

PINS = {
    pin.action.partition("/")[2].replace("-", "_").replace("/", "_"): pin
    for pin in (
        Pin("actions/checkout", "v7.0.1", "3d3c42e5aac5ba805825da76410c181273ba90b1"),
        Pin("actions/setup-python", "v7.0.0", "5fda3b95a4ea91299a34e894583c3862153e4b97"),
        Pin("astral-sh/setup-uv", "v10.2.0", "c18668ad3cf93ea998bef934396af7bb5c839dc7"),
        Pin("actions/cache", *_CACHE),
        Pin("actions/cache/restore", *_CACHE),
        Pin("actions/cache/save", *_CACHE),
        Pin("actions/upload-artifact", "v7.0.2", "cf430e030ddbb5b0abf93d22962f4752f3646cd9"),
        Pin("actions/download-artifact", "v8.0.2", "9000827ccba6bdab643e8b6fd33ac0654aef8333"),
    )
}

_USES = re.compile(
    r"(?P<action>[\w.-]+/[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v[0-9]+(?:\.[0-9]+){0,2})(?=\r?$)", re.M
)


def without_pins(text: str) -> str:
    """`text` with every pin reduced to its action: Dependabot moves pins, and that is no edit."""
    return _USES.sub(lambda found: found["action"], text)


def level(mine: str, base: str, new: str) -> tuple[str, str, str]:
    """The three texts with the same pins, the newer of the file and the table; of equal versions the table's.

    In `mine` only the steps that stand in `base` too are levelled: a step that a person added keeps its pin.
    """
    lines = mine.split("\n")
    matcher = SequenceMatcher(None, without_pins(mine).split("\n"), without_pins(base).split("\n"), autojunk=False)
    ours = [at for block in matcher.get_matching_blocks() for at in range(block.a, block.a + block.size)]
    newest = _newest([new, *(lines[at] for at in ours)])
    for at in ours:
        lines[at] = _pinned(lines[at], newest)
    return "\n".join(lines), _pinned(base, newest), _pinned(new, newest)


def _newest(texts: list[str]) -> dict[str, str]:
    """Action -> its pin of the newest version; of equal versions the first."""
    found = [pin for text in texts for pin in _USES.finditer(text)]
    ordered = sorted(found, key=lambda pin: _order(pin["version"]), reverse=True)
    return {pin["action"]: pin.group() for pin in reversed(ordered)}


def _pinned(text: str, pins: dict[str, str]) -> str:
    return _USES.sub(lambda found: pins.get(found["action"], found.group()), text)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split("."))
