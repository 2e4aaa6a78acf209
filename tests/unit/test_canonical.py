"""The canonical form: golden digests, a slow second writing of the form, and what must not matter."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.data import canonical
from mlops_ci.records.tables import Column, Kind, Table

GOLDEN = Path(__file__).parent.parent / "golden" / "digests.json"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Cell = bool | int | float | str | date | datetime | None


def column(name: str, kind: Kind, cells: list[Cell]) -> Column:
    lost = np.array([cell is None for cell in cells], dtype=bool)
    missing = lost if lost.any() else None
    if kind is Kind.TEXT:
        categories = tuple(sorted({cell for cell in cells if isinstance(cell, str)}))
        codes = np.array([-1 if cell is None else categories.index(str(cell)) for cell in cells], dtype=np.int32)
        return Column(name=name, kind=kind, values=codes, missing=missing, categories=categories)
    dtype = {"boolean": "b1", "integer": "i8", "float": "f8", "date": "M8[D]", "timestamp": "M8[us]"}[kind]
    if kind in {Kind.DATE, Kind.TIMESTAMP}:
        plain = [None if c is None else c.replace(tzinfo=None) if isinstance(c, datetime) else c for c in cells]
        return Column(name=name, kind=kind, values=np.array(plain, dtype=dtype), missing=missing)
    filler = math.nan if kind is Kind.FLOAT else 0
    return Column(
        name=name, kind=kind, values=np.array([filler if c is None else c for c in cells], dtype=dtype), missing=missing
    )


def table(**columns: tuple[Kind, list[Cell]]) -> Table:
    made = tuple(column(name, kind, cells) for name, (kind, cells) in columns.items())
    return Table(rows=len(made[0].values), columns=made)


SAMPLE: dict[str, tuple[Kind, list[Cell]]] = {
    "flag": (Kind.BOOLEAN, [True, False, None]),
    "count": (Kind.INTEGER, [2**63 - 1, -1, None]),
    "share": (Kind.FLOAT, [0.1, -0.0, None]),
    "word": (Kind.TEXT, ["", "ü🎉", None]),
    "day": (Kind.DATE, [date(2013, 1, 2), date(1969, 12, 31), None]),
    "moment": (
        Kind.TIMESTAMP,
        [datetime(2013, 1, 2, 3, 4, 5, 6, UTC), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), None],
    ),
}


def cell_bytes(kind: Kind, cell: Cell) -> bytes:
    """docs/data.md, written a second time with the standard library alone."""
    if cell is None:
        return bytes(17)
    tag = bytes([["", "boolean", "integer", "float", "text", "date", "timestamp"].index(kind)])
    if isinstance(cell, str):
        return tag + hashlib.sha256(cell.encode()).digest()[:16]
    if isinstance(cell, float):
        import struct

        return tag + bytes(8) + struct.pack(">d", cell if cell != 0 else 0.0)
    if isinstance(cell, datetime):
        cell = round((cell - EPOCH).total_seconds() * 1_000_000)
    elif isinstance(cell, date):
        cell = (cell - EPOCH.date()).days
    return tag + int(cell).to_bytes(16, "big", signed=True)


def row_sha256(columns: dict[str, tuple[Kind, list[Cell]]], row: int) -> bytes:
    names = sorted(columns)
    schema = json.dumps([[name, str(columns[name][0])] for name in names], separators=(",", ":"), ensure_ascii=False)
    cells = b"".join(cell_bytes(columns[name][0], columns[name][1][row]) for name in names)
    return hashlib.sha256(hashlib.sha256(schema.encode()).digest() + cells).digest()


def test_digests_are_the_golden_ones() -> None:
    sample = table(**SAMPLE)
    found = {
        "snapshot": canonical.snapshot_digest(sample),
        "rows": [f"{value:016x}" for value in canonical.row_digests(sample, sample.names).tolist()],
        "rows of word": [f"{value:016x}" for value in canonical.row_digests(sample, ["word"]).tolist()],
        "ids of count, day": [
            f"{value:016x}" for value in canonical.id_digests(sample, ["count", "day"], "salt").tolist()
        ],
    }
    assert found == json.loads(GOLDEN.read_text())


def test_the_fast_form_is_the_written_form() -> None:
    rows = [row_sha256(SAMPLE, row) for row in range(3)]
    sample = table(**SAMPLE)
    total = sum(int.from_bytes(row, "big") for row in rows) % 2**128
    assert canonical.snapshot_digest(sample) == f"{total:032x}"
    assert canonical.row_digests(sample, sample.names).tolist() == [int.from_bytes(row[:8], "big") for row in rows]
    ids = [
        hashlib.sha256(
            b"salt" + b"".join(cell_bytes(SAMPLE[name][0], SAMPLE[name][1][row]) for name in ("count", "day"))
        )
        for row in range(3)
    ]
    expected = [int.from_bytes(one.digest()[:8], "big") for one in ids]
    assert canonical.id_digests(sample, ["day", "count"], "salt").tolist() == expected


cells: dict[Kind, st.SearchStrategy[Cell]] = {
    Kind.BOOLEAN: st.booleans(),
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.FLOAT: st.floats(allow_nan=False),
    Kind.TEXT: st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    Kind.DATE: st.dates(),
}


@st.composite
def columns_of_cells(draw: st.DrawFn) -> dict[str, tuple[Kind, list[Cell]]]:
    rows = draw(st.integers(1, 6))
    kinds = draw(st.lists(st.sampled_from(list(cells)), min_size=1, max_size=4))
    return {
        f"c{position}": (kind, draw(st.lists(st.none() | cells[kind], min_size=rows, max_size=rows)))
        for position, kind in enumerate(kinds)
    }


@given(columns_of_cells(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_of_rows_and_columns_does_not_matter_and_content_does(
    columns: dict[str, tuple[Kind, list[Cell]]], random: object
) -> None:
    made = table(**columns)
    total = sum(int.from_bytes(row_sha256(columns, row), "big") for row in range(made.rows)) % 2**128
    assert canonical.snapshot_digest(made) == f"{total:032x}"
    order = list(range(made.rows))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = canonical.take(made, np.array(order))
    backwards = canonical.select(shuffled, made.names[::-1])
    assert canonical.snapshot_digest(backwards) == canonical.snapshot_digest(made)
    fewer = canonical.take(made, np.array(order[1:], dtype=np.intp))
    assert canonical.snapshot_digest(fewer) != canonical.snapshot_digest(made)


def test_parts_add_up_to_the_whole() -> None:
    sample = table(**SAMPLE)
    parts = [int(canonical.snapshot_digest(canonical.take(sample, np.array(rows))), 16) for rows in ([0], [2, 1])]
    assert f"{sum(parts) % 2**128:032x}" == canonical.snapshot_digest(sample)


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = table(n=(Kind.INTEGER, list(range(100))), t=(Kind.TEXT, [str(n % 7) for n in range(100)]))
    whole = canonical.snapshot_digest(sample), canonical.row_digests(sample, sample.names).tolist()
    monkeypatch.setattr(canonical, "_CHUNK", 7)
    assert (canonical.snapshot_digest(sample), canonical.row_digests(sample, sample.names).tolist()) == whole


def test_values_under_a_mask_and_signs_of_zero_do_not_show() -> None:
    lost = np.array([True, False])
    first = Column(name="a", kind=Kind.INTEGER, values=np.array([7, 1]), missing=lost)
    second = Column(name="a", kind=Kind.INTEGER, values=np.array([0, 1]), missing=lost)
    digests = {canonical.snapshot_digest(Table(rows=2, columns=(one,))) for one in (first, second)}
    assert len(digests) == 1
    zeros = {canonical.snapshot_digest(table(x=(Kind.FLOAT, [zero]))) for zero in (0.0, -0.0)}
    assert len(zeros) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((Kind.INTEGER, [1]), (Kind.FLOAT, [1.0])),
        ((Kind.INTEGER, [1]), (Kind.BOOLEAN, [True])),
        ((Kind.INTEGER, [0]), (Kind.INTEGER, [None])),
        ((Kind.TEXT, [""]), (Kind.TEXT, [None])),
        ((Kind.INTEGER, [2**53]), (Kind.INTEGER, [2**53 + 1])),
        ((Kind.FLOAT, [math.inf]), (Kind.FLOAT, [-math.inf])),
    ],
)
def test_different_content_has_different_digests(
    first: tuple[Kind, list[Cell]], second: tuple[Kind, list[Cell]]
) -> None:
    assert canonical.snapshot_digest(table(a=first)) != canonical.snapshot_digest(table(a=second))


def test_a_renamed_column_is_other_content_but_the_same_id() -> None:
    old, new = table(a=(Kind.INTEGER, [1])), table(b=(Kind.INTEGER, [1]))
    assert canonical.snapshot_digest(old) != canonical.snapshot_digest(new)
    assert canonical.id_digests(old, ["a"], "s").tolist() == canonical.id_digests(new, ["b"], "s").tolist()


def test_a_whole_number_is_the_same_id_as_integer_and_as_float() -> None:
    whole: list[Cell] = [1, -2, 2**53, None]
    floats: list[Cell] = [None if n is None else float(n) for n in whole]  # type: ignore[arg-type]
    ids = [
        canonical.id_digests(table(a=(kind, n)), ["a"], "s")
        for kind, n in ((Kind.INTEGER, whole), (Kind.FLOAT, floats))
    ]
    assert ids[0].tolist() == ids[1].tolist()
    odd = canonical.id_digests(table(a=(Kind.FLOAT, [1.5, math.inf, -math.inf, 1e300, 0.0])), ["a"], "s")
    assert len(set(odd.tolist())) == 5


def test_ids_are_keyed_by_the_salt_and_do_not_depend_on_the_order_of_columns() -> None:
    sample = table(**SAMPLE)
    first = canonical.id_digests(sample, ["count", "day"], "a").tolist()
    assert first == canonical.id_digests(sample, ["day", "count"], "a").tolist()
    assert not set(first) & set(canonical.id_digests(sample, ["count", "day"], "b").tolist())


def test_sorted_tables_are_the_same_from_any_order_also_where_ids_repeat() -> None:
    rng = np.random.default_rng(0)
    sample = table(id=(Kind.INTEGER, [n % 10 for n in range(50)]), x=(Kind.TEXT, [str(n % 23) for n in range(50)]))
    seen = set()
    for _ in range(5):
        mixed = canonical.take(sample, rng.permutation(50))
        ids = canonical.id_digests(mixed, ["id"], "s")
        contents = canonical.row_digests(mixed, mixed.names)
        order = canonical.order(mixed, ids)
        assert order.tolist() == canonical.order(mixed, ids, contents).tolist()
        put = canonical.take(mixed, order)
        assert (np.diff(ids[order].astype(object)) >= 0).all()
        seen.add((put.columns[0].values.tobytes(), put.columns[1].values.tobytes(), put.columns[1].categories))
    assert len(seen) == 1


def test_taking_rows_keeps_only_the_categories_they_hold() -> None:
    sample = table(**SAMPLE)
    kept = canonical.take(sample, np.array([False, True, False]))
    assert kept.rows == 1
    assert kept.column("word").categories == ("ü🎉",)
    assert kept.column("word").values.tolist() == [0]
    assert kept.column("count").missing is None
    nothing = canonical.take(sample, np.array([2]))
    assert nothing.column("word").categories == ()
    assert nothing.column("word").values.tolist() == [-1]
    assert canonical.missing(nothing.column("word")).tolist() == [True]
