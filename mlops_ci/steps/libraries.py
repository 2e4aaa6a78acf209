"""What a bundle needs beside itself: a lock, the licences of what is in it, and the project's own code."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci import __version__
from mlops_ci.edge import answers, exporter, project_lock, runtime
from mlops_ci.errors import ConfigError
from mlops_ci.packaging import locks
from mlops_ci.records.bundles import Licence
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.change import code_paths
from mlops_ci.steps.predict import reads_of, request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.steps.export import Exported, Model

CODE = "code"
_ANSWER = "libraries.json"


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """`lock`: requirements with hashes; `code`: path in the bundle -> content, of what the project's model imports."""

    lock: str
    licences: Mapping[str, Licence]
    code: dict[str, bytes]


def needs(model: Model, exported: Exported) -> Needs:
    """Of an ONNX model the runtime's own lock; of another that, and the project's libraries the model imports.

    ConfigError where these are not locked, or one environment cannot hold both.
    """
    known = {name: Licence(text=text) for name, text in runtime.licences().items()}
    kind = exported.answer.format
    if kind == "onnx":
        return Needs(lock=runtime.lock(), licences=known, code={})
    found = _imported(model)
    return Needs(
        lock=_merged(model, found, skops=kind == "skops"),
        licences=known | {name: _licence(library) for name, library in found.libraries.items()},
        code=_code(model, found),
    )


def _imported(model: Model) -> answers.Libraries:
    """What the model imports in a process of its own, restored while nothing of it changed."""
    reads = {
        "version": __version__,
        "predict": reads_of(model.project, model.snapshot, model.holdout, fitted=model.fitted, workshop=model.workshop),
    }
    folder, _ = Cache(model.project.state).folder("libraries", reads, partial(_ask, model=model))
    return msgspec.json.decode((folder / _ANSWER).read_bytes(), type=answers.Libraries)


def _ask(folder: Path, *, model: Model) -> None:
    asked = request(model.tree, model.holdout, model.fitted, model.snapshot.folder / "features")
    with model.workshop.open() as bench:
        answer = bench.run("libraries", asked).value
    (folder / _ANSWER).write_bytes(msgspec.json.encode(answer))


def _merged(model: Model, found: answers.Libraries, *, skops: bool) -> str:
    environment = model.workshop.environment
    text = project_lock.text(model.tree.root, environment)
    if not text:
        raise ConfigError(
            "the model becomes no ONNX, so that its bundle needs the project's libraries, and these are not locked: "
            f"the code runs in {environment.source}",
            "Lock them with hashes: uv pip compile --generate-hashes requirements.in -o requirements.lock",
            where=model.tree.config.place("package.format"),
        )
    parts = [locks.needed(locks.read(runtime.lock(), "the runtime"), runtime.PROGRAMS)]
    ranges = dict(runtime.RANGES)
    if skops:
        writer = locks.needed(locks.read(exporter.lock(), "the exporter"), ("skops",))
        parts.append(writer)
        ranges["skops"] = f"=={writer.of('skops')[0].version}"  # older ones cannot read what it wrote
    project = locks.read(text, environment.source)
    return locks.merged(parts, project, sorted(found.libraries), ranges=ranges)


def _licence(library: answers.Library) -> Licence:
    if library.expression:
        return Licence(text=library.expression)
    return Licence(text=library.licence, spdx=False)


def _code(model: Model, found: answers.Libraries) -> dict[str, bytes]:
    """Only what the commit has: the project's code could name any file."""
    known = set(code_paths(model.tree))
    return {f"{CODE}/{path}": (model.tree.root / path).read_bytes() for path in found.code if path in known}
