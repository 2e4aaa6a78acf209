"""The store in a folder: bundles by digest, each whole or not there."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec

from mlops_ci.edge import files
from mlops_ci.errors import OutsideError
from mlops_ci.records.bundles import SIGNATURE, Manifest

_BUNDLES = "bundles"
_MANIFEST = "manifest.json"


def put(store: Path, bundle: Path, digest: str) -> Path:
    """Copy a bundle into the store, which git does not see, and read it back; its place there. What is there stays."""
    target = place(store, digest)
    ignored = store / ".gitignore"
    if not ignored.exists():
        files.write(ignored, b"# Bundles lie here by their digests; the ledger says which is which.\n*\n")
    if not target.is_dir():
        with files.folder(target) as fresh:
            shutil.copytree(bundle, fresh, dirs_exist_ok=True)
    if problem := damage(target, digest, signed=True):
        raise OutsideError(f"the bundle in the store is not the one that was put there: {problem}", f"Remove {target}.")
    return target


def place(store: Path, digest: str) -> Path:
    """Where the bundle of that digest lies."""
    return store / _BUNDLES / digest


def vouched(bundle: Path) -> frozenset[str]:
    """The names of what its manifest vouches for, and of the manifest."""
    return frozenset(msgspec.json.decode((bundle / _MANIFEST).read_bytes(), type=Manifest).files) | {_MANIFEST}


def damage(bundle: Path, digest: str, *, signed: bool = False) -> str:
    """How a bundle differs from the one of that digest, file by file; empty where it does not.

    `signed`: a plain file model.sig may lie beside what is listed.
    """
    try:
        listed = (bundle / _MANIFEST).read_bytes()
    except OSError as error:
        return f"{_MANIFEST} cannot be read ({error.strerror or error})"
    if hashlib.sha256(listed).hexdigest() != digest:
        return f"{_MANIFEST} has another digest"
    expected = msgspec.json.decode(listed, type=Manifest).files
    found = {
        path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if not path.is_dir() or path.is_symlink()
    }
    if signed and (bundle / SIGNATURE).is_file() and not (bundle / SIGNATURE).is_symlink():
        found -= {SIGNATURE} - expected.keys()
    for name in sorted(found ^ (expected.keys() | {_MANIFEST})):
        return f"{name} is {'missing' if name in expected else 'not listed'}"
    for name, of in expected.items():
        if (bundle / name).is_symlink() or files.sha256(bundle / name) != of.sha256:
            return f"{name} was changed"
    return ""
