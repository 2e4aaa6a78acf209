"""Noise, gaps and typos: as many as asked for, of the kind asked for, and nothing else moved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mlops_ci.data import canonical
from mlops_ci.data.perturb import misspell, with_gaps, with_noise, with_typos
from mlops_ci.records.tables import Column, Kind, Table

ROWS = 20_000
TOWNS = ("", "Aachen", "Bonn", "Z", "aa", "Ålesund")

Change = Callable[[Table, np.random.Generator, float], Table]


def table() -> Table:
    draw = np.random.default_rng(3)
    floats = draw.normal(10, 4, ROWS)
    floats[:100] = np.nan
    columns = (
        Column(name="f", kind=Kind.FLOAT, values=floats, missing=np.isnan(floats)),
        Column(name="i", kind=Kind.INTEGER, values=draw.integers(0, 1000, ROWS)),
        Column(name="key", kind=Kind.INTEGER, values=np.full(ROWS, 2**60 + 1)),
        Column(name="b", kind=Kind.BOOLEAN, values=draw.random(ROWS) < 0.5),
        Column(name="t", kind=Kind.TEXT, values=draw.integers(0, len(TOWNS), ROWS).astype(np.int32), categories=TOWNS),
        Column(name="d", kind=Kind.DATE, values=np.full(ROWS, np.datetime64("2024-05-01", "D"))),
        Column(name="s", kind=Kind.TIMESTAMP, values=np.full(ROWS, np.datetime64("2024-05-01T01", "us"))),
    )
    return Table(rows=ROWS, columns=columns)


def texts(column: Column) -> list[str | None]:
    return [None if code < 0 else column.categories[code] for code in column.values.tolist()]


@pytest.mark.parametrize("change", [with_noise, with_gaps, with_typos])
def test_the_same_seed_gives_the_same_table_and_names_and_kinds_stay(change: Change) -> None:
    before = table()
    one, other = (change(before, np.random.default_rng(1), 0.1) for _ in range(2))
    assert canonical.snapshot_digest(one) == canonical.snapshot_digest(other) != canonical.snapshot_digest(before)
    assert [(c.name, c.kind, c.values.dtype) for c in one.columns] == [
        (c.name, c.kind, c.values.dtype) for c in before.columns
    ]
    assert canonical.snapshot_digest(before) == canonical.snapshot_digest(table())  # the table given is left alone


def test_noise_is_a_tenth_of_the_spread_and_integers_stay_integers() -> None:
    before, after = table(), with_noise(table(), np.random.default_rng(1), 0.1)
    known = ~np.isnan(before.column("f").values)
    moved = after.column("f").values[known] - before.column("f").values[known]
    assert moved.std() == pytest.approx(0.1 * before.column("f").values[known].std(), rel=0.03)
    assert abs(moved.mean()) < 0.02
    assert np.isnan(after.column("f").values[~known]).all()
    counted = after.column("i").values - before.column("i").values
    assert counted.std() == pytest.approx(0.1 * before.column("i").values.std(), rel=0.03)
    for name in ("key", "b", "t", "d", "s"):
        assert np.array_equal(after.column(name).values, before.column(name).values)


def test_a_tenth_of_every_column_goes_missing_independently() -> None:
    before, after = table(), with_gaps(table(), np.random.default_rng(1), 0.1)
    gone = {column.name: canonical.missing(column) for column in after.columns}
    for name, mask in gone.items():
        before_it = canonical.missing(before.column(name))
        assert mask[before_it].all()
        assert mask[~before_it].mean() == pytest.approx(0.1, abs=0.01)
    assert (gone["i"] & gone["t"]).mean() == pytest.approx(0.01, abs=0.004)
    assert np.isnan(after.column("f").values[gone["f"]]).all()
    assert np.isnat(after.column("d").values[gone["d"]]).all()
    assert (after.column("t").values[gone["t"]] == -1).all()


def test_a_tenth_of_the_texts_is_misspelt_and_the_others_are_as_they_were() -> None:
    before, after = texts(table().column("t")), texts(with_typos(table(), np.random.default_rng(1), 0.1).column("t"))
    other = np.array([one != two for one, two in zip(before, after, strict=True)])
    assert other.mean() == pytest.approx(0.1, abs=0.01)
    categories = with_typos(table(), np.random.default_rng(1), 0.1).column("t").categories
    assert list(categories) == sorted(set(categories))
    missing = Column(
        name="t",
        kind=Kind.TEXT,
        values=np.array([-1, 0], dtype=np.int32),
        missing=np.array([True, False]),
        categories=("x",),
    )
    whole = with_typos(Table(rows=2, columns=(missing,)), np.random.default_rng(1), 1.0).column("t")
    assert texts(whole)[0] is None
    assert texts(whole)[1] != "x"


@pytest.mark.parametrize("text", ["", "a", "aa", "aaaa", "New York", "日本"])
def test_a_misspelt_text_is_another_one_of_nearly_its_length(text: str) -> None:
    draw = np.random.default_rng(5)
    for _ in range(200):
        made = misspell(text, draw)
        assert made != text
        assert abs(len(made) - len(text)) <= 1
