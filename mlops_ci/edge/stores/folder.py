"""The store in a folder: bundles, predictions and snapshots by digest, each whole or not there."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import files
from mlops_ci.errors import OutsideError
from mlops_ci.records.bundles import SIGNATURE, Manifest

if TYPE_CHECKING:
    from mlops_ci.records.stores import ItemKind

_FOLDERS: dict[ItemKind, str] = {"bundle": "bundles", "predictions": "predictions", "snapshot": "snapshots"}
_MANIFEST = "manifest.json"


def put(store: Path, item: Path, digest: str, *, kind: ItemKind = "bundle") -> Path:
    """Copy a folder into the store, which git does not see, and read it back; its place there. What is there stays."""
    target = place(store, digest, kind=kind)
    ignored = store / ".gitignore"
    if not ignored.exists():
        files.write(
            ignored,
            b"# Bundles and more lie here by their digests; the ledger says which is which.\n*\n",
        )
    if not target.is_dir():
        with files.folder(target) as fresh:
            shutil.copytree(item, fresh, dirs_exist_ok=True)
    if problem := damage(target, digest, signed=kind == "bundle"):
        raise OutsideError(f"the {kind} in the store is not what was put there: {problem}", f"Remove {target}.")
    return target


def place(store: Path, digest: str, *, kind: ItemKind = "bundle") -> Path:
    """Where the item of that digest lies."""
    return store / _FOLDERS[kind] / digest


def vouched(item: Path) -> frozenset[str]:
    """The names of what its manifest vouches for, and of the manifest."""
    return frozenset(msgspec.json.decode((item / _MANIFEST).read_bytes(), type=Manifest).files) | {_MANIFEST}


def damage(item: Path, digest: str, *, signed: bool = False) -> str:
    """How a folder differs from the one of that digest, file by file; empty where it does not.

    `signed`: a plain file model.sig may lie beside what is listed.
    """
    try:
        listed = (item / _MANIFEST).read_bytes()
    except OSError as error:
        return f"{_MANIFEST} cannot be read ({error.strerror or error})"
    if hashlib.sha256(listed).hexdigest() != digest:
        return f"{_MANIFEST} has another digest"
    expected = msgspec.json.decode(listed, type=Manifest).files
    found = {path.relative_to(item).as_posix() for path in item.rglob("*") if not path.is_dir() or path.is_symlink()}
    if signed and (item / SIGNATURE).is_file() and not (item / SIGNATURE).is_symlink():
        found -= {SIGNATURE} - expected.keys()
    for name in sorted(found ^ (expected.keys() | {_MANIFEST})):
        return f"{name} is {'missing' if name in expected else 'not listed'}"
    for name, of in expected.items():
        if (item / name).is_symlink() or files.sha256(item / name) != of.sha256:
            return f"{name} was changed"
    return ""
