"""A model that was in production before: fetched, and asked in an environment of its own."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import archives, environment, files, mlflow, mlflow_models
from mlops_ci.errors import MlopsCiError, UsageError
from mlops_ci.packaging import manifest
from mlops_ci.records.bundles import FileDigest
from mlops_ci.records.decisions import TrainingInfo
from mlops_ci.steps import stores
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.fit import Fitted, content_digest
from mlops_ci.steps.snapshot import Snapshot, feature_columns
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.trees import Tree

_MODEL, _REQUIREMENTS = "MLmodel", "requirements.txt"
_NAME_ONE = "Name a model of MLflow: models:/churn/17, or its folder."
_INSTALL = "Install it beside mlops-ci, pip install 'mlops-ci[mlflow]', or name a folder that holds the model."


class TakenIn(msgspec.Struct, frozen=True, kw_only=True):
    """The folder of a model with its manifest, and what asks it."""

    folder: Path
    digest: str
    bytes: int
    files: int
    fitted: Fitted
    workshop: Workshop


def take_in(project: Project, tree: Tree, snapshot: Snapshot, source: str, say: Callable[[str], None]) -> TakenIn:
    """Fetch what `source` names, and make its environment. UsageError for what is no model of MLflow."""
    with files.temporary() as scratch:
        fetched = _fetched(project, source, scratch, say)
        for name in (_MODEL, _REQUIREMENTS):
            if not (fetched / name).is_file():
                raise UsageError(f"{source} holds no {name}", _NAME_ONE)
        reads = [content_digest(fetched)]
        folder, _ = Cache(project.state).folder("import", reads, partial(_copy, model=fetched))
    return opened(project, tree, snapshot, folder, source=source, say=say)


def opened(
    project: Project, tree: Tree, snapshot: Snapshot, folder: Path, *, source: str, say: Callable[[str], None]
) -> TakenIn:
    """A folder that `take_in` made, here or at another desk."""
    listed = manifest.digest((folder / manifest.NAME).read_bytes())
    paths = [path for path in folder.rglob("*") if path.is_file()]
    workshop = Workshop(project, tree, say)
    workshop.environment = _environment(project, folder, listed, say)
    fitted = Fitted(
        model=str(folder),
        digest=listed,
        info=TrainingInfo(
            rung="model",
            model=source,
            features=feature_columns(tree.config, snapshot.table.names),
            seed=None,
            digest=listed,
            bytes=sum(path.stat().st_size for path in paths),
            locked=True,
            packages=workshop.environment.packages,
        ),
        restored=False,
        protected=False,
    )
    size = fitted.info.bytes or 0
    return TakenIn(folder=folder, digest=listed, bytes=size, files=len(paths), fitted=fitted, workshop=workshop)


def again(
    project: Project, tree: Tree, snapshot: Snapshot, stored: StoredDecision, say: Callable[[str], None]
) -> TakenIn:
    """The model of an import in the ledger, from the store. MlopsCiError where it is not to be had."""
    found = stored.evidence.imported or None
    folder = stores.find(project, found.digest, say) if found else None
    if found is None or folder is None:
        raise MlopsCiError("it was imported, and is not in the store")
    return opened(project, tree, snapshot, folder, source=found.source, say=say)


def _fetched(project: Project, source: str, scratch: Path, say: Callable[[str], None]) -> Path:
    folder = project.root / source
    if ":/" not in source:
        if not folder.is_dir():
            raise UsageError(f"there is no folder {source}", _NAME_ONE)
        return folder
    if not mlflow.installed():
        raise UsageError(f"{source} is fetched by MLflow, which is not installed here", _INSTALL)
    say(f"fetching {source}")
    return mlflow_models.download(source, scratch, local=project.state)


def _copy(folder: Path, *, model: Path) -> None:
    """Plain files under plain names, and the manifest."""
    listed = {}
    for path in sorted(path for path in model.rglob("*") if path.is_file() or path.is_symlink()):
        name = path.relative_to(model).as_posix()
        if path.is_symlink() or not archives.is_plain(name) or name == manifest.NAME:
            raise UsageError(f"the model holds {name}, which cannot be kept", "Plain files under plain names can be.")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copied = Path(shutil.copyfile(path, folder / name))
        listed[name] = FileDigest(sha256=files.sha256(copied), bytes=copied.stat().st_size)
    (folder / manifest.NAME).write_bytes(manifest.listing(listed))


def _environment(
    project: Project, folder: Path, digest: str, say: Callable[[str], None]
) -> environment.ProjectEnvironment:
    """Its requirements, locked once, so that it is asked by the same libraries every time."""

    def lock(into: Path) -> None:
        say("locking what the model requires")
        mlflow_models.lock(folder, into)

    locked, _ = Cache(project.state).folder("import-lock", [digest], lock)
    return environment.resolve(locked, project.state / "env", say=lambda _: say("making the model's own environment"))
