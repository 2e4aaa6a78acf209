"""A bundle on its way out of the job that made it, and looked at where nothing of that job is believed.

What is ours, the serving runtime, does not travel: it is laid in again, and the manifest says whether all is as it was.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, TypeVar

import msgspec

from mlops_ci.edge import pickles, runtime
from mlops_ci.edge.http import plain
from mlops_ci.edge.stores.folder import damage, vouched
from mlops_ci.errors import UsageError, UserCodeError
from mlops_ci.packaging import manifest, mlflow_model
from mlops_ci.records.bundles import ModelFile, Serving
from mlops_ci.records.releases import BundleInfo
from mlops_ci.steps import ci_job
from mlops_ci.steps.bundle import Bundle, open_bundle
from mlops_ci.steps.change import code_paths
from mlops_ci.steps.libraries import CODE

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.edge.actions import Job
    from mlops_ci.records.due import Due
    from mlops_ci.steps.trees import Tree

BUNDLES = "mlops-bundle"
"""Below the runner's folder for temporary files: one folder a project, which the workflow keeps as an artifact."""
_BUNDLE, _INFO = "bundle", "packaged.json"
_RUNTIME = "serve"
_LARGEST_TEXT = 64 * 2**20
_AGAIN = "It was not made by `mlops-ci ci package` of this version: run the workflow `mlops release` again."
_FORMATS = {"auto": ("onnx", "skops")}
_Record = TypeVar("_Record")


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that is what its manifest says, of the commit that was asked for."""

    bundle: Bundle
    serving: Serving
    info: BundleInfo


def leave(job: Job, project: str, bundle: Bundle, info: BundleInfo) -> None:
    """Lay a bundle where the workflow takes the artifact from."""

    def write(folder: Path) -> None:
        shutil.copytree(bundle.folder, folder / _BUNDLE, ignore=shutil.ignore_patterns(_RUNTIME))
        (folder / _INFO).write_bytes(msgspec.json.encode(info))

    ci_job.leave_word(job, project, write, below=BUNDLES)


def take(folder: Path, due: Due, tree: Tree) -> Taken:
    """What a job left in `folder`, made whole. UsageError says what is not as it has to be.

    tree: of the commit, whose settings say which format it may have and which types it may load; its code is the
    only code of the project that may lie in it.
    """
    format_ = tree.config.package.format
    bundle = folder / _BUNDLE
    if (bundle / _RUNTIME).exists():
        raise UsageError("the bundle brings a runtime of its own", _AGAIN)
    for name, content in runtime.files().items():
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_bytes(content)
    info = _decoded(folder, _INFO, BundleInfo)
    serving = _decoded(bundle, "serving.json", Serving)
    digest = manifest.digest(_read(bundle, manifest.NAME))
    if problem := _damage(bundle, digest):
        raise UsageError(f"the bundle is not what its manifest says: {problem}", _AGAIN)
    if (serving.project, serving.commit) != (due.project, due.commit):
        raise UsageError(f"the bundle is of {serving.project[:64]} {serving.commit[:7]}", _AGAIN)
    if serving.model.format not in _FORMATS.get(format_, (format_,)):
        raise UsageError(f"the bundle holds a {serving.model.format}, and package.format is {format_}", _AGAIN)
    if unknown := sorted(set(serving.model.trusted) - set(tree.config.package.trusted)):
        raise UsageError(f"the bundle trusts {plain(unknown[0])}, and package.trusted does not", _AGAIN)
    if foreign := _foreign_code(bundle, tree):
        raise UsageError(f"{foreign} of the bundle is not the commit's", _AGAIN)
    if serving.model.format == "onnx" and _read(bundle, runtime.LOCK) != runtime.lock().encode():
        raise UsageError(f"{runtime.LOCK} of the bundle is not the one it is served with", _AGAIN)
    try:
        opened = open_bundle(bundle)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"golden.json cannot be read: {error}", _AGAIN) from error
    followed = {name: _read(bundle, name) for name in mlflow_model.NAMES}
    if wrong := mlflow_model.foreign(followed, serving, _read(bundle, runtime.LOCK).decode("utf-8", "replace")):
        raise UsageError(f"{wrong} of the bundle is not as mlops-ci writes it", _AGAIN)
    known = msgspec.structs.replace(
        info,
        digest=digest,
        format=serving.model.format,
        bytes=opened.bytes,
        files=opened.files,
        fingerprint=opened.golden.fingerprint,
        decision=due.decision,
        number=0,
        imports=_imports(bundle, serving.model),
    )
    return Taken(bundle=opened, serving=serving, info=known)


def _foreign_code(bundle: Path, tree: Tree) -> str:
    """The first file of the project's code in the bundle that the commit has otherwise, or not at all."""
    known = set(code_paths(tree))
    for path in sorted(found for found in (bundle / CODE).rglob("*") if not found.is_dir()):
        name = path.relative_to(bundle / CODE).as_posix()
        if name not in known or path.read_bytes() != (tree.root / name).read_bytes():
            return plain(f"{CODE}/{name}")
    return ""


def _imports(bundle: Path, model: ModelFile) -> tuple[str, ...] | msgspec.UnsetType:
    """Of a pickle, which is read and never loaded."""
    if model.format != "pickle":
        return msgspec.UNSET
    if model.file not in vouched(bundle):
        raise UsageError(f"{manifest.NAME} of the bundle lists no {plain(model.file)}", _AGAIN)
    try:
        return pickles.imports((bundle / model.file).read_bytes()) or msgspec.UNSET
    except UserCodeError as error:
        raise UsageError(error.message, _AGAIN) from error


def _damage(bundle: Path, digest: str) -> str:
    try:
        return damage(bundle, digest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"{manifest.NAME} cannot be read ({error})"


def _decoded(folder: Path, name: str, kind: type[_Record]) -> _Record:
    try:
        return msgspec.json.decode(_read(folder, name), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name} cannot be read: {error}", _AGAIN) from error


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise UsageError(f"{name} is missing", _AGAIN)
    if path.stat().st_size > _LARGEST_TEXT:
        raise UsageError(f"{name} is larger than mlops-ci writes it", _AGAIN)
    return path.read_bytes()
