"""A container image of a bundle: what it is called, what was built, how it behaved, where it was pushed."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

import msgspec

# https://github.com/distribution/reference
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
REPOSITORY = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*")
TAGGED = re.compile(rf"{REPOSITORY.pattern}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?")
BASE = re.compile(rf"(?P<name>{TAGGED.pattern})@(?P<digest>sha256:[0-9a-f]{{64}})")

Target = Literal["docker", "lambda", "functions", "batch"]
"""Where an image runs: the bundle's own server, AWS Lambda, the Functions Framework, a job that scores files."""
TARGETS: tuple[Target, ...] = get_args(Target)


class ImageNames(msgspec.Struct, frozen=True, kw_only=True):
    """What an image says of itself in its labels. Empty: not known."""

    project: str
    bundle: str
    """The digest of the bundle, 64 hex digits."""
    commit: str = ""
    created: str = ""
    """When the commit was made, ISO 8601 UTC."""
    release: str = ""
    """`v12`."""
    decision: str = ""
    """The decision that made it a release."""


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """An image in the engine's own store."""

    image: str
    """Its id there: `sha256:…`, of its configuration."""
    name: str
    """`repository:tag`."""
    bytes: int
    """Unpacked, with the base."""
    layers: tuple[str, ...]
    """sha256 of each layer's tar, the base's first: the same for the same content."""
    sizes: tuple[int, ...]
    """Bytes of each layer, unpacked; empty where the engine's history does not say which is whose."""
    user: str
    """Who runs in it, as the image says it."""
    program: tuple[str, ...]
    """What it runs: entrypoint and command."""


class Smoke(msgspec.Struct, frozen=True, kw_only=True):
    """What the image did in a container with a read-only root, no capabilities, no network and a memory limit."""

    ok: bool
    reason: str = ""
    """Why not."""
    seconds: float = 0.0
    """From the start to the first time it was ready; of a batch image to its last answer."""
    rows: int = 0
    """Golden requests that it answered as the judged model did."""
    fingerprint: str = ""
    peak_memory: int = 0
    """Bytes: the largest resident size of its processes."""
    memory: int = 0
    """Bytes it was allowed."""


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """An image in a registry."""

    reference: str
    """`repository@sha256:…`, as the registry answered for it."""
    layers: int
    new_layers: int
    """How many of them the registry did not have."""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """All that became of a bundle on its way into a registry."""

    target: Target
    bundle: str
    base: str
    built: Built
    smoke: Smoke
    pushed: Pushed | None = None

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "target": self.target,
            "image": self.pushed.reference if self.pushed else "",
            "name": self.built.name,
            "id": self.built.image,
            "bundle": self.bundle,
            "base": self.base,
            "bytes": self.built.bytes,
            "layers": self.built.layers,
            "new_layers": self.pushed.new_layers if self.pushed else None,
            "smoke": self.smoke,
        }
