"""Keys of ECDSA P-256 in PEM files: sign with the private one, check with the public one. Owner of cryptography."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ..errors import BundleError
from . import statement

_LARGEST_KEY = 64 * 2**10
_CURVE = "secp256r1"
_WANTED = "a key of ECDSA P-256 in PEM is needed"


def check(content: bytes, public: Any, files: Mapping[str, str]) -> None:
    """BundleError unless `content`, a model.sig, is a signature by this key over these files.

    files: path -> sha256, 64 hex digits, of everything in the bundle but the signature.
    """
    signed = statement.read(content)
    trusted = fingerprint(public)
    if signed.hint and signed.hint != trusted:
        raise BundleError(f"it was made with the key {signed.hint!r:.70}; the trusted one is {trusted}")
    try:
        public.verify(signed.signature, statement.signing_input(signed.payload), _algorithm())
    except InvalidSignature:
        raise BundleError(f"it does not hold for the trusted key, {trusted}") from None
    statement.compare(signed.payload, files)


def sign(files: Mapping[str, str], name: str, private: Any) -> bytes:
    """The content of model.sig. The same files, name and key give the same bytes (RFC 6979)."""
    payload = statement.statement(files, name)
    signature = private.sign(statement.signing_input(payload), _algorithm(deterministic=True))
    return statement.written(statement.Signed(payload, signature, fingerprint(private.public_key())))


def public_key(path: Path) -> Any:
    """Raises BundleError where the file holds no public key of that kind."""
    content = _read(path)
    if b"PRIVATE KEY" in content:
        raise BundleError(f"{path}: a private key; name the public one: it is what everybody may have")
    try:
        return _of_the_curve(serialization.load_pem_public_key(content), path)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BundleError(f"{path}: no public key that can be read; {_WANTED} ({error})") from None


def private_key(path: Path) -> Any:
    """Raises BundleError where the file holds no private key of that kind, or one that is encrypted."""
    content = _read(path)
    try:
        return _of_the_curve(serialization.load_pem_private_key(content, None), path)
    except TypeError:
        raise BundleError(f"{path}: the key is encrypted; one that needs no password is needed") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BundleError(f"{path}: no private key that can be read; {_WANTED}") from None


def fingerprint(public: Any) -> str:
    """The sha256 of the key in PEM, as signatures name it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(public.public_bytes(serialization.Encoding.PEM, form)).hexdigest()


def _of_the_curve(key: Any, path: Path) -> Any:
    found = getattr(getattr(key, "curve", None), "name", type(key).__name__)
    if found != _CURVE:
        raise BundleError(f"{path}: a key of {found}; {_WANTED}")
    return key


def _algorithm(*, deterministic: bool = False) -> Any:
    return ec.ECDSA(hashes.SHA256(), deterministic_signing=deterministic)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_KEY)
    except OSError as error:
        raise BundleError(f"{path}: the key cannot be read: {error.strerror or error}") from None
