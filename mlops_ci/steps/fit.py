"""The model: trained by the project's code or taken from elsewhere; restored while nothing it reads changes."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci.config import yaml
from mlops_ci.config.settings import Train
from mlops_ci.edge import files, worker
from mlops_ci.edge.answers import Fitted as Answered
from mlops_ci.errors import ConfigError, UserCodeError
from mlops_ci.records.canonical import digest as record_digest
from mlops_ci.records.decisions import TrainingInfo
from mlops_ci.steps import training_copy
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.project import Project
from mlops_ci.steps.snapshot import Snapshot, feature_columns
from mlops_ci.steps.trees import Tree
from mlops_ci.steps.workshop import Workshop


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is written beside a fitted model."""

    file: str
    class_name: str
    features: tuple[str, ...]
    packages: dict[str, str]
    seconds: float
    peak_memory: int
    protected: bool = True


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """A model somebody can be asked with. `model` is a file or folder, or a URI the project's environment opens."""

    model: str
    digest: str
    info: TrainingInfo
    restored: bool
    protected: bool
    seconds: float | None = None
    peak_memory: int | None = None


def fit(
    project: Project,
    tree: Tree,
    snapshot: Snapshot,
    workshop: Workshop,
    *,
    model: str | None = None,
    seed: int | None = None,
    again: int = 0,
) -> Fitted:
    """Train, restore or find the model of a tree. UserCodeError when the project's code does not give one.

    seed: another one than the settings name. again: number of a training that is made although there is one.
    """
    train = tree.config.train
    if train is not None and seed is not None:
        train = msgspec.structs.replace(train, seed=seed)
    if model or (train and train.model):
        return _trained_elsewhere(project, tree, snapshot, workshop, str(model or (train and train.model)))
    if train is None:
        raise ConfigError(
            "nothing says how the model is made",
            "Write `train: {entrypoint: pipeline.train:train}`, or give `--predictions FILE` or `--model URI`.",
            where=tree.config.place("train"),
        )
    reads = {
        "snapshot": snapshot.info.digest,
        "split": snapshot.info.split,
        "target": tree.config.data.target,
        "id": tree.config.data.id,
        "train": [train.entrypoint, train.command, train.output, train.seed],
        "params": params(tree, train),
        "code": workshop.code,
        "environment": workshop.environment.digest,
    }
    if again:
        reads["again"] = again
    run = _run_entrypoint if train.entrypoint else partial(_run_command, project=project)
    make = partial(run, tree=tree, snapshot=snapshot, workshop=workshop, train=train)
    folder, restored = Cache(project.state).folder("fit", reads, make)
    return _open(folder, train, workshop, restored=restored)


def params(tree: Tree, train: Train) -> Any:
    """The hyper-parameters of a tree: the file, or the part of it after `#`."""
    if not train.params:
        return {}
    name, _, key = train.params.partition("#")
    path, where = tree.root / name, tree.config.place("train.params")
    if not path.is_file():
        raise ConfigError(f"{name} is not there", "Write it, or leave `params` out.", where=where)
    text = yaml.decode(path.read_bytes(), file=name)
    value = yaml.load(text, file=name).value if text.strip() else {}
    for part in filter(None, key.split(".")):
        if not isinstance(value, dict) or part not in value:
            known = ", ".join(map(str, value)) if isinstance(value, dict) else "no keys"
            raise ConfigError(f"{name} has no {key}", f"It has: {known}.", where=where)
        value = value[part]
    return value


def _run_entrypoint(folder: Path, *, tree: Tree, snapshot: Snapshot, workshop: Workshop, train: Train) -> None:
    with workshop.open() as bench:
        answer = bench.run(
            "fit",
            {
                "entrypoint": train.entrypoint,
                "frame": str(snapshot.folder / "train"),
                "target": tree.config.data.target,
                "id": list(tree.config.data.id),
                "params": params(tree, train),
                "seed": train.seed,
                "output": str(folder),
            },
        )
    fitted = answer.value
    if not isinstance(fitted, Answered):
        raise TypeError(f"the job fit answered {type(fitted).__name__}")
    _keep(
        folder,
        Kept(
            file=fitted.model.file,
            class_name=fitted.class_name,
            features=fitted.features,
            packages=fitted.packages,
            seconds=fitted.seconds,
            peak_memory=answer.peak_memory,
        ),
    )


def _run_command(
    folder: Path, *, project: Project, tree: Tree, snapshot: Snapshot, workshop: Workshop, train: Train
) -> None:
    with workshop.open() as bench:
        protected = training_copy.lay_sources(project, tree, snapshot, bench.workspace)
        finished = worker.command(
            str(train.command),
            python=bench.python,
            workspace=bench.workspace,
            scratch=bench.scratch,
            limits=bench.limits,
            secrets=bench.secrets,
        )
        output = bench.workspace / str(train.output)
        if output.is_symlink() or not output.exists():
            raise UserCodeError(
                f"{train.command} ended well and left no {train.output}",
                "It must write the file or MLflow folder that `train.output` names.",
                where=tree.config.place("train.output"),
                details=finished.log,
            )
        if output.is_dir():
            shutil.copytree(output, folder / "model", symlinks=True)
        else:
            shutil.copyfile(output, folder / f"model{''.join(output.suffixes)}")
    _keep(
        folder,
        Kept(
            file="model" if (folder / "model").is_dir() else f"model{''.join(output.suffixes)}",
            class_name=output.name,
            features=feature_columns(tree.config, snapshot.table.names),
            packages={},
            seconds=finished.seconds,
            peak_memory=finished.peak_memory,
            protected=protected,
        ),
    )


def _keep(folder: Path, kept: Kept) -> None:
    (folder / "fitted.json").write_bytes(msgspec.json.encode(kept))


def _open(folder: Path, train: Train, workshop: Workshop, *, restored: bool) -> Fitted:
    kept = msgspec.json.decode((folder / "fitted.json").read_bytes(), type=Kept)
    model = folder / kept.file
    digest = content_digest(model)
    return Fitted(
        model=str(model),
        digest=digest,
        info=TrainingInfo(
            rung=train.rung,
            model=kept.class_name,
            features=kept.features,
            seed=train.seed if train.entrypoint else None,
            digest=digest,
            bytes=_size(model),
            locked=workshop.environment.locked,
            packages=kept.packages,
        ),
        restored=restored,
        protected=kept.protected,
        seconds=kept.seconds,
        peak_memory=kept.peak_memory,
    )


def _trained_elsewhere(project: Project, tree: Tree, snapshot: Snapshot, workshop: Workshop, name: str) -> Fitted:
    path = next((root / name for root in (tree.root, project.root) if (root / name).exists()), None)
    if path is None and "://" not in name and ":/" not in name:
        raise ConfigError(
            f"there is no model {name}",
            "Name a file or MLflow folder of the project, or a URI such as models:/churn/3.",
            where=tree.config.place("train.model"),
        )
    digest = "" if path is None else content_digest(path)
    return Fitted(
        model=name if path is None else str(path),
        digest=digest,
        info=TrainingInfo(
            rung="model",
            model=name,
            features=feature_columns(tree.config, snapshot.table.names),
            seed=None,
            digest=digest,
            bytes=None if path is None else _size(path),
            locked=workshop.environment.locked,
        ),
        restored=False,
        protected=False,
    )


def _members(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def content_digest(model: Path) -> str:
    """sha256 of a model's file, or over the files of its folder."""
    if model.is_file():
        return files.sha256(model)
    return record_digest([[path.relative_to(model).as_posix(), files.sha256(path)] for path in _members(model)])


def _size(model: Path) -> int:
    return model.stat().st_size if model.is_file() else sum(path.stat().st_size for path in _members(model))
