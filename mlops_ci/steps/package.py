"""A bundle made ready to run elsewhere: a zip for AWS Lambda, a folder for the Functions Framework."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.edge import files, runtime, wheels, zips
from mlops_ci.errors import InputError, UsageError
from mlops_ci.packaging import targets
from mlops_ci.records.targets import Packaged
from mlops_ci.reports import numbers
from mlops_ci.steps.image_context import bundle_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCK = "requirements.lock"
_ONNX = "model.onnx"
_PYTHON = ".python-version"
_NEWEST = "3.13"


class Machine(NamedTuple):
    """What the zip is for; `python` empty: that of the bundle, where its model needs one."""

    python: str
    architecture: str


def lambda_zip(bundle: Path, output: Path, machine: Machine) -> Packaged:
    """A zip with bundle, libraries and `lambda_function.lambda_handler`. InputError where Lambda would refuse it."""
    digest = bundle_digest(bundle)
    if output.exists():
        raise UsageError(f"{output} is there already", "Name another file, or remove it.")
    wanted = targets.requirements((bundle / _LOCK).read_text(encoding="utf-8"), without=_spared(bundle))
    python = machine.python or _python(bundle)
    with files.temporary() as scratch:
        laid = wheels.lay(wanted, scratch / "libraries", python=python, architecture=machine.architecture)
        entries: dict[str, Path | bytes] = {**laid, **_bundle(bundle), **targets.lambda_files()}
        sizes = {name: _size(content) for name, content in entries.items()}
        refuse_too_large(packaged("lambda", output, sizes, digest, python=python))
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=f".{output.name}.") as file:
            zips.write(file, entries)
            file.flush()
            files.write(output, Path(file.name).read_bytes())
    return packaged("lambda", output, sizes, digest, python=python, packed=output.stat().st_size)


def functions_folder(bundle: Path, output: Path) -> Packaged:
    """A folder with bundle, `main.py` and `requirements.txt`, as `gcloud run deploy --source` and Knative take it."""
    digest = bundle_digest(bundle)
    if output.exists():
        raise UsageError(f"{output} is there already", "Name a folder that is not there yet.")
    kit = runtime.kit("functions").read_text(encoding="utf-8")
    lock = (bundle / _LOCK).read_text(encoding="utf-8")
    requirements = targets.requirements(lock, kit, without=_spared(bundle))
    entries: dict[str, Path | bytes] = {**_bundle(bundle), **targets.function_files(requirements)}
    with files.folder(output) as fresh:
        for name, content in entries.items():
            files.write(fresh / name, content if isinstance(content, bytes) else content.read_bytes())
    return packaged("functions", output, {name: _size(content) for name, content in entries.items()}, digest)


def _spared(bundle: Path) -> frozenset[str]:
    """Libraries of the bundle's own server, which others do without; of a project's libraries who knows."""
    return targets.SERVER if (bundle / _ONNX).is_file() else frozenset()


def _python(bundle: Path) -> str:
    pinned = bundle / _PYTHON
    return pinned.read_text(encoding="utf-8").strip() if pinned.is_file() else _NEWEST


def _bundle(bundle: Path) -> dict[str, Path]:
    found = {path.relative_to(bundle).as_posix(): path for path in sorted(bundle.rglob("*")) if path.is_file()}
    return {f"{targets.BUNDLE}{name}": path for name, path in found.items()}


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def packaged(
    target: str, output: Path, sizes: Mapping[str, int], digest: str, *, python: str = "", packed: int | None = None
) -> Packaged:
    """What was made, from the bytes of its files; `packed`: of an archive."""
    unpacked = sum(sizes.values())
    return Packaged(
        target=target,
        output=str(output),
        bytes=unpacked if packed is None else packed,
        unpacked=unpacked,
        largest=tuple(targets.largest(sizes)),
        bundle=digest,
        python=python,
    )


def told(made: Packaged) -> str:
    """Its size, in words."""
    packed = f"{numbers.size(made.bytes)}, " if made.bytes != made.unpacked else ""
    return f"{packed}{numbers.size(made.unpacked)} unpacked" if packed else numbers.size(made.bytes)


def refuse_too_large(made: Packaged) -> None:
    """InputError for what is more than AWS Lambda unzips."""
    if made.unpacked > targets.LAMBDA_BYTES:
        rooms = ", ".join(f"{name} {numbers.size(size)}" for name, size in made.largest)
        raise InputError(
            "too_large",
            f"unzipped it has {made.unpacked:,} bytes, and AWS Lambda takes {targets.LAMBDA_BYTES:,}: {rooms}",
            "Train with fewer libraries, or run the image of the server: mlops-ci image build",
        )
