"""manifest.json: the sha256 and size of every other file, and by its own sha256 the digest of the bundle."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mlops_ci.records.bundles import FileDigest, Manifest
from mlops_ci.records.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "manifest.json"


def manifest(files: Mapping[str, bytes]) -> bytes:
    """The bytes of manifest.json for these files, path in the bundle -> content."""
    return listing(
        {path: FileDigest(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data)) for path, data in files.items()}
    )


def listing(files: Mapping[str, FileDigest]) -> bytes:
    """The bytes of manifest.json for files that are too large to be held, path in the bundle -> what they are."""
    return canonical_json(Manifest(version=1, files=dict(files)))


def digest(manifest_json: bytes) -> str:
    """The digest of a bundle, 64 hex digits."""
    return hashlib.sha256(manifest_json).hexdigest()
