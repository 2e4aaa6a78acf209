"""model.sig: a Sigstore bundle with a DSSE envelope around an in-toto statement that lists every file.

https://github.com/ossf/model-signing-spec, predicate version 1.0: what `model_signing` writes and verifies.
Which signature it is, and whether it holds, is the business of `keys`; here bytes become values and values bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, TypeVar

import msgspec

from ..bundle import SIGNATURE
from ..errors import BundleError

_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
_Kind = TypeVar("_Kind")


class _Key(msgspec.Struct, frozen=True):
    hint: str = ""


class _Material(msgspec.Struct, frozen=True, rename="camel"):
    public_key: _Key | None = None
    tlog_entries: list[msgspec.Raw] = []


class _Signature(msgspec.Struct, frozen=True):
    sig: bytes
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload: bytes
    payload_type: str
    signatures: list[_Signature]


class _Sigstore(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str
    verification_material: _Material
    dsse_envelope: _Envelope


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: dict[str, str]


class _Serialization(msgspec.Struct, frozen=True):
    method: Literal["files"]
    hash_type: Literal["sha256"]
    allow_symlinks: bool
    ignore_paths: list[str] = []


class _Resource(msgspec.Struct, frozen=True):
    name: str
    algorithm: Literal["sha256"]
    digest: str


class _Predicate(msgspec.Struct, frozen=True):
    serialization: _Serialization
    resources: list[_Resource]


class _Statement(msgspec.Struct, frozen=True, rename={"type": "_type", "predicate_type": "predicateType"}):
    type: str
    subject: list[_Subject]
    predicate_type: str
    predicate: _Predicate


class Signed(NamedTuple):
    """What a model.sig holds, unproved: `hint` is the sha256 of the key it names, empty where it names none."""

    payload: bytes
    signature: bytes
    hint: str


def statement(files: Mapping[str, str], name: str) -> bytes:
    """The statement about files, path -> sha256, of a model called `name`. The same files give the same bytes."""
    ordered = sorted(files, key=PurePosixPath)
    about = _Statement(
        type=_STATEMENT,
        subject=[_Subject(name, {"sha256": _root([files[path] for path in ordered])})],
        predicate_type=_PREDICATE,
        predicate=_Predicate(
            _Serialization("files", "sha256", allow_symlinks=False, ignore_paths=[SIGNATURE]),
            [_Resource(path, "sha256", files[path]) for path in ordered],
        ),
    )
    return msgspec.json.encode(about)


def signing_input(payload: bytes) -> bytes:
    """What is signed: https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md."""
    return b"DSSEv1 %d %b %d %b" % (len(_PAYLOAD_TYPE), _PAYLOAD_TYPE.encode(), len(payload), payload)


def written(signed: Signed) -> bytes:
    """The content of model.sig."""
    return msgspec.json.encode(
        _Sigstore(
            _MEDIA_TYPE,
            _Material(_Key(signed.hint)),
            _Envelope(signed.payload, _PAYLOAD_TYPE, [_Signature(signed.signature)]),
        )
    )


def read(content: bytes) -> Signed:
    """What a model.sig says. Raises BundleError where it is none that a key has signed."""
    found = _decoded(content, _Sigstore)
    envelope = found.dsse_envelope
    _expect("mediaType", found.media_type, _MEDIA_TYPE)
    _expect("payloadType", envelope.payload_type, _PAYLOAD_TYPE)
    if found.verification_material.public_key is None:
        raise BundleError("it was not signed with a key; only signatures made with a key are checked here")
    if len(envelope.signatures) != 1:
        raise BundleError(f"it holds {len(envelope.signatures)} signatures; one is allowed")
    return Signed(envelope.payload, envelope.signatures[0].sig, found.verification_material.public_key.hint)


def compare(payload: bytes, files: Mapping[str, str]) -> None:
    """BundleError unless the statement lists these files, path -> sha256, and no other."""
    found = _decoded(payload, _Statement)
    _expect("_type", found.type, _STATEMENT)
    _expect("predicateType", found.predicate_type, _PREDICATE)
    resources = found.predicate.resources
    signed = {each.name: each.digest for each in resources}
    if len(signed) != len(resources):
        raise BundleError("it lists a file twice")
    for name in sorted(signed.keys() ^ files.keys()):
        raise BundleError(f"{name!r} is {'missing' if name in signed else 'not signed'}")
    for name, digest in files.items():
        if signed[name] != digest:
            raise BundleError(f"{name!r} has the sha256 {digest}; {signed[name]!r:.70} was signed")
    if [each.digest.get("sha256") for each in found.subject] != [_root([each.digest for each in resources])]:
        raise BundleError("its subject is not what it lists")


def _root(digests: list[str]) -> str:
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


def _expect(name: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise BundleError(f"{name} is {found!r:.100}; {wanted!r} is checked here")


def _decoded(content: bytes, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"it is no signature in the format of OpenSSF Model Signing 1.0: {error}") from None
