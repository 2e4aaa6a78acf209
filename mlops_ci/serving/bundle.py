"""Opens a bundle: nothing is read of it that its manifest does not vouch for.

manifest.json names every file with its sha256 and size; the digest of the bundle is the sha256 of its bytes.
model.sig beside it may hold a signature over all of them, which is looked at where one is demanded.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import NamedTuple

import msgspec

from .described import Golden, Serving, check, decoded
from .errors import BundleError

SIGNATURE = "model.sig"
"""The one file that no manifest lists: the digest of a bundle is the same whoever signs it, or nobody."""
_MANIFEST = "manifest.json"
_CODE = "code"
_MLMODEL = "MLmodel"
_ENVIRONMENT = ("requirements.lock", ".python-version")
_REGISTRYS = "registered_model_meta"  # MLflow puts it beside what it downloads; nothing here reads it
_LARGEST_TEXT = 64 * 2**20
_LARGEST_SIGNATURE = 4 * 2**20


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: str
    bytes: int


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    files: dict[str, Listed]


class Bundle(NamedTuple):
    """An opened bundle; `digest` is `sha256:` and 64 hex digits, `model` the bytes of the model's file.

    Of a model of MLflow it is its folder. `code`: that of the project's own modules the model imports, where it does.
    `environment`: digests of what says with which Python and libraries it is served.
    """

    digest: str
    serving: Serving
    golden: Golden
    model: bytes | Path
    code: Path | None = None
    environment: str = ""


def verified(folder: Path, expected: str = "", trust: Path | None = None) -> str:
    """The digest of the bundle in `folder`, whose files are what its manifest says. Raises BundleError.

    Another digest than `expected` is refused, where one is; with `trust`, the file of a public key, so is a bundle
    without a signature by that key.
    """
    return _verified(folder, expected, trust)[0]


def opened(folder: Path, expected: str = "", trust: Path | None = None) -> Bundle:
    """What is in the bundle in `folder`, verified. Raises BundleError."""
    digest, files = _verified(folder, expected, trust)
    serving = decoded(_vouched(folder, "serving.json", files), Serving, "serving.json")
    golden = decoded(_vouched(folder, "golden.json", files), Golden, "golden.json")
    check(serving, golden)
    code = folder.resolve() / _CODE if any(name.startswith(f"{_CODE}/") for name in files) else None
    environment = " ".join(files[name].sha256 for name in _ENVIRONMENT if name in files)
    return Bundle(digest, serving, golden, _model(folder, serving, files), code, environment)


def listed(folder: Path) -> dict[str, str]:
    """Path -> sha256 of everything a signature of the bundle is about. Raises BundleError."""
    manifest = _read(folder, _MANIFEST)
    return _signed(manifest, _listed(manifest))


def _verified(folder: Path, expected: str, trust: Path | None) -> tuple[str, dict[str, Listed]]:
    manifest = _read(folder, _MANIFEST)
    digest = _digest(manifest)
    if expected and not hmac.compare_digest(expected.removeprefix("sha256:"), digest.removeprefix("sha256:")):
        raise BundleError(f"{folder}: this is {digest}; only {expected} may be served here")
    files = _listed(manifest)
    if trust is not None:
        _check_signature(folder, trust, _signed(manifest, files))
    _check_files(folder, files)
    return digest, files


def _signed(manifest: bytes, files: dict[str, Listed]) -> dict[str, str]:
    return {name: each.sha256 for name, each in files.items()} | {_MANIFEST: hashlib.sha256(manifest).hexdigest()}


def _check_signature(folder: Path, trust: Path, files: dict[str, str]) -> None:
    try:
        from .trust import keys  # cryptography, which only those have who demand a signature
    except ImportError:
        raise BundleError(f"{trust}: a signature is demanded, and cryptography, which checks it, is not here") from None
    path = folder / SIGNATURE
    if path.is_symlink() or not path.is_file():
        raise BundleError(f"{path}: it is not there; a signature by the key in {trust} is demanded")
    content = _read(folder, SIGNATURE, _LARGEST_SIGNATURE)
    if len(content) > _LARGEST_SIGNATURE:
        raise BundleError(f"{path}: larger than {_LARGEST_SIGNATURE} bytes: no signature is")
    public = keys.public_key(trust)
    try:
        keys.check(content, public, files)
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from None


def _digest(manifest: bytes) -> str:
    return "sha256:" + hashlib.sha256(manifest).hexdigest()


def _listed(manifest: bytes) -> dict[str, Listed]:
    try:
        decoded = msgspec.json.decode(manifest, type=_Manifest)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BundleError(f"{_MANIFEST}: {error}") from None
    if decoded.version != 1:
        raise BundleError(f"{_MANIFEST}: version {decoded.version}; this runtime reads 1")
    for name in decoded.files:
        if name.startswith("/") or "\\" in name or "\0" in name or {"", ".", ".."} & set(name.split("/")):
            raise BundleError(f"{_MANIFEST}: {name!r} is no name of a file within the bundle")
    return decoded.files


def _check_files(folder: Path, files: dict[str, Listed]) -> None:
    found = set(_names(folder))
    extra = sorted(found - files.keys() - {_MANIFEST, SIGNATURE})
    missing = sorted(files.keys() - found)
    if extra:
        raise BundleError(f"{folder / extra[0]}: {_MANIFEST} does not list it; only listed files are allowed")
    if missing:
        raise BundleError(f"{folder / missing[0]}: {_MANIFEST} lists it, and it is not there")
    for name, listed in files.items():
        path = folder / name
        size = path.stat().st_size
        if size != listed.bytes:
            raise BundleError(f"{path}: {size} bytes; {_MANIFEST} lists {listed.bytes}")
        with path.open("rb") as file:
            _compare(path, hashlib.file_digest(file, "sha256").hexdigest(), listed)


def _names(folder: Path) -> list[str]:
    """Every file below, by its name from `folder`. What Python compiles of the runtime itself is not one."""
    names = []
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise BundleError(f"{path}: a bundle holds plain files and folders only")
        name = path.relative_to(folder).as_posix()
        compiled = name.startswith("serve/") and path.parent.name == "__pycache__" and path.suffix == ".pyc"
        if path.is_file() and not compiled and name != _REGISTRYS:
            names.append(name)
    return names


def _model(folder: Path, serving: Serving, files: dict[str, Listed]) -> bytes | Path:
    """Only where the format says so anything but a listed file is opened, and then a folder of listed files."""
    if serving.model.format != "pyfunc":
        return _vouched(folder, serving.model.file, files)
    if f"{serving.model.file}/{_MLMODEL}" not in files:
        raise BundleError(f"{folder / serving.model.file / _MLMODEL}: {_MANIFEST} does not list it")
    return folder.resolve() / serving.model.file


def _vouched(folder: Path, name: str, files: dict[str, Listed]) -> bytes:
    """The bytes of a listed file, compared again: what is used is what was read."""
    if name not in files:
        raise BundleError(f"{folder / name}: {_MANIFEST} does not list it")
    content = _read(folder, name, files[name].bytes)
    _compare(folder / name, hashlib.sha256(content).hexdigest(), files[name])
    return content


def _compare(path: Path, digest: str, listed: Listed) -> None:
    if not hmac.compare_digest(digest, listed.sha256):
        raise BundleError(f"{path}: sha256 {digest}; {_MANIFEST} lists {listed.sha256}")


def _read(folder: Path, name: str, most: int = _LARGEST_TEXT) -> bytes:
    try:
        with (folder / name).open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise BundleError(f"{folder / name}: {error.strerror or error}") from None
