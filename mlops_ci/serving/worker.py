"""What a process does that answers: open a bundle, let it prove itself, wait for its turn, serve."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from . import log, server
from .app import App, Limits
from .bundle import Bundle, opened
from .counts import Counts
from .errors import BundleError
from .model import Model

RETIRE = signal.SIGUSR1
"""To a worker that another one takes the place of."""
_LONGEST_WORDS = 2_000
_GLANCE = 0.5  # seconds between two looks whether the parent lives


class Wanted(NamedTuple):
    """The bundle to serve. `folder` is no link, so that all workers open the same one, also when they start again.

    digest: no other one; project, environment: those of what was served before; empty: any.
    release: the number of the bundle `released`, or of the first one.
    """

    folder: Path
    digest: str = ""
    project: str = ""
    environment: str = ""
    release: str = ""
    released: str = ""

    def settled(self, word: Word) -> Wanted:
        """The same, and no other, once a worker has said what is there."""
        return self._replace(
            digest=word.digest,
            project=word.project,
            environment=word.environment,
            released=self.released or word.digest,
        )


class Word(msgspec.Struct, frozen=True):
    """What a worker says once: why it cannot serve, or what it could from now on."""

    error: str = ""
    digest: str = ""
    project: str = ""
    environment: str = ""
    name: str = ""


class Line:
    """The worker's end of the line to its parent, until it is its turn."""

    def __init__(self, end: socket.socket, parent: int) -> None:
        self.parent = parent
        self._end = end
        end.settimeout(_GLANCE)

    def say(self, word: Word) -> None:
        with contextlib.suppress(OSError):  # nobody listens: `turn` says so
            self._end.sendall(msgspec.json.encode(word))

    def turn(self) -> bool:
        """Whether it came; not without a parent."""
        while os.getppid() == self.parent:
            with contextlib.suppress(TimeoutError):
                return self._end.recv(1) != b""
        return False


class Seat(NamedTuple):
    """What a worker has of its own: its place among the others, where it counts, its line to the parent."""

    place: int
    counts: Counts
    line: Line


class Worker:
    """What all workers of a server have in common: the settings, and a socket for each place."""

    def __init__(self, chosen: argparse.Namespace, bound: Sequence[socket.socket]) -> None:
        self._chosen = chosen
        self._bound = bound

    def __call__(self, seat: Seat, wanted: Wanted) -> int:
        """The whole life of one; its exit code."""
        chosen, line = self._chosen, seat.line
        try:
            bundle = opened(wanted.folder, wanted.digest, chosen.trust)
            _compare(bundle, wanted)
            model = Model(bundle, wanted.release if wanted.released in ("", bundle.digest) else "")
            app = self._app(model, seat.counts)
        except BundleError as error:
            line.say(Word(error=str(error)[:_LONGEST_WORDS].encode("utf-8", "backslashreplace").decode()))
            return 1
        others = [each for place, each in enumerate(self._bound) if place != seat.place]
        life = server.Life(chosen.drain, line.parent)
        running = server.Server(app, life, server.Bounds(chosen.max_bytes, chosen.timeout), others)
        signal.signal(RETIRE, running.retire)
        name = f"{model.serving.project} {model.serving.release}".rstrip()
        line.say(Word("", bundle.digest, model.serving.project, bundle.environment, name))
        if line.turn():
            server.run(running, app, self._bound[seat.place])
        return 0

    def _app(self, model: Model, counted: Counts) -> App:
        chosen = self._chosen
        return App(
            model,
            log=_log(chosen.log, chosen.log_sample, counted) if chosen.log else None,
            key=os.environ.get("MLOPS_CI_LOG_KEY", "").encode(),
            token=os.environ[chosen.token_env] if chosen.token_env else "",
            limits=Limits(chosen.max_rows, chosen.max_bytes, chosen.log_required),
            counts=counted,
        )


def _compare(bundle: Bundle, wanted: Wanted) -> None:
    """Before anything of the model is opened: what is asked for by one name stays one thing, in its own libraries."""
    project = bundle.serving.project
    if wanted.project not in ("", project):
        raise BundleError(f"{wanted.folder}: a bundle of {project}; this server serves {wanted.project}")
    if wanted.environment and bundle.environment != wanted.environment:
        words = "it is locked to other libraries than those the server runs with: start the server anew, with these"
        raise BundleError(f"{wanted.folder}: {words}")


def _log(folder: Path, sample: float, counted: Counts) -> log.PredictionLog:
    try:
        return log.PredictionLog(folder, log.Limits(sample=sample), counted)
    except OSError as error:
        raise BundleError(f"{folder}: the prediction log cannot be kept there: {error.strerror or error}") from None
