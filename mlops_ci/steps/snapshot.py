"""The Snapshot: sources read, joined, put in order, split and profiled; restored while nothing it reads changes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.config.settings import Config
from mlops_ci.data import canonical, profile, split
from mlops_ci.edge import frames
from mlops_ci.errors import ConfigError, SourceError
from mlops_ci.records.data import Profile, SnapshotInfo, SourceFile
from mlops_ci.records.tables import Table
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.prepare import fingerprint, prepared
from mlops_ci.steps.project import Project
from mlops_ci.steps.trees import Tree, source_files, source_paths
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from numpy.typing import NDArray

READS = 1
"""Raise it when the way a snapshot is made changes its content."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared table, in the order of its row ids, with what is known of its rows.

    holdout: shape (rows,) bool. ids: shape (rows,) uint64, sorted. The folders hold what the worker is handed:
    `train` (target, no ids), `features` (held-out rows without target and ids), `holdout` (all columns).
    """

    info: SnapshotInfo
    table: Table
    holdout: NDArray[np.bool_]
    ids: NDArray[np.uint64]
    profile: Profile
    folder: Path


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A table's rows that can be judged, in the order of their ids, each on its side; arrays as in a Snapshot."""

    table: Table
    holdout: NDArray[np.bool_]
    ids: NDArray[np.uint64]
    dropped: int
    """Rows without a target."""


def make_snapshot(project: Project, tree: Tree, *, workshop: Workshop) -> tuple[Snapshot, bool]:
    """The tree's snapshot, and whether it was restored. SourceError, ConfigError or UserCodeError."""
    paths = source_paths(tree, project)
    sources = source_files(tree, project, paths)
    data = tree.config.data
    reads = {
        "version": READS,
        "sources": [(file.source, file.sha256, Path(file.path).suffix) for file in sources],
        "prepare": fingerprint(tree, workshop),
        "target": data.target,
        "missing_target": data.missing_target,
        "id": data.id,
        "split": specification(tree.config),
    }
    make = partial(_make, tree=tree, paths=paths, sources=sources, workshop=workshop)
    folder, restored = Cache(project.state).folder("snapshot", reads, make)
    snapshot = _open(folder, sources)
    _columns_are_there(tree.config, snapshot.table)  # settings that do not change the table are not in `reads`
    return snapshot, restored


def specification(config: Config) -> str:
    """The split's canonical specification."""
    rule = config.data.split
    return split.specification(by=rule.by, holdout=rule.holdout, columns=split_columns(config), salt=rule.salt)


def split_columns(config: Config) -> tuple[str, ...]:
    """The columns the split looks at."""
    data = config.data
    by = {"id": data.id, "group": data.group, "time": (data.time,) if data.time else (), "column": data.split.columns}
    return tuple(by[data.split.by])


def feature_columns(config: Config, names: tuple[str, ...]) -> tuple[str, ...]:
    """What a model may be asked with: all but the target and the ids."""
    return tuple(name for name in names if name != config.data.target and name not in config.data.id)


def place(table: Table, config: Config) -> Placed:
    """Order and split a prepared table as the settings say. SourceError or ConfigError where that cannot be done."""
    _columns_are_there(config, table)
    table, dropped = _without_missing_targets(config, table)
    ids = canonical.id_digests(table, config.data.id or feature_columns(config, table.names), config.data.split.salt)
    order = canonical.order(table, ids)
    table, ids = canonical.take(table, order), ids[order]
    rule = config.data.split
    held = split.sides(table, ids=ids, by=rule.by, holdout=rule.holdout, columns=split_columns(config), salt=rule.salt)
    return Placed(table=table, holdout=held, ids=ids, dropped=dropped)


def _make(
    folder: Path,
    *,
    tree: Tree,
    paths: dict[str, tuple[Path, ...]],
    sources: tuple[SourceFile, ...],
    workshop: Workshop,
) -> None:
    config = tree.config
    placed = place(prepared(tree, paths, workshop), config)
    info = SnapshotInfo(
        digest=canonical.snapshot_digest(placed.table),
        rows=placed.table.rows,
        train_rows=int((~placed.holdout).sum()),
        holdout_rows=int(placed.holdout.sum()),
        columns=tuple((column.name, column.kind) for column in placed.table.columns),
        split=specification(config),
        sources=sources,
        dropped_missing_target=placed.dropped,
    )
    _write(folder, config, placed, info)


def _write(folder: Path, config: Config, placed: Placed, info: SnapshotInfo) -> None:
    table, held = placed.table, placed.holdout
    features = feature_columns(config, table.names)
    train_columns = tuple(name for name in table.names if name in features or name == config.data.target)
    holdout = canonical.take(table, held)
    frames.write(table, folder / "all")
    frames.write(canonical.select(canonical.take(table, ~held), train_columns), folder / "train")
    frames.write(canonical.select(holdout, features), folder / "features")
    frames.write(holdout, folder / "holdout")
    frames.save(folder / "is_holdout.npy", held)
    frames.save(folder / "ids.npy", placed.ids)
    (folder / "profile.json").write_bytes(msgspec.json.encode(profile.profile(table)))
    (folder / "info.json").write_bytes(msgspec.json.encode(info))


def _open(folder: Path, sources: tuple[SourceFile, ...]) -> Snapshot:
    info = msgspec.json.decode((folder / "info.json").read_bytes(), type=SnapshotInfo)
    return Snapshot(
        # The same bytes may lie under other names now: the names of this tree are shown.
        info=msgspec.structs.replace(info, sources=sources),
        table=frames.read(folder / "all", memory_map=True),
        holdout=np.load(folder / "is_holdout.npy", allow_pickle=False),
        ids=np.load(folder / "ids.npy", allow_pickle=False),
        profile=msgspec.json.decode((folder / "profile.json").read_bytes(), type=Profile),
        folder=folder,
    )


def _columns_are_there(config: Config, table: Table) -> None:
    data = config.data
    needed = {"data.target": (data.target,), "data.id": data.id, "data.group": data.group}
    needed |= {"data.time": (data.time,) if data.time else (), "data.split.columns": data.split.columns}
    needed |= {"slices": config.slices}
    for key, names in needed.items():
        for name in names:
            if name not in table.names:
                raise ConfigError(
                    f"column {name!r} is not in the data",
                    f"The prepared table has: {', '.join(table.names)}.",
                    where=config.place(key),
                )


def _without_missing_targets(config: Config, table: Table) -> tuple[Table, int]:
    target = table.column(config.data.target)
    missing = canonical.missing(target)
    count = int(missing.sum())
    if not count:
        return table, 0
    if count == table.rows:
        raise SourceError(
            f"all {table.rows:,} rows have no {target.name}",
            "The target column must hold the answer for past rows.",
            where=config.place("data.target"),
        )
    if config.data.missing_target == "refuse":
        raise SourceError(
            f"{count:,} of {table.rows:,} rows have no {target.name}",
            "Write `missing_target: drop` under data: to leave them out (the report counts them), or fill them.",
            where=config.place("data.target"),
        )
    return canonical.take(table, ~missing), count
