"""Leaving: which files are only for the tool, which stay, and what each is without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.config import environment_file, waivers
from mlops_ci.edge import files
from mlops_ci.errors import UsageError
from mlops_ci.ledger import names
from mlops_ci.records.ejected import Ejecting, Stays
from mlops_ci.steps import generated, ledger
from mlops_ci.steps.lock import TOOL_LOCK
from mlops_ci.steps.project import SETTINGS
from mlops_ci.steps.releases import releases

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.config.settings import Config
    from mlops_ci.steps.project import Project


def look(project: Project) -> Ejecting:
    """What would go and what stays; nothing is changed."""
    repository = project.repository
    goes = [
        path for path in (*_generated(repository.root), TOOL_LOCK, generated.LOCK) if (repository.root / path).is_file()
    ]
    return Ejecting(goes=tuple(goes), stays=tuple(_stays(project)), done=False)


def leave(project: Project, found: Ejecting) -> Ejecting:
    """Remove what goes; the commit is people's. UsageError where git could not bring a file back as it is."""
    repository = project.repository
    for path in found.goes:
        if not (repository.is_clean(path) and repository.show("HEAD", path) is not None):
            raise UsageError(f"{path} has changes that are not committed", "Commit them, then leave: git keeps them.")
    for path in found.goes:
        files.remove(repository.root / path)
    return Ejecting(goes=found.goes, stays=found.stays, done=True)


def _generated(root: Path) -> tuple[str, ...]:
    lock = generated.read_lock(root)
    return tuple(lock.files) if lock else ()


def _stays(project: Project) -> list[Stays]:
    config, repository = project.config, project.repository
    told = [(name, what) for name, what in _files(config) if (project.root / name).exists()]
    found = [Stays(what=project.path(name), without=what) for name, what in told]
    if (project.root / environment_file.FOLDER).is_dir():
        named = "which release, bundle and image belongs where: YAML, with its history in git"
        found.append(Stays(what=project.path(f"{environment_file.FOLDER}/"), without=named))
    if ledger.head(repository):
        read = f"every decision: `git show {names.BRANCH}:README.md` leads to them, as JSON, Markdown and SVG"
        found.append(Stays(what=f"branch {names.BRANCH}", without=read))
    if known := releases(repository, config.project):
        last = known[max(known)]
        loads = f"bundles are model folders of MLflow: mlflow.pyfunc.load_model opens bundles/{last.bundle}"
        found.append(Stays(what=f"store {config.store}", without=loads))
    return found


def _files(config: Config) -> list[tuple[str, str]]:
    train = config.train
    code = (train.entrypoint or "").partition(":")[0].replace(".", "/") + ".py" if train and train.entrypoint else ""
    parts = [
        (code, "your training code: it imports nothing of mlops-ci"),
        ((train.params or "").partition("#")[0] if train else "", "your parameters"),
        (config.data.contract, "what the data must satisfy, as YAML; nothing checks it any more"),
        (
            "tests/model",
            "ordinary pytest, whose fixtures came from mlops-ci: replace `predict`, `behaviour`, `holdout`",
        ),
        ("requirements.lock", "your environment: uv or pip install it"),
        (waivers.FILE, "gates that were knowingly overridden, and why"),
        (SETTINGS, "the questions that were asked; delete it when nobody reads it"),
    ]
    return [(name, what) for name, what in parts if name]
