"""Writes runs to MLflow tracking, where MLflow is installed beside the tool. Nothing else imports mlflow."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_T = TypeVar("_T")

# mlflow.utils.validation: what names may hold, and how long names and values may be. A slash would make a path of it.
_NOT_IN_NAMES = re.compile(r"[^\w\-. ]")
_LONGEST_NAME = 250
_LONGEST_VALUE = 5_000
_MOST = 100
"""Of each kind in one request."""
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",  # it tells every step of making a database
    # A server that is gone must cost seconds, not the half hour of MLflow's own settings.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


class TrackedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as MLflow shows it. Names may be hostile: they are made fit here; what is too long is cut."""

    experiment: str
    name: str
    started: int
    """Milliseconds since 1970."""
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    texts: dict[str, str]
    """File name -> content, kept as artifacts."""


def installed() -> bool:
    """Whether MLflow can be imported here; it is not imported for that."""
    return find_spec("mlflow") is not None


def log_run(run: TrackedRun, *, local: Path) -> str:
    """Write `run` to MLFLOW_TRACKING_URI, else to a SQLite file in the folder `local`; the run's id.

    Importing MLflow takes seconds. Raises OutsideError whatever goes wrong in it, without credentials in the message.
    """
    with outside("not logged"):
        found = client(local)
        where = experiment(found, run.experiment, local)
        made = found.create_run(where, start_time=run.started, run_name=run.name)
        identity, status = str(made.info.run_id), "FAILED"
        try:
            _fill(found, identity, run)
            status = "FINISHED"
        finally:
            found.set_terminated(identity, status)
        return identity


@contextmanager
def outside(what: str) -> Iterator[None]:
    """Tell whatever MLflow, its stores and plug-ins raise as OutsideError, in a line without credentials."""
    try:
        yield
    except Exception as error:  # they raise anything, and none of it may change a decision
        said = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise OutsideError(f"{what}: {_CREDENTIALS.sub('***@', said)[:300]}") from error


def address(local: Path) -> str:
    """MLFLOW_TRACKING_URI, else the SQLite file in the folder `local`."""
    return os.environ.get("MLFLOW_TRACKING_URI", "") or f"sqlite:///{local.resolve() / 'mlflow.db'}"


def client(local: Path) -> MlflowClient:
    """A client of `address`, quiet, and patient for seconds."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    from mlflow.tracking import MlflowClient

    local.mkdir(parents=True, exist_ok=True)
    return MlflowClient(tracking_uri=address(local))


def _fill(client: MlflowClient, identity: str, run: TrackedRun) -> None:
    from mlflow.entities import Metric, Param, RunTag

    params = [Param(name, value[:_LONGEST_VALUE]) for name, value in _named(run.params)]
    metrics = [Metric(name, value, run.started, 0) for name, value in _named(run.metrics)]
    tags = [RunTag(name, value[:_LONGEST_VALUE]) for name, value in _named(run.tags)]
    for start in range(0, max(len(params), len(metrics), len(tags)), _MOST):
        part = slice(start, start + _MOST)
        client.log_batch(identity, metrics=metrics[part], params=params[part], tags=tags[part])
    _keep(client, identity, run.texts)


def experiment(client: MlflowClient, name: str, local: Path) -> str:
    """The experiment's id; made when it is not there, also when another run makes it at the same moment.

    Without a server its artifacts lie in the folder `local`.
    """
    from mlflow.exceptions import MlflowException

    folder = None if os.environ.get("MLFLOW_TRACKING_URI") else (local.resolve() / "mlflow-artifacts").as_uri()
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=folder))
        except MlflowException:
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


def _keep(client: MlflowClient, identity: str, texts: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="mlops-ci-") as folder:
        for name, text in texts.items():
            path = Path(folder) / name
            path.write_text(text, encoding="utf-8")
            client.log_artifact(identity, str(path))


def _named(values: dict[str, _T]) -> list[tuple[str, _T]]:
    """The values under names MLflow takes; of two that become the same name the first stays."""
    named: dict[str, _T] = {}
    for name, value in values.items():
        named.setdefault(_NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME].lstrip(".") or "_", value)
    return list(named.items())
