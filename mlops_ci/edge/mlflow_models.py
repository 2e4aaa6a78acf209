"""Models of MLflow: fetched from a registry, registered in one. Beside `mlflow.py` nothing else imports mlflow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import uv
from mlops_ci.edge.files import temporary
from mlops_ci.edge.mlflow import address, client, experiment, outside

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_PYTHON = re.compile(r"^python:\s*[\"']?(3\.\d{1,2})", re.MULTILINE)
_BESIDE = "mlflow\npandas\n"
"""What asks a model, where its own requirements leave it out."""
_MODEL = "model"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a registered model: a release. `tags`: name -> value."""

    name: str
    release: str
    tags: dict[str, str]
    bundle: Path


def download(uri: str, into: Path, *, local: Path) -> Path:
    """The folder of a model behind `models:/…` or `runs:/…`, fetched into a folder. OutsideError otherwise.

    From MLFLOW_TRACKING_URI and MLFLOW_REGISTRY_URI, else from the SQLite file in the folder `local`.
    """
    with outside(f"{uri} was not fetched"):
        client(local)
        from mlflow.artifacts import download_artifacts

        return Path(download_artifacts(artifact_uri=uri, dst_path=str(into), tracking_uri=address(local)))


def register(version: Version, *, local: Path) -> str:
    """Make a release a version of the registered model, with the alias `release-3`; `churn/5`. Once: again it is that.

    Its files are kept as artifacts of a run, so that every MLflow can load it. OutsideError whatever goes wrong.
    """
    with outside("not registered"):
        found = client(local)
        made = _registered(found, version.name, alias(version.release)) or _registered_now(found, version, local)
        return f"{version.name}/{made}"


def alias(release: str) -> str:
    """`release-3` for `v3`, a name that MLflow keeps for its own versions."""
    return f"release-{release.removeprefix('v')}"


def lock(model: Path, into: Path) -> None:
    """Write requirements.lock and .python-version of an MLflow model's folder into another: asks the package index."""
    about = model / "python_env.yaml"
    python = _PYTHON.search(about.read_text(encoding="utf-8", errors="replace")) if about.is_file() else None
    with temporary() as scratch:
        (scratch / "beside.in").write_text(_BESIDE, encoding="utf-8")
        wanted = [str(model / "requirements.txt"), str(scratch / "beside.in")]
        options = ["--quiet", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]
        options += ["--python-version", python[1]] if python else []
        lock = into / "requirements.lock"
        arguments = ["pip", "compile", *options, *wanted, "--output-file", str(lock)]
        uv.call(arguments, model, scratch / "log.txt", making="a lock of what the model requires")
    if python:
        (into / ".python-version").write_text(f"{python[1]}\n", encoding="utf-8")


def _registered(found: MlflowClient, name: str, called: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        return str(found.get_model_version_by_alias(name, called).version)
    except MlflowException:
        return ""


def _registered_now(found: MlflowClient, version: Version, local: Path) -> str:
    from mlflow.exceptions import MlflowException

    try:
        found.create_registered_model(version.name)
    except MlflowException:
        found.get_registered_model(version.name)  # somebody made it before, or there is no registry: that is told
    run = found.create_run(experiment(found, version.name, local), run_name=f"{version.name} {version.release}")
    identity, status = str(run.info.run_id), "FAILED"
    try:
        found.log_artifacts(identity, str(version.bundle), _MODEL)
        source = f"{run.info.artifact_uri}/{_MODEL}"
        made = found.create_model_version(version.name, source, identity, tags=version.tags)
        found.set_registered_model_alias(version.name, alias(version.release), made.version)
        status = "FINISHED"
    finally:
        found.set_terminated(identity, status)
    return str(made.version)
