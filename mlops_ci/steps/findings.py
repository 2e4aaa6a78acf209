"""What a first look says about a table: target, task, row id, time, groups, leaks. Guesses with their reasons."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.records.tables import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.records.data import ColumnProfile, Profile
    from mlops_ci.records.tables import Column, Table

_ID_NAME = re.compile(
    r"(?i:(^|[_ .-])(id|key|uuid|guid|nr|no|number|code)$|^index$)"
    r"|(?<=[a-z])(ID|Id|UUID)$|^id(?![a-z])|^ID(?![A-Z])"
)
_ENTITY_NAME = re.compile(r"(id|key|uuid|guid)$", re.IGNORECASE)
_TIME_NAME = re.compile(r"(^|[_ .-])(date|time|timestamp|datetime|day|created|at|ts)([_ .-]|$)", re.IGNORECASE)
_TARGET_NAME = re.compile(
    r"(target|label|y|class|churn(ed)?|outcome|response|default(ed)?|price|late|survived|is_\w+)", re.IGNORECASE
)
_FEW_CLASSES = 20
_TIMES = (Kind.DATE, Kind.TIMESTAMP)


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Guesses about columns. `one_class`: (column, class): filled only for rows of that class, so it may be a leak."""

    task: str
    counts: tuple[int, ...]
    """Rows of every class; empty for regression."""
    id: tuple[str, ...]
    time: str | None
    own_time: str | None = None
    """A time column in which no value repeats: it names a row, but a model may have to learn from it."""
    group: str | None
    one_class: tuple[tuple[str, str], ...]
    missing_target: int


def guess_target(table: Table) -> str | None:
    """The column whose name says so, else None: a wrong guess here costs more than a question."""
    named = [name for name in table.names if _TARGET_NAME.fullmatch(name)]
    return named[-1] if named else None


def find(table: Table, profile: Profile, *, target: str, task: str | None = None) -> Findings:
    """Look at every column with the target in mind."""
    columns = {column.name: column for column in profile.columns}
    answer = table.column(target)
    guessed = task or guess_task(columns[target])
    classes = _classes(answer) if guessed == "classification" else None
    counts = np.bincount(classes[classes >= 0]) if classes is not None else np.array([], dtype=np.int64)
    others = tuple(column for column in profile.columns if column.name != target)
    row_id = _row_id(table, others)
    return Findings(
        task=guessed,
        counts=tuple(map(int, counts)),
        id=row_id,
        time=_time(others),
        own_time=next((column.name for column in others if column.kind in _TIMES and _is_unique(column)), None),
        group=_group(others, row_id),
        one_class=tuple(_one_class(table, answer, classes)) if classes is not None and len(counts) > 1 else (),
        missing_target=columns[target].missing,
    )


def guess_task(target: ColumnProfile) -> str:
    """Numbers with many distinct values are measured, everything else is a class."""
    if target.kind is Kind.FLOAT and target.distinct > 2:
        return "regression"
    return "regression" if target.kind is Kind.INTEGER and target.distinct > _FEW_CLASSES else "classification"


def _row_id(table: Table, columns: tuple[ColumnProfile, ...]) -> tuple[str, ...]:
    """The first column, or pair of columns named like ids or times, that has no repeats; empty: there is none."""
    whole = [column for column in columns if not column.missing and column.kind not in (Kind.FLOAT, Kind.BOOLEAN)]
    unique = [column.name for column in whole if _is_unique(column) and column.kind not in _TIMES]
    named = [name for name in unique if _ID_NAME.search(name)]
    if named or unique:
        return ((named or unique)[0],)
    likely = [column.name for column in whole if _ID_NAME.search(column.name) or column.kind in _TIMES][:8]
    pairs = ((one, other) for at, one in enumerate(likely) for other in likely[at + 1 :])
    return next((pair for pair in pairs if _identify(table, pair)), ())


def _is_unique(column: ColumnProfile) -> bool:
    return not column.missing and column.distinct == column.rows


def _identify(table: Table, names: tuple[str, ...]) -> bool:
    codes = [np.unique(table.column(name).values, return_inverse=True)[1].astype(np.int64) for name in names]
    joined = codes[0] * (int(codes[1].max(initial=0)) + 1) + codes[1]
    return len(np.unique(joined)) == table.rows


def _time(columns: tuple[ColumnProfile, ...]) -> str | None:
    times = [column for column in columns if column.kind in _TIMES and not column.missing and column.distinct > 1]
    named = [column.name for column in times if _TIME_NAME.search(column.name)]
    return next(iter(named or [column.name for column in times]), None)


def _group(columns: tuple[ColumnProfile, ...], row_id: tuple[str, ...]) -> str | None:
    """A column named like an id whose values repeat (rows of one customer, machine, patient), an id before a number."""
    found = [
        column.name
        for column in columns
        if _ID_NAME.search(column.name)
        and (column.name,) != row_id
        and column.kind in (Kind.TEXT, Kind.INTEGER)
        and column.distinct >= 20
        and column.distinct * 1.5 < column.rows
    ]
    ids = [name for name in found if _ENTITY_NAME.search(name)]
    return next(iter(ids or found), None)


def _one_class(table: Table, answer: Column, classes: NDArray[np.int64]) -> list[tuple[str, str]]:
    """Columns with gaps that are filled only for rows of one class, at least 20 of them."""
    found = []
    for column in table.columns:
        if column.name == answer.name or column.missing is None:
            continue
        filled = classes[~missing(column) & (classes >= 0)]
        if len(filled) >= 20 and len(filled) < table.rows and (filled == filled[0]).all():
            found.append((column.name, _class_text(answer, classes, int(filled[0]))))
    return found


def _classes(column: Column) -> NDArray[np.int64]:
    """Codes of the target's values, -1 where missing, shape (rows,)."""
    gone = missing(column)
    codes = np.unique(column.values, return_inverse=True)[1].astype(np.int64)
    codes[gone] = -1
    known = np.unique(codes[~gone])
    return np.where(gone, -1, np.searchsorted(known, codes)) if len(known) else codes


def _class_text(column: Column, classes: NDArray[np.int64], code: int) -> str:
    value = column.values[classes == code][0]
    return column.categories[int(value)] if column.kind is Kind.TEXT else str(value)
