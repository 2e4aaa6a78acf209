"""Rung one: predictions made elsewhere, read from a file and brought to the held-out rows by their ids."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.config.settings import Config
from mlops_ci.data import canonical
from mlops_ci.data.classes import class_codes
from mlops_ci.data.kinds import as_kind
from mlops_ci.edge import tables
from mlops_ci.errors import ConfigError, SourceError
from mlops_ci.records.evaluation import Holdout, Predictions, Task
from mlops_ci.records.tables import Kind, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LABELS = ("label", "prediction", "predicted")
_SCORE = "score"


def given_predictions(path: Path, holdout: Holdout, config: Config, kinds: dict[str, Kind]) -> Predictions:
    """The predictions in `path` for every held-out row.

    kinds: of the data's columns; the ids of the file are read as these, however they are written.
    The file has the id columns, and `score` (the probability of the positive class) or `label`, or both; for more
    classes `label` and, if there are scores, `score_<class>` for each; for regression `prediction`.
    """
    if not config.data.id:
        raise ConfigError(
            "predictions from a file need ids",
            "Name the columns that identify a row: `id:` under data:.",
            where=config.place("data"),
        )
    if not path.is_file():
        raise SourceError(
            f"there is no {path.name}",
            f"Write it with the columns {', '.join(config.data.id)} and score or label, or mend train.predictions.",
            where=config.place("train.predictions"),
        )
    table = tables.read({"predictions": (path,)}, None, texts=config.data.id)
    missing = [name for name in config.data.id if name not in table.names]
    if missing:
        raise SourceError(f"column {missing[0]!r} is not there", f"It has: {', '.join(table.names)}.", where=path.name)
    table, unread = _with_ids(table, {name: kinds[name] for name in config.data.id})
    table = canonical.take(table, _positions(table, holdout, config, path, unread))
    labels, scores = _regression(table, path) if holdout.task is Task.REGRESSION else _classes(table, holdout, path)
    return Predictions(digest=predictions_digest(labels, scores), labels=labels, scores=scores)


def predictions_digest(labels: NDArray[np.generic], scores: NDArray[np.float32] | None) -> str:
    """The identity of a set of predictions: sha256 over labels and scores, little-endian."""
    total = hashlib.sha256(labels.astype(labels.dtype.newbyteorder("<")).tobytes())
    if scores is not None:
        total.update(b"scores" + scores.astype("<f4").tobytes())
    return total.hexdigest()


def _with_ids(table: Table, kinds: dict[str, Kind]) -> tuple[Table, str]:
    """The rows whose ids can be read as the data's kinds, and which cannot, in words: never an id, this is recorded."""
    ids = {name: as_kind(table.column(name), kind) for name, kind in kinds.items()}
    lost = {name: canonical.missing(ids[name]) & ~canonical.missing(table.column(name)) for name in kinds}
    told = [f"{int(rows.sum()):,} values of {name} are no {kinds[name]}" for name, rows in lost.items() if rows.any()]
    columns = tuple(ids.get(column.name, column) for column in table.columns)
    table = canonical.take(msgspec.structs.replace(table, columns=columns), ~np.any(list(lost.values()), axis=0))
    return table, "; ".join(told)


def _positions(table: Table, holdout: Holdout, config: Config, path: Path, unread: str) -> NDArray[np.intp]:
    ids = canonical.id_digests(table, config.data.id, config.data.split.salt)
    order = np.argsort(ids, kind="stable")
    places = np.searchsorted(ids, holdout.ids, sorter=order)
    there = places < len(order)
    found = order[np.where(there, places, 0)] if len(order) else np.zeros(holdout.rows, dtype=np.intp)
    there[there] = ids[found[there]] == holdout.ids[there]
    if not there.all():
        absent = f"{int((~there).sum()):,} of {holdout.rows:,} held-out rows have no prediction"
        raise SourceError(
            f"{absent}: {unread}" if unread else absent,
            "Predict every row of the data, or at least those held out (`mlops-ci rows --holdout` lists them).",
            where=path.name,
        )
    return found


def _regression(table: Table, path: Path) -> tuple[NDArray[np.generic], None]:
    return _floats(table, _first(table, (*_LABELS, _SCORE), path), path), None


def _classes(table: Table, holdout: Holdout, path: Path) -> tuple[NDArray[np.generic], NDArray[np.float32] | None]:
    scores = _scores(table, holdout, path)
    named = [name for name in _LABELS if name in table.names]
    if named:
        codes, texts = class_codes(table.column(named[0]))
        place = {text: code for code, text in enumerate(holdout.classes)}
        lookup = np.array([place.get(text, -1) for text in (*texts, "")], dtype=np.int32)
        return lookup[codes], scores
    if scores is None:
        raise _no_column(table, (_SCORE, *_LABELS), path)
    labels = scores >= 0.5 if holdout.task is Task.BINARY else scores.argmax(axis=1)
    return labels.astype(np.int32), scores


def _scores(table: Table, holdout: Holdout, path: Path) -> NDArray[np.float32] | None:
    if holdout.task is Task.BINARY:
        return _floats(table, _SCORE, path) if _SCORE in table.names else None
    columns = [f"{_SCORE}_{name}" for name in holdout.classes]
    if not all(name in table.names for name in columns):
        return None
    return np.column_stack([_floats(table, name, path) for name in columns])


def _first(table: Table, wanted: tuple[str, ...], path: Path) -> str:
    for name in wanted:
        if name in table.names:
            return name
    raise _no_column(table, wanted, path)


def _no_column(table: Table, wanted: tuple[str, ...], path: Path) -> SourceError:
    return SourceError(
        "there is no column with predictions",
        f"Name it {' or '.join(wanted)}; the file has: {', '.join(table.names)}.",
        where=path.name,
    )


def _floats(table: Table, name: str, path: Path) -> NDArray[np.float32]:
    column = table.column(name)
    if column.kind not in (Kind.INTEGER, Kind.FLOAT):
        raise SourceError(f"column {name} holds {column.kind} values, not numbers", where=path.name)
    values = np.where(canonical.missing(column), np.nan, column.values.astype(np.float64))
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise SourceError(f"column {name} has {count:,} values that are missing or infinite", where=path.name)
    return values.astype(np.float32)
