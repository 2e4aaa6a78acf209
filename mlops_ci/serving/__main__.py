"""`python -m mlops_ci_serving BUNDLE`: serve a bundle over HTTP. Codes: 0, 1 it cannot be served, 2 usage."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from . import counts, log, metrics, options, segments, server, workers
from .app import App, Limits
from .bundle import claimed, opened
from .errors import BundleError
from .model import Model


def main(arguments: Sequence[str]) -> int:
    """Serve, or check, what the arguments say; the exit code."""
    chosen = options.parsed(arguments)
    try:
        if chosen.check:
            return _check(chosen.bundle, chosen.digest, chosen.trust)
        several = chosen.workers > 1
        bound = server.listen(chosen.host, chosen.port, shared=several or chosen.worker is not None)
        return _supervise(arguments, chosen, bound) if several else _serve(chosen, bound)
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


def _supervise(arguments: Sequence[str], chosen: argparse.Namespace, bound: socket.socket) -> int:
    """A worker that is started again opens the bundle again: all serve the one that was there at first."""
    digest = chosen.digest or claimed(chosen.bundle)
    shared = counts.shared(chosen.workers + 1)
    code = workers.supervise([*arguments, "--digest", digest], chosen.workers, bound, shared)
    if chosen.log is not None:
        segments.sweep(chosen.log)
        _say(metrics.told_of_log(counts.of(shared, chosen.workers).sums()))
    return code


def _serve(chosen: argparse.Namespace, bound: socket.socket) -> int:
    parent, counted = _of_worker(chosen.worker) if chosen.worker else (None, counts.Counts())
    model = Model(opened(chosen.bundle, chosen.digest, chosen.trust), chosen.release)
    kept = _log(chosen.log, chosen.log_sample, counted) if chosen.log else None
    app = App(
        model,
        log=kept,
        key=os.environ.get("MLOPS_CI_LOG_KEY", "").encode(),
        token=os.environ[chosen.token_env] if chosen.token_env else "",
        limits=Limits(chosen.max_rows, chosen.max_bytes, chosen.log_required),
        counts=counted,
    )
    host, port = bound.getsockname()[:2]
    serving = model.serving
    name = f"{serving.project} {serving.release}".rstrip()
    line = f"{name} ({model.bundle.digest}) on http://{f'[{host}]' if ':' in host else host}:{port}"
    life = server.Life(lambda: _say(line), chosen.drain, parent)
    server.run(app, bound, life, server.Bounds(chosen.max_bytes, chosen.timeout))
    if kept is not None and parent is None:
        _say(metrics.told_of_log(counted.sums()))
    return 0


def _of_worker(told: Sequence[int]) -> tuple[int, counts.Counts]:
    parent, shared, part = told
    return parent, counts.of(shared, part)


def _log(folder: Path, sample: float, counted: counts.Counts) -> log.PredictionLog:
    try:
        return log.PredictionLog(folder, log.Limits(sample=sample), counted)
    except OSError as error:
        raise BundleError(f"{folder}: the prediction log cannot be kept there: {error.strerror or error}") from None


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _print(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
