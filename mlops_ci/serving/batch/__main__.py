"""`python -m mlops_ci_serving.batch BUNDLE INPUT... OUTPUT`: score files. Codes: 0, 1 refused, 2 usage.

What came of it is JSON on stdout; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..bundle import opened
from ..errors import BundleError, Refused
from ..model import Model
from ..trust import HELP, trusted
from .files import SUFFIXES, Reader, Writer
from .inputs import Given, inputs
from .progress import Progress
from .run import BadRows, Counts, Run
from .state import State


def main(arguments: Sequence[str]) -> int:
    """Score what the arguments say; the exit code."""
    chosen = _parsed(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is half written goes
    try:
        model = Model(opened(chosen.bundle, chosen.digest, chosen.trust), chosen.release)
        _print(_score(model, chosen))
    except BundleError as error:
        return _refused("bundle", str(error), "")
    except Refused as refused:
        return _refused(refused.code, refused.message, refused.where)
    except OSError as error:
        return _refused("disk", error.strerror or str(error), str(error.filename or chosen.output))
    return 0


def _score(model: Model, chosen: argparse.Namespace) -> dict[str, Any]:
    given = inputs(chosen.input, chosen.output)
    progress = Progress([each.path.stat().st_size for each in given])

    def told(rows: int, share: float) -> None:
        progress.told(rows, share)
        if chosen.parent is not None and os.getppid() != chosen.parent:
            raise Refused("stopped", "whoever started it is gone")

    run = Run(model, keep=chosen.keep, told=told)
    readers = [Reader(each.path) for each in given]  # all of them, before the first row of any
    unasked = sorted({name for reader in readers for name in run.unasked(reader)})
    with progress:
        if chosen.output.suffix in SUFFIXES:
            counts, before = _into_one(run, readers, chosen, model), 0
        else:
            counts, before = _into_folder(run, list(zip(given, readers, strict=True)), chosen, model)
    return {
        "rows": counts.rows,
        "bad_rows": counts.bad_rows,
        "files": len(given),
        "scored_before": before,
        "unasked": unasked,
        "output": str(chosen.output),
        "digest": model.bundle.digest,
        "release": model.serving.release,
    }


def _into_one(run: Run, readers: list[Reader], chosen: argparse.Namespace, model: Model) -> Counts:
    _free(chosen.output, chosen)
    bad = _bad_rows(chosen.bad_rows, chosen, model)
    schemas = [run.schema(reader) for reader in readers]
    for reader, schema in zip(readers, schemas, strict=True):
        if schema.names != schemas[0].names:
            words = f"it has the columns {', '.join(schema.names)}; the first file {', '.join(schemas[0].names)}"
            raise Refused("other_columns", words, where=str(reader.path))
    into = Writer(chosen.output, schemas[0])
    try:
        counts = Counts()
        for reader in readers:
            counts = counts.plus(run.file(reader, into, bad))
    except BaseException:
        _discard(into, bad)
        raise
    _commit(into, bad)
    return counts


def _into_folder(
    run: Run, files: list[tuple[Given, Reader]], chosen: argparse.Namespace, model: Model
) -> tuple[Counts, int]:
    schemas = [run.schema(reader) for _, reader in files]
    counts, before = Counts(), 0
    with State(chosen.output, {"digest": model.bundle.digest, "keep": chosen.keep}) as state:
        for (given, reader), schema in zip(files, schemas, strict=True):
            place = chosen.output / given.name
            known = state.known(given)
            if known is not None and place.is_file() and not chosen.overwrite:
                counts, before = counts.plus(known), before + 1
                continue
            _free(place, chosen)
            bad_path = chosen.bad_rows / given.name if chosen.bad_rows else None
            bad = _bad_rows(bad_path.with_suffix(".csv") if bad_path else None, chosen, model)
            into = Writer(place, schema)
            try:
                found = run.file(reader, into, bad)
            except BaseException:
                _discard(into, bad)
                raise
            _commit(into, bad)
            state.done(given, found)
            counts = counts.plus(found)
    return counts, before


def _free(place: Path, chosen: argparse.Namespace) -> None:
    if place.exists() and not chosen.overwrite:
        raise Refused("exists", "it is there already; --overwrite replaces it", where=str(place))


def _bad_rows(path: Path | None, chosen: argparse.Namespace, model: Model) -> BadRows | None:
    if path is None:
        return None
    _free(path, chosen)
    return BadRows(path, model.serving.ids)


def _commit(into: Writer, bad: BadRows | None) -> None:
    if bad is not None:
        bad.commit()
    into.commit()


def _discard(into: Writer, bad: BadRows | None) -> None:
    into.discard()
    if bad is not None:
        bad.discard()


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("mlops_ci_serving.batch", description="Score files.", allow_abbrev=False)
    add = parser.add_argument
    add("bundle", type=Path, help="the folder of the bundle")
    add("input", nargs="+", help="CSV or Parquet: files, folders, or patterns such as 'data/*.parquet'")
    add("output", type=Path, help="one .csv or .parquet, or a folder for one file an input")
    add("--keep", action="store_true", help="write all columns of the input, not only its ids")
    add("--bad-rows", type=Path, metavar="CSV", help="collect there what cannot be answered, instead of stopping")
    add("--overwrite", action="store_true", help="replace files that are there already")
    add("--digest", default=os.environ.get("MLOPS_CI_DIGEST", ""), help="score by no other bundle (MLOPS_CI_DIGEST)")
    add("--trust", type=Path, default=trusted(), metavar="PEM", help=HELP)
    add("--release", default=os.environ.get("MLOPS_CI_RELEASE", ""), help="its number (MLOPS_CI_RELEASE)")
    add("--parent", type=int, help=argparse.SUPPRESS)  # the process it ends with
    return parser.parse_args(arguments)


def _refused(code: str, message: str, where: str) -> int:
    sys.stderr.write(f"{where}: {message}\n" if where else f"{message}\n")
    _print({"error": {"code": code, "message": message, "where": where}})
    return 1


def _print(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
