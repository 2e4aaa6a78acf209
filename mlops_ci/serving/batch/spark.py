"""Apache Spark: `scored(frame, bundle)` asks a bundle about a DataFrame, a batch of Arrow at a time on every executor.

Needs what the bundle's lock names, and pyarrow, in the Python of the executors; the bundle itself is sent to them.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ..bundle import opened
from ..errors import BundleError, Refused, RefusedFrameError
from ..model import Model
from ..trust import trusted
from .rows import Scorer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TYPES = {"float": "double", "integer": "bigint", "boolean": "boolean", "text": "string"}
_scorers: dict[str, Scorer] = {}  # of this process, which answers one task after the other


def scored(frame: DataFrame, bundle: str, *, keep: bool = False) -> DataFrame:
    """The ids of the frame (all columns where `keep`) and the answers. Raises BundleError, RefusedFrameError.

    A row that breaks the signature, or has no finite answer, fails its task with code, column and what is allowed.
    """
    folder = Path(bundle)
    model = Model(opened(folder, trust=trusted()))
    serving = model.serving
    kept = [name for name in frame.columns if keep or name in serving.ids]
    needed = list(dict.fromkeys([*model.signature.names, *kept]))
    try:
        model.signature.check_missing(frame.columns)
    except Refused as refused:
        raise RefusedFrameError(refused) from None
    for output in serving.outputs:
        if output.name in kept:
            raise BundleError(f"the frame has a column {output.name!r} already, and the answer would be another")
    asked = frame.select(*[_quoted(name) for name in needed])
    answers = ", ".join(f"{_quoted(output.name)} {_TYPES[output.kind]}" for output in serving.outputs)
    names = ", ".join(f"{_quoted(name)} {frame.schema[name].dataType.simpleString()}" for name in kept)
    name = _sent(frame, folder, model.bundle.digest)
    return asked.mapInArrow(_task(name, kept), ", ".join(filter(None, (names, answers))))


def answered(folder: str, kept: list[str], batches: Iterator[Any]) -> Iterator[Any]:
    """What a task does on an executor, with the bundle in `folder`."""
    if folder not in _scorers:
        _scorers[folder] = Scorer(Model(opened(Path(folder))))
    scorer = _scorers[folder]
    for batch in batches:
        found = scorer.score(batch, text=False)
        if found.bad:
            raise RefusedFrameError(found.bad[min(found.bad)])
        names = [*kept, *scorer.outputs]
        yield pa.record_batch([*map(found.batch.column, kept), *found.answers], names=names)


def _task(name: str, kept: list[str]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Pickled by its code, as this module is not there where it runs until the bundle's own is imported."""

    def task(batches: Iterator[Any]) -> Iterator[Any]:
        import sys

        from pyspark import SparkFiles

        folder = SparkFiles.get(name)
        if f"{folder}/serve" not in sys.path:
            sys.path.insert(0, f"{folder}/serve")
        from mlops_ci_serving.batch.spark import answered  # type: ignore[import-not-found]

        return answered(folder, kept, batches)  # type: ignore[no-any-return]

    return task


def _sent(frame: DataFrame, bundle: Path, digest: str) -> str:
    """Send the bundle to the executors, once a session; its name there."""
    name = f"mlops-ci-{digest.removeprefix('sha256:')[:16]}"
    context = frame.sparkSession.sparkContext
    if any(str(sent).endswith(f"#{name}") for sent in context.listArchives):
        return name
    archive = Path(tempfile.mkdtemp(prefix="mlops-ci-")) / f"{name}.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(bundle.rglob("*")):
            if path.is_file() and path.parent.name != "__pycache__":
                packed.write(path, path.relative_to(bundle))
    context.addArchive(f"{archive}#{name}")
    return name


def _quoted(name: str) -> str:
    """A name of any characters, for Spark's SQL."""
    return "`" + name.replace("`", "``") + "`"
