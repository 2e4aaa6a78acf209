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

from . import log, options, segments, server, workers
from .app import App, Limits
from .bundle import opened
from .errors import BundleError
from .model import Model
from .protocol import BoundedProtocol


def main(arguments: Sequence[str]) -> int:
    """Serve, or check, what the arguments say; the exit code."""
    chosen = options.parsed(arguments)
    try:
        if chosen.check:
            return _check(chosen.bundle, chosen.digest)
        bound = server.listen(chosen.host, chosen.port, shared=chosen.workers > 1 or chosen.parent is not None)
        if chosen.workers > 1:
            code = workers.supervise(arguments, chosen.workers, bound)
            if chosen.log is not None:
                segments.sweep(chosen.log)
            return code
        return _serve(chosen, bound)
    except BundleError as error:
        _say(str(error))
    return 1


def _check(bundle: Path, digest: str) -> int:
    """Load it, ask the golden requests, and print what came of it as JSON."""
    began = time.perf_counter()
    try:
        model = Model(opened(bundle, digest))
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


def _serve(chosen: argparse.Namespace, bound: socket.socket) -> int:
    model = Model(opened(chosen.bundle, chosen.digest), chosen.release)
    kept = _log(chosen.log, chosen.log_sample) if chosen.log else None
    app = App(
        model,
        log=kept,
        key=os.environ.get("MLOPS_CI_LOG_KEY", "").encode(),
        token=os.environ[chosen.token_env] if chosen.token_env else "",
        limits=Limits(chosen.max_rows, chosen.max_bytes, chosen.log_required),
    )
    BoundedProtocol.largest_body, BoundedProtocol.slowest = chosen.max_bytes, chosen.timeout
    host, port = bound.getsockname()[:2]
    serving = model.serving
    name = f"{serving.project} {serving.release}".rstrip()
    line = f"{name} ({model.bundle.digest}) on http://{f'[{host}]' if ':' in host else host}:{port}"
    server.run(app, bound, server.Life(lambda: _say(line), chosen.drain, chosen.parent))
    if kept is not None:
        _say(f"{kept.rows} records logged, {kept.dropped} dropped")
    return 0


def _log(folder: Path, sample: float) -> log.PredictionLog:
    try:
        return log.PredictionLog(folder, log.Limits(sample=sample))
    except OSError as error:
        raise BundleError(f"{folder}: the prediction log cannot be kept there: {error.strerror or error}") from None


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _print(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
