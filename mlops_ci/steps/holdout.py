"""The held-out rows as evidence: keyed ids, truth, groups and slices."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from mlops_ci.config.settings import Config
from mlops_ci.data import canonical
from mlops_ci.data.belonging import belonging
from mlops_ci.data.classes import class_codes
from mlops_ci.errors import ConfigError, SourceError
from mlops_ci.records.evaluation import Factor, Holdout, Task
from mlops_ci.records.tables import Column, Kind, Table
from mlops_ci.steps.snapshot import Placed, Snapshot

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Truth = tuple[Task, tuple[str, ...], "NDArray[np.generic]"]
_MOST_CLASSES = 1000
_MOST_SLICES = 50


def make_holdout(snapshot: Snapshot | Placed, config: Config) -> Holdout:
    """The Holdout of a snapshot. SourceError for a target with one value only, ConfigError for one that is no class."""
    table, held = snapshot.table, snapshot.holdout
    target = table.column(config.data.target)
    task, classes, truth = _numbers(target, config) if config.task == "regression" else _classes(target, config)
    ids, group = snapshot.ids[held], _groups(table, held, config)
    return Holdout(
        task=task,
        digest=ids_digest(ids),
        ids=ids,
        truth=truth[held],
        classes=classes,
        group=group,
        by_day=group is not None and not config.data.group,
        slices={name: factor(canonical.take(table, held).column(name)) for name in config.slices},
    )


def make_parts(snapshot: Snapshot, config: Config) -> tuple[Holdout, Holdout | None]:
    """The rows whose numbers are shown, and the gate part where there is one: of one mould, so that classes and
    slices are the same.
    """
    part = snapshot.gate_part
    if part is None:
        return make_holdout(snapshot, config), None
    whole = make_holdout(part.whole, config)
    return _some(whole, ~part.places), _some(whole, part.places)


def _some(holdout: Holdout, rows: NDArray[np.bool_]) -> Holdout:
    """These rows of a holdout as one of their own; rows: shape (n,)."""
    return replace(holdout.cut(rows), digest=ids_digest(holdout.ids[rows]))


def ids_digest(ids: NDArray[np.uint64]) -> str:
    """The identity of the rows of these ids, shape (rows,)."""
    return hashlib.sha256(ids.astype(">u8").tobytes()).hexdigest()


def _classes(target: Column, config: Config) -> _Truth:
    truth, classes = class_codes(target)
    if len(classes) < 2:
        raise SourceError(
            f"{target.name} has one value only ({classes[0]!r})",
            "There is nothing to learn or to judge.",
            where=config.place("data.target"),
        )
    if len(classes) > _MOST_CLASSES or (target.kind is Kind.FLOAT and len(classes) > 20):
        raise ConfigError(
            f"{target.name} has {len(classes):,} values, which is no classification",
            "Write `task: regression`, or a target with fewer classes.",
            where=config.place("task"),
        )
    return (Task.BINARY if len(classes) == 2 else Task.MULTICLASS), classes, truth


def _numbers(target: Column, config: Config) -> _Truth:
    if target.kind not in (Kind.INTEGER, Kind.FLOAT):
        raise ConfigError(
            f"{target.name} holds {target.kind} values, regression needs numbers",
            "Write `task: classification`, or name a column of numbers.",
            where=config.place("data.target"),
        )
    values = target.values.astype(np.float64)
    if not np.isfinite(values).all():
        raise SourceError(
            f"{target.name} holds {int((~np.isfinite(values)).sum()):,} infinite values",
            "Mend them at the source.",
            where=config.place("data.target"),
        )
    return Task.REGRESSION, (), values


def _groups(table: Table, held: NDArray[np.bool_], config: Config) -> NDArray[np.int64] | None:
    keys = belonging(table, config.data.group, config.data.time)
    if keys is None:
        return None
    _, codes = np.unique(keys[held], return_inverse=True)
    return codes.astype(np.int64)


def factor(column: Column) -> Factor:
    """A column as something to cut rows by: its values, or quarters of a column with many numbers."""
    if column.kind in (Kind.INTEGER, Kind.FLOAT) and len(np.unique(column.values)) > _MOST_SLICES:
        return _quarters(column)
    codes, values = class_codes(column)
    return Factor(codes=codes, values=values)


def _quarters(column: Column) -> Factor:
    values = column.values.astype(np.float64)
    if column.missing is not None:
        values = np.where(column.missing, np.nan, values)
    known = values[np.isfinite(values)]
    # Rounded so that the names of slices can be read and stay the same when a row is added.
    edges = np.unique([float(f"{edge:.3g}") for edge in np.quantile(known, [0.25, 0.5, 0.75])])
    codes = np.searchsorted(edges, values, side="right").astype(np.int32)
    codes[np.isnan(values)] = -1
    names = [f"below {edges[0]:g}"] + [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return Factor(codes=codes, values=(*names, f"{edges[-1]:g} and above"))
