"""One server with one model: made, started, loaded, and asked whether it gives the same answers."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import environments
from bench.serving.load import full, paced
from bench.serving.models import Made
from bench.serving.peers import MLFLOW, OURS, Peer, Place
from bench.serving.running import connect, free_port, running
from mlops_ci.edge import runtime

_PACE = 30.0
"""Requests a second that every one of them can answer, MLflow with a forest too."""
_STARTS = 3
_WARM_UP = 2
_SAVE = """
import pickle
import mlflow.sklearn
model = pickle.load(open("model.pkl", "rb"))
mlflow.sklearn.save_model(model, "mlflow_model", serialization_format="cloudpickle")
"""


@dataclass(frozen=True, kw_only=True)
class Served:
    """rates: requests a second by connections. processor: microseconds a request at eight. median, p99: milliseconds
    at equal load. start: seconds to the first answer, the best of three. memory: megabytes after the load. labels: the
    predicted class of each row.
    """

    peer: str
    model: str
    rates: dict[int, float]
    processor: float
    median: float
    p99: float
    start: float
    memory: float
    errors: int
    labels: tuple[object, ...]


def measured(peer: Peer, model: Made, folder: Path, *, seconds: int) -> Served:
    """In `folder`, which does not exist yet."""
    place = _prepared(peer, model, folder)
    bodies = [json.dumps(peer.body(model.columns, row)).encode() for row in model.rows]
    (folder / "bodies.jsonl").write_bytes(b"\n".join(bodies) + b"\n")
    starts = [_start(peer, place, bodies[0]) for _ in range(_STARTS - 1)]
    with running(peer.command(place), folder, peer.variables(place), peer.path, place.port, bodies[0]) as server:
        connection = connect(server.port)
        labels = tuple(peer.label(json.loads(server.ask(connection, body))) for body in bodies)
        connection.close()
        full(server, folder, connections=1, seconds=_WARM_UP)
        loads = {number: full(server, folder, connections=number, seconds=seconds) for number in (1, 8)}
        median, p99 = paced(server, bodies, rate=_PACE, seconds=seconds)
        return Served(
            peer=peer.name,
            model=model.name,
            rates={number: load.rate for number, load in loads.items()},
            processor=loads[8].processor,
            median=median,
            p99=p99,
            start=min(*starts, server.seconds),
            memory=server.megabytes(),
            errors=sum(load.errors for load in loads.values()),
            labels=labels,
        )


def _start(peer: Peer, place: Place, body: bytes) -> float:
    with running(peer.command(place), place.folder, peer.variables(place), peer.path, place.port, body) as server:
        return server.seconds


def _prepared(peer: Peer, model: Made, folder: Path) -> Place:
    folder.mkdir()
    for name in ("model.pkl", "model.joblib"):
        shutil.copyfile(model.fitted, folder / name)
    for name, text in peer.files.items():
        (folder / name).write_text(text)
    python = _environment(peer, model)
    if peer.name == MLFLOW:
        subprocess.run([python, "-c", _SAVE], cwd=folder, check=True, capture_output=True)
    return Place(python=python, folder=folder, bundle=model.bundle, port=free_port())


def _environment(peer: Peer, model: Made) -> Path:
    """The newest server beside the versions that trained the model."""
    if peer.name == OURS:
        return runtime.python_for(model.bundle, lambda _: None)
    return environments.peer(peer.name.replace(" ", "-"), *peer.packages)
