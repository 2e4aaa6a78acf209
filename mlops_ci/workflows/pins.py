"""The actions the workflows use, each pinned by the commit of a released version."""

from __future__ import annotations

import re

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


def with_newer_pins(text: str, of: str) -> str:
    """`text` with the pins of `of` where those are of a newer version."""
    theirs = {found["action"]: found for found in _USES.finditer(of)}

    def newer(found: re.Match[str]) -> str:
        other = theirs.get(found["action"])
        return other.group() if other and _order(other["version"]) > _order(found["version"]) else found.group()

    return _USES.sub(newer, text)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split("."))
