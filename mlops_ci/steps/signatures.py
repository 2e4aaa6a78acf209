"""Signatures of bundles: made where a key is named, kept in the store by their digests, laid back beside their bundle.

A signature is no part of a bundle and has a place of its own: the same bundle can be signed by one key and another.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.edge import archives, files, signing
from mlops_ci.edge.stores import folder
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.records.bundles import SIGNATURE
from mlops_ci.records.releases import Signature
from mlops_ci.steps import stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.steps.progress import Clock
    from mlops_ci.steps.project import Project

_FOLDER = "signatures"
_LARGEST = 4 * 2**20


class Signer(NamedTuple):
    """A private key that can be used; `key`: the fingerprint of its public half."""

    path: Path
    key: str


class Signed(NamedTuple):
    """The content of a model.sig, and what is recorded of it."""

    content: bytes
    record: Signature


def signer(clock: Clock) -> Signer | None:
    """Who signs: the key that MLOPS_CI_SIGNING_KEY names. None where it names none, UsageError where it is no key."""
    path = signing.named_key()
    if path is None:
        return None
    found = Signer(path, signing.fingerprint("private", path, lambda text: clock.say("sign", text)))
    if signing.is_open(path):
        clock.note(f"{'sign':<9} others on this machine may read {path}: chmod 600 keeps a key from them")
    return found


def sign(bundle: Path, by: Signer, say: Callable[[str], None]) -> Signed:
    """Sign a bundle, which stays as it is; the same bundle and key give the same again."""
    if SIGNATURE in folder.vouched(bundle):
        raise UsageError(f"the bundle brings a {SIGNATURE} of its own", "Package it again: mlops-ci makes none.")
    content = signing.sign(bundle, by.path, say)
    return Signed(content, Signature(digest=hashlib.sha256(content).hexdigest(), key=by.key))


def keep(project: Project, signed: Signed, say: Callable[[str], None]) -> None:
    """Put a signature into the store and read it back. What is there already stays."""
    digest = signed.record.digest
    here = place(project, digest)
    if not here.exists():
        files.write(here, signed.content)
    if files.sha256(here) != digest:
        raise OutsideError("the signature in the store is not the one that was put there", f"Remove {here}.")
    if there := stores.remote_store(project):
        say(f"sending the signature to {there.place}")
        with files.temporary() as scratch:
            (scratch / "signature").mkdir()
            (scratch / "signature" / SIGNATURE).write_bytes(signed.content)
            archives.pack(scratch / "signature", scratch / "signature.zip")
            there.put(archive_name(digest), scratch / "signature.zip")


def lay(project: Project, bundle: Path, signature: Signature, say: Callable[[str], None]) -> None:
    """Lay the signature of a release beside its bundle, fetched where this machine has none of it yet.

    UsageError where neither this machine nor the store has it, or it is another.
    """
    here, named = place(project, signature.digest), f"signature {signature.digest[:12]}"
    if not here.exists():
        _fetch(project, here, signature.digest, say)
    content = here.read_bytes()
    if hashlib.sha256(content).hexdigest() != signature.digest:
        raise UsageError(f"{named} was changed", f"Remove {here} and run the command again.")
    target = bundle / SIGNATURE
    if target.is_symlink() or not target.is_file() or target.read_bytes() != content:
        files.write(target, content)


def place(project: Project, digest: str) -> Path:
    """Where a signature lies on this machine, by the sha256 of its model.sig."""
    return stores.local_folder(project) / _FOLDER / digest


def archive_name(digest: str) -> str:
    """Of a signature, in a store elsewhere."""
    return f"signature-{digest}"


def _fetch(project: Project, here: Path, digest: str, say: Callable[[str], None]) -> None:
    there = stores.place_to_fetch(project)
    if there is None:
        raise _missing(project.config.store, digest)
    say(f"fetching signature {digest[:12]} from {there.place}")
    with files.temporary() as scratch:
        if not there.fetch(archive_name(digest), scratch / "signature.zip", limit=_LARGEST):
            raise _missing(there.place, digest)
        (scratch / "signature").mkdir()
        try:
            archives.unpack(scratch / "signature.zip", scratch / "signature", most_bytes=_LARGEST, most_files=1)
            content = (scratch / "signature" / SIGNATURE).read_bytes()
        except (archives.ArchiveError, OSError) as error:
            raise _not_ours(there.place, digest) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise _not_ours(there.place, digest)
    files.write(here, content)


def _missing(where: str, digest: str) -> UsageError:
    return UsageError(
        f"the release was signed, and its signature {digest[:12]} is not in {where}",
        "Release again with the same key: the same bundle and key give the same signature.",
    )


def _not_ours(where: str, digest: str) -> OutsideError:
    return OutsideError(
        f"what {where} holds as signature {digest[:12]} is not that signature",
        "Remove it there and release again with the same key: it gives the same signature.",
    )
