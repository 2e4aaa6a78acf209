"""How often slices found by search are wrong, counted: with no slice there, and with one that is. Seeds are fixed."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_ci.records.evaluation import Task
from tests.unit.test_worse_slices import columns, look, numbers


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
