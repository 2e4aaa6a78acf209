"""How often slices found by search are wrong, counted: with no slice there, and with one that is. Seeds are fixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_ci.records.evaluation import Holdout, Predictions, SliceSearch, Task
from mlops_ci.records.tables import Column, Kind
from mlops_ci.steps.worse_slices import search_and_confirm

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


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_where_there_is_no_slice_one_is_confirmed_in_at_most_one_of_twenty_checks(task: Task, grouped: bool) -> None:
    rng, rows, runs, false = np.random.default_rng(11), 1_500, 100, 0
    for _ in range(runs):
        risk, group = np.full(rows, 0.2), None
        given = columns(rng, rows)
        if grouped:  # days that share their luck, and a column that is the same all day
            group = rng.integers(0, 120, rows)
            risk = np.clip(risk + rng.normal(0, 0.08, 120)[group], 0.01, 1)
            given.append(numbers("rain", rng.normal(size=120)[group]))
        false += bool(look(rng, given, risk, task, group).found)
    assert false <= 9  # at a true rate of 5 %, nine or fewer in 97 of 100 such tests


@pytest.mark.parametrize("grouped", [False, True])
def test_a_planted_slice_is_found_nearly_always(grouped: bool) -> None:
    rng, runs, found = np.random.default_rng(12), 30, 0
    for _ in range(runs):
        given = columns(rng, 20_000)
        group = rng.integers(0, 300, 20_000) if grouped else None
        risk = 0.2 + 0.1 * (given[6].values == 7)
        told = look(rng, given, risk, Task.BINARY, group).found
        found += any(("port", "= H") in one.conditions for one in told)
        assert all(one.low is not None and one.value < one.elsewhere for one in told)
    assert found >= 0.9 * runs
