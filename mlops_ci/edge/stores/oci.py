"""The store in a registry: each file an OCI artifact with one layer, under a tag of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from mlops_ci.edge.received import Expected, Received
from mlops_ci.edge.stores.registry import MANIFEST, digest_of
from mlops_ci.edge.stores.remote import same_as
from mlops_ci.errors import OutsideError
from mlops_ci.records.canonical import canonical_json

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.edge.stores.registry import Registry

ARTIFACT = "application/vnd.mlops-ci.archive.v1+zip"
_LAYER = "application/zip"
_EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
"""https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor"""


class _Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    media_type: str
    digest: Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]
    size: Annotated[int, msgspec.Meta(ge=0)]
    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class _Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    schema_version: int
    media_type: str
    artifact_type: str
    config: _Descriptor
    layers: tuple[_Descriptor, ...]


class OciStore:
    """Needs the right to push to keep a file, the right to pull to fetch one."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.place = registry.place

    def put(self, name: str, file: Path) -> None:
        """The tag is written last: what was cut off before is no artifact, and the registry's to collect."""
        manifest = _manifest(name, file)
        there = self._registry.manifest(name)
        if there is None:
            self._registry.put_blob(_EMPTY, digest_of(_EMPTY))
            self._registry.put_blob(file, digest_of(file))
            self._registry.put_manifest(name, manifest)
            there = self._registry.manifest(name)
        if there != manifest:
            raise OutsideError(
                f"{self.place}:{name} is not the artifact that was put there",
                "Somebody changed it: remove it there, then run the command again.",
            )
        same_as(file, lambda to: self.fetch(name, to, limit=file.stat().st_size), name=name, place=self.place)

    def fetch(self, name: str, into: Path, *, limit: int) -> bool:
        content = self._registry.manifest(name)
        if content is None:
            return False
        layer = self._layer(name, content)
        expected = Expected(
            what=f"{self.place}:{name}",
            size=layer.size,
            digest=layer.digest,
            limit=limit,
            too_large="Is it what mlops-ci put there?",
        )
        with Received(into, expected) as received:
            self._registry.blob(layer.digest, received)
        return True

    def size(self, name: str) -> int | None:
        content = self._registry.manifest(name)
        return None if content is None else self._layer(name, content).size

    def remove(self, name: str) -> None:
        """Its layer goes when the registry next collects what nothing names."""
        if (content := self._registry.manifest(name)) is not None:
            self._layer(name, content)  # what somebody else put there is left alone
            self._registry.delete_manifest(digest_of(content))

    def _layer(self, name: str, content: bytes) -> _Descriptor:
        try:
            manifest = msgspec.json.decode(content, type=_Manifest)
        except msgspec.MsgspecError as error:
            raise self._foreign(name, str(error)) from error
        if manifest.artifact_type != ARTIFACT or len(manifest.layers) != 1:
            raise self._foreign(name, f"it is {manifest.artifact_type[:80]!r} of {len(manifest.layers)} layers")
        return manifest.layers[0]

    def _foreign(self, name: str, reason: str) -> OutsideError:
        return OutsideError(f"{self.place}:{name} is nothing of mlops-ci's: {reason}", "Is `store:` the right one?")


def _manifest(name: str, file: Path) -> bytes:
    """The same bytes for the same file."""
    title = {"org.opencontainers.image.title": f"{name}.zip"}
    layer = _Descriptor(media_type=_LAYER, digest=digest_of(file), size=file.stat().st_size, annotations=title)
    return canonical_json(
        _Manifest(
            schema_version=2,
            media_type=MANIFEST,
            artifact_type=ARTIFACT,
            config=_Descriptor(media_type=_EMPTY_TYPE, digest=digest_of(_EMPTY), size=len(_EMPTY)),
            layers=(layer,),
        )
    )
