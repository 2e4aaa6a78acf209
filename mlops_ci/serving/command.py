"""Serve a bundle over HTTP, or say what would come of it. Codes: 0, 1 it cannot be served, 2 usage."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from . import metrics, options, segments, server
from .bundle import opened
from .counts import Memory
from .errors import BundleError
from .model import Model
from .worker import Wanted, Worker
from .workers import Workers, parts


def main(arguments: Sequence[str]) -> int:
    """Serve, or check, what the arguments say; the exit code."""
    chosen = options.parsed(arguments)
    try:
        if chosen.check:
            return _check(chosen.bundle, chosen.digest, chosen.trust)
        return _serve(chosen)
    except BundleError as error:
        _say(str(error))
    return 1


def _check(bundle: Path, digest: str, trust: Path | None) -> int:
    """Load it, ask the golden requests, and print what came of it as JSON."""
    began = time.perf_counter()
    try:
        model = Model(opened(bundle, digest, trust))
    except BundleError as error:
        _print({"error": {"code": "bundle", "message": str(error)}})
        return 1
    seconds = time.perf_counter() - began
    serving = model.serving
    _print(
        {
            "project": serving.project,
            "release": serving.release,
            "format": serving.model.format,
            "digest": model.bundle.digest,
            "fingerprint": model.fingerprint,
            "golden": len(model.bundle.golden.rows),
            "milliseconds": round(seconds * 1000, 1),
        }
    )
    return 0


def _serve(chosen: argparse.Namespace) -> int:
    bound = server.bound_to(chosen.host, chosen.port, chosen.workers)
    memory = Memory(parts(chosen.workers))
    workers = Workers(Worker(chosen, bound), chosen.workers, memory, _say)
    first = Wanted(chosen.bundle, digest=chosen.digest, release=chosen.release)
    code = workers.run(chosen.bundle, first, bound)
    if chosen.log is not None:
        segments.sweep(chosen.log)
        _say(metrics.told_of_log(workers.sums()))
    return code


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _print(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
