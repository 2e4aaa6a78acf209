"""Slices where a model is worse: searched on one half of the rows, confirmed on the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_ci.evaluation import bins
from mlops_ci.evaluation.conditions import conditions
from mlops_ci.evaluation.slice_search import search
from mlops_ci.gates.bounds.fisher import more_than_elsewhere
from mlops_ci.records.evaluation import Holdout, Predictions, SliceSearch, Task
from mlops_ci.records.tables import Column, Kind
from mlops_ci.steps.worse_slices import search_and_confirm
from tests.clocks import least_seconds

Values = np.ndarray[Any, Any]


def numbers(name: str, values: Values, kind: Kind = Kind.FLOAT, missing: Values | None = None) -> Column:
    return Column(name=name, kind=kind, values=values, missing=missing)


def words(name: str, codes: Values, categories: tuple[str, ...]) -> Column:
    return Column(name=name, kind=Kind.TEXT, values=codes.astype(np.int32), categories=categories)


def columns(rng: np.random.Generator, rows: int) -> list[Column]:
    return [
        *(numbers(f"x{k}", rng.normal(size=rows)) for k in range(4)),
        *(words(f"c{k}", rng.integers(0, 4, rows), tuple("abcd")) for k in range(2)),
        words("port", rng.integers(0, 20, rows), tuple("ABCDEFGHIJKLMNOPQRST")),
        numbers("hour", rng.integers(0, 24, rows), Kind.INTEGER),
    ]


def look(
    rng: np.random.Generator, given: list[Column], risk: Values, task: Task, group: Values | None = None
) -> SliceSearch:
    """Search with a wrong answer at that risk, or (regression) a skewed error of that size."""
    rows = len(risk)
    truth = np.zeros(rows) if task is Task.REGRESSION else rng.integers(0, 2, rows).astype(np.int32)
    labels = rng.standard_exponential(rows) ** 1.5 * risk
    if task is not Task.REGRESSION:
        labels = np.where(rng.random(rows) < risk, 1 - truth, truth)
    ids = np.sort(rng.integers(0, 2**63, rows, dtype=np.uint64))
    classes = () if task is Task.REGRESSION else ("no", "yes")
    held = Holdout(task=task, digest="", ids=ids, truth=truth, classes=classes, group=group)
    kind = np.float32 if task is Task.REGRESSION else np.int32
    return search_and_confirm(given, held, Predictions(digest="", labels=labels.astype(kind)))


def asked(column: Column) -> list[str]:
    everything = np.ones(len(column.values), dtype=bool)
    coded = bins.coded(column, learn=everything, most=3)
    return [condition.asked for condition in conditions(column, coded, everything)[0]]


def test_conditions_are_said_as_people_say_them_of_such_a_column() -> None:
    assert asked(numbers("n", np.array([1, 2, 3, 4, 5, 6]), Kind.INTEGER)) == [
        "≤ 2", "≤ 4", "from 3 to 4", "≥ 3", "≥ 5",
    ]  # fmt: skip
    assert asked(numbers("b", np.array([True] * 9 + [False]), Kind.BOOLEAN)) == ["= false", "= true"]
    gaps = np.array([0.5, 1.25, np.nan])
    assert asked(numbers("f", gaps, missing=np.isnan(gaps))) == ["≤ 0.5", "> 0.5", "is missing"]
    assert asked(words("w", np.array([0, 1, 1]), ("<b>", "x"))) == ["= <b>", "= x"]
    days = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], dtype="datetime64[D]")
    assert "≤ 2024-01-01" in asked(numbers("d", days, Kind.DATE))
    assert asked(numbers("same", np.ones(5))) == []


def test_fishers_test_is_scipys() -> None:
    from scipy import stats

    for inside, of, total, rows in ((9, 20, 30, 100), (0, 5, 10, 40), (5, 5, 95, 100), (60, 200, 900, 5000)):
        expected = stats.hypergeom.sf(inside - 1, rows, total, of)
        assert more_than_elsewhere(inside, of, total, rows) == pytest.approx(expected, rel=1e-8)


def test_a_slice_of_two_columns_is_named_by_both() -> None:
    rng = np.random.default_rng(13)
    given = columns(rng, 20_000)
    risk = 0.1 + 0.3 * ((given[4].values == 1) & (given[7].values >= 18))
    told = look(rng, given, risk, Task.BINARY).found
    assert told[0].conditions[0] == ("c0", "= b")
    assert told[0].conditions[1] in {("hour", f"≥ {edge}") for edge in (17, 18, 19)}  # bins hold an eighth of the rows


def test_one_finding_is_told_once_and_the_same_rows_give_the_same_answer() -> None:
    def once() -> SliceSearch:
        rng = np.random.default_rng(14)
        given = columns(rng, 8_000)
        return look(rng, given, 0.1 + 0.4 * (given[6].values == 7), Task.BINARY)

    assert len(once().found) == 1
    assert once() == once()


def test_too_few_rows_or_days_or_no_error_confirm_nothing() -> None:
    rng = np.random.default_rng(15)
    few = columns(rng, 80)
    assert look(rng, few, np.full(80, 0.3), Task.BINARY).looked_at == 0
    given = columns(rng, 4_000)
    assert look(rng, given, np.zeros(4_000), Task.BINARY).found == ()
    planted = 0.1 + 0.5 * (given[6].values == 7)
    days = look(rng, given, planted, Task.BINARY, rng.integers(0, 30, 4_000))
    assert (days.found, days.groups) == ((), 17)


def test_the_halves_keep_rows_that_belong_together_on_one_side() -> None:
    rng = np.random.default_rng(16)
    group = rng.integers(0, 200, 2_000)
    told = look(rng, columns(rng, 2_000), np.full(2_000, 0.2), Task.BINARY, group)
    assert told.groups is not None
    assert 70 <= told.groups <= 130
    assert told.rows < 1_300


def test_the_search_takes_under_a_second() -> None:
    rng, rows = np.random.default_rng(17), 100_000
    given = [numbers(f"x{k}", rng.normal(size=rows)) for k in range(20)]
    loss, searched = (rng.random(rows) < 0.2).astype(float), rng.random(rows) < 0.5
    assert least_seconds(lambda: search(given, loss, searched, most=5), below=1.0) < 1.0
