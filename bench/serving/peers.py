"""The servers, each in an environment of its own, all with one model; and what one row looks like to each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OURS = "mlops-ci serve"
MLFLOW = "mlflow models serve"

Row = Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a server finds things: its environment, the folder with models and its own files, the bundle, a port."""

    python: Path
    folder: Path
    bundle: Path
    port: int

    def program(self, name: str) -> str:
        return str(self.python.with_name(name))


@dataclass(frozen=True, kw_only=True)
class Peer:
    """`packages` beside the versions that trained the model; `files` are written into its folder."""

    name: str
    command: Callable[[Place], Sequence[str]]
    body: Callable[[Sequence[str], Row], object]
    packages: tuple[str, ...] = ()
    path: str = "/invocations"
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Callable[[Place], Mapping[str, str]] = lambda _: {}
    label: Callable[[Any], object] = lambda answer: answer["predictions"][0]
    """The predicted class in its answer to one row."""


def _split(columns: Sequence[str], row: Row) -> object:
    return {"dataframe_split": {"columns": list(columns), "data": [list(row)]}}


def _rows(_: Sequence[str], row: Row) -> object:
    return {"rows": [list(row)]}


def _tensor(_: Sequence[str], row: Row) -> object:
    return {"inputs": [{"name": "rows", "shape": [1, len(row)], "datatype": "FP64", "data": list(row)}]}


_FASTAPI = """
import pickle
import numpy, pandas
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = pickle.load(open("model.pkl", "rb"))


class Split(BaseModel):
    columns: list[str]
    data: list[list[float]]


class Body(BaseModel):
    dataframe_split: Split


@app.post("/invocations")
def predict(body: Body):
    frame = pandas.DataFrame(body.dataframe_split.data, columns=body.dataframe_split.columns)
    labels, scores = model.predict(frame), model.predict_proba(frame)
    return {"predictions": labels.tolist(), "probabilities": scores.tolist()}
"""
_BENTOML = """
import pickle
import bentoml, numpy


@bentoml.service(workers=1)
class Model:
    def __init__(self):
        self.model = pickle.load(open("model.pkl", "rb"))

    @bentoml.api
    def predict(self, rows: numpy.ndarray) -> dict:
        labels, scores = self.model.predict(rows), self.model.predict_proba(rows)
        return {"predictions": labels.tolist(), "probabilities": scores.tolist()}
"""
_LITSERVE = """
import pickle, sys
import litserve, numpy


class Model(litserve.LitAPI):
    def setup(self, device):
        self.model = pickle.load(open("model.pkl", "rb"))

    def decode_request(self, request):
        return numpy.asarray(request["rows"])

    def predict(self, rows):
        return self.model.predict(rows).tolist(), self.model.predict_proba(rows).tolist()

    def encode_response(self, output):
        return {"predictions": output[0], "probabilities": output[1]}


if __name__ == "__main__":
    server = litserve.LitServer(Model(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
"""
_MLSERVER = {
    "settings.json": json.dumps({"host": "127.0.0.1", "parallel_workers": 0, "debug": False}),
    "model-settings.json": json.dumps(
        {
            "name": "model",
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": "./model.joblib", "version": "1"},
        }
    ),
}

PEERS = (
    Peer(
        name=OURS,
        command=lambda at: [
            *(str(at.python), "-m", "mlops_ci_serving", str(at.bundle), "--port", str(at.port)),
            *("--log", str(at.folder / "log")),
        ],
        body=_split,
        label=lambda answer: answer["predictions"][0]["prediction"],
        variables=lambda at: {"PYTHONPATH": str(at.bundle / "serve")},
    ),
    Peer(
        name=MLFLOW,
        packages=("mlflow", "pandas"),
        command=lambda at: [
            *(at.program("mlflow"), "models", "serve", "-m", "mlflow_model", "--env-manager", "local"),
            *("--host", "127.0.0.1", "--port", str(at.port), "--workers", "1"),
        ],
        body=_split,
        # The server starts another Python by its name.
        variables=lambda at: {"PATH": f"{at.python.parent}:/usr/bin:/bin", "MLFLOW_DISABLE_TELEMETRY": "true"},
    ),
    Peer(
        name="BentoML",
        packages=("bentoml",),
        command=lambda at: [at.program("bentoml"), "serve", "service:Model", "--port", str(at.port)],
        path="/predict",
        body=_rows,
        files={"service.py": _BENTOML},
        variables=lambda at: {"BENTOML_DO_NOT_TRACK": "True", "PATH": f"{at.python.parent}:/usr/bin:/bin"},
    ),
    Peer(
        name="MLServer",
        packages=("mlserver", "mlserver-sklearn"),
        command=lambda at: [at.program("mlserver"), "start", "."],
        path="/v2/models/model/infer",
        body=_tensor,
        label=lambda answer: answer["outputs"][0]["data"][0],
        files=_MLSERVER,
        variables=lambda at: {
            "MLSERVER_HTTP_PORT": str(at.port),
            "MLSERVER_GRPC_PORT": "0",
            "MLSERVER_METRICS_PORT": "0",
        },
    ),
    Peer(
        name="LitServe",
        packages=("litserve",),
        command=lambda at: [str(at.python), "server.py", str(at.port)],
        path="/predict",
        body=_rows,
        files={"server.py": _LITSERVE},
    ),
    Peer(
        name="FastAPI + scikit-learn",
        packages=("fastapi", "uvicorn[standard]", "pandas"),
        command=lambda at: [
            *(at.program("uvicorn"), "server:app", "--port", str(at.port), "--no-access-log", "--log-level", "warning"),
        ],
        body=_split,
        files={"server.py": _FASTAPI},
    ),
)
