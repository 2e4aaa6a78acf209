"""The Snapshot: sources read, joined, put in order, split and profiled; restored while nothing it reads changes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.config.settings import Config
from mlops_ci.data import canonical, profile, split
from mlops_ci.data.gate_part import gate_part
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
_GATE_PART = "gate-part"


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
    gate_part: GatePart | None = None
    """The held-out rows that are in nothing else here, where only verdicts may leave them; None: there are none."""
    told: ToldFeatures | None = None
    """Of a table that is not at hand."""

    @property
    def held_ids(self) -> NDArray[np.uint64]:
        """Of all rows that must not be trained on."""
        held = self.ids[self.holdout]
        return held if self.gate_part is None else np.concatenate([held, self.gate_part.rows.ids])


class ToldFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """What a run says of the features of the held-out rows. digests: shape (held-out rows,), of these columns."""

    columns: tuple[str, ...]
    digests: NDArray[np.uint64]


class GatePart(msgspec.Struct, frozen=True, kw_only=True):
    """Held-out rows for `@` gates alone.

    rows: these and no others, as a snapshot. whole: the table with them. places: shape (held-out rows,), true where a
    held-out row of `whole` is one of them.
    """

    rows: Snapshot
    whole: Placed
    places: NDArray[np.bool_]


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A table's rows that can be judged, in the order of their ids, each on its side; arrays as in a Snapshot."""

    table: Table
    holdout: NDArray[np.bool_]
    ids: NDArray[np.uint64]
    dropped: int
    """Rows without a target."""


def make_snapshot(
    project: Project, tree: Tree, *, workshop: Workshop, apart: bool = False, way: Tree | None = None
) -> tuple[Snapshot, bool]:
    """The tree's snapshot, and whether it was restored. SourceError, ConfigError or UserCodeError.

    apart: the gate part is kept apart, as the tree's own settings may ask for too. way: the tree whose `prepare` joins
    the sources; its own where none is given.
    """
    apart = apart or tree.config.holdout.verdicts_only
    paths = source_paths(tree, project)
    sources = source_files(tree, project, paths)
    data = tree.config.data
    reads = {
        "version": READS,
        "sources": [(file.source, file.sha256, Path(file.path).suffix) for file in sources],
        "prepare": fingerprint(way or tree, workshop),
        "target": data.target,
        "missing_target": data.missing_target,
        "id": data.id,
        "split": specification(tree.config),
        **({"apart": [list(data.group), data.time]} if apart else {}),
    }
    make = partial(_make, tree=tree, paths=paths, sources=sources, workshop=workshop, apart=apart, way=way or tree)
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
    apart: bool,
    way: Tree,
) -> None:
    config = tree.config
    placed = place(prepared(way, paths, workshop, root=tree.root), config)
    sealed = _gate_rows(config, placed) if apart else None
    info = SnapshotInfo(
        digest=canonical.snapshot_digest(placed.table),
        rows=placed.table.rows,
        train_rows=int((~placed.holdout).sum()),
        holdout_rows=int(placed.holdout.sum()),
        columns=tuple((column.name, column.kind) for column in placed.table.columns),
        split=specification(config),
        sources=sources,
        dropped_missing_target=placed.dropped,
        gate_rows=msgspec.UNSET if sealed is None else int(sealed.sum()),
    )
    if sealed is not None:
        _write_gate_part(folder, config, placed, sealed)
        placed = without(placed, sealed)
    _write(folder, config, placed, info)


def _gate_rows(config: Config, placed: Placed) -> NDArray[np.bool_]:
    """Shape (rows,). ConfigError where one of the parts would be empty."""
    data = config.data
    part = gate_part(placed.table, placed.ids, group=data.group, time=data.time, salt=data.split.salt)
    sealed: NDArray[np.bool_] = part & placed.holdout
    if sealed.any() and (placed.holdout & ~sealed).any():
        return sealed
    raise ConfigError(
        f"{int(placed.holdout.sum()):,} held-out rows cannot be divided into a gate part and a report part",
        "Hold out more rows, a finer group, or write disclose: full.",
        where=config.place("holdout.guarantee"),
    )


def without(placed: Placed, sealed: NDArray[np.bool_]) -> Placed:
    """The other rows; sealed: shape (rows,)."""
    return msgspec.structs.replace(
        placed,
        table=canonical.take(placed.table, ~sealed),
        holdout=placed.holdout[~sealed],
        ids=placed.ids[~sealed],
    )


def _write_gate_part(folder: Path, config: Config, placed: Placed, sealed: NDArray[np.bool_]) -> None:
    table = canonical.take(placed.table, sealed)
    inside = folder / _GATE_PART
    inside.mkdir()
    frames.write(placed.table, inside / "all")
    frames.write(table, inside / "holdout")
    frames.write(canonical.select(table, feature_columns(config, table.names)), inside / "features")
    frames.save(inside / "is_holdout.npy", placed.holdout)
    frames.save(inside / "is_gate.npy", sealed)
    frames.save(inside / "ids.npy", placed.ids)


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
    # The same bytes may lie under other names now: the names of this tree are shown.
    info = msgspec.structs.replace(info, sources=sources)
    opened = Snapshot(
        info=info,
        table=frames.read(folder / "all", memory_map=True),
        holdout=np.load(folder / "is_holdout.npy", allow_pickle=False),
        ids=np.load(folder / "ids.npy", allow_pickle=False),
        profile=msgspec.json.decode((folder / "profile.json").read_bytes(), type=Profile),
        folder=folder,
    )
    if info.gate_rows is msgspec.UNSET:
        return opened
    return msgspec.structs.replace(opened, gate_part=_open_gate_part(opened))


def _open_gate_part(opened: Snapshot) -> GatePart:
    inside = opened.folder / _GATE_PART
    held, sealed, ids = (
        np.load(inside / f"{name}.npy", allow_pickle=False) for name in ("is_holdout", "is_gate", "ids")
    )
    rows = msgspec.structs.replace(
        opened,
        table=frames.read(inside / "holdout", memory_map=True),
        holdout=np.ones(int(sealed.sum()), dtype=np.bool_),
        ids=ids[sealed],
        folder=inside,
    )
    table = frames.read(inside / "all", memory_map=True)
    whole = Placed(table=table, holdout=held, ids=ids, dropped=opened.info.dropped_missing_target)
    return GatePart(rows=rows, whole=whole, places=sealed[held])


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
