"""Drift where rows of one day belong together."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_ci.data.drift import Drift
from mlops_ci.data.group_drift import drifts_by_group
from mlops_ci.data.profile import profile
from mlops_ci.records.tables import Column, Kind, Table

PER_DAY = 40


def flights(days: np.ndarray, weather: np.ndarray, random: np.random.Generator) -> tuple[Table, np.ndarray]:
    """Rows of some days: the temperature of a day is shared by its rows."""
    groups = np.repeat(days, PER_DAY).astype(np.uint64)
    values = np.repeat(weather, PER_DAY) + random.normal(0, 0.1, len(groups))
    column = Column(name="temp", kind=Kind.FLOAT, values=values)
    return Table(rows=len(groups), columns=(column,)), groups


def grown(shift: float, seed: int) -> Drift:
    """150 days, and the same with 30 more whose weather is shifted."""
    random = np.random.default_rng(seed)
    weather = random.normal(0, 1, 180)
    weather[150:] += shift
    days = np.arange(180)
    after, groups_after = flights(days, weather, random)
    old = groups_after < 150
    before = Table(
        rows=int(old.sum()), columns=(Column(name="temp", kind=Kind.FLOAT, values=after.columns[0].values[old]),)
    )
    found = dict(drifts_by_group(before, after, groups_after[old], groups_after, profile(before)))
    return found["temp"]


def test_more_days_of_the_same_weather_are_no_drift() -> None:
    alarms = sum(grown(0.0, seed).above_noise for seed in range(100))
    assert alarms <= 5  # nominal 1 %


def test_days_of_other_weather_are_drift() -> None:
    assert all(grown(2.0, seed).above_noise for seed in range(20))


def test_the_floor_says_how_it_was_made() -> None:
    found = grown(0.0, 1)
    assert (found.method, found.groups) == ("permuted-groups/1", 180)
    assert found.floor > 0


def test_two_tables_without_a_common_day_are_dealt_anew() -> None:
    random = np.random.default_rng(5)
    before, groups_before = flights(np.arange(60), random.normal(0, 1, 60), random)
    after, groups_after = flights(np.arange(60, 120), random.normal(3, 1, 60), random)
    found = dict(drifts_by_group(before, after, groups_before, groups_after, profile(before)))
    assert found["temp"].above_noise


@pytest.mark.parametrize("days", [3, 9])
def test_with_few_days_nothing_is_said(days: int) -> None:
    random = np.random.default_rng(0)
    table, groups = flights(np.arange(days), random.normal(0, 1, days), random)
    assert drifts_by_group(table, table, groups, groups, profile(table)) == ()


def test_text_is_compared_by_value_and_missing_is_a_level() -> None:
    random = np.random.default_rng(2)
    codes = random.integers(-1, 2, 4000).astype(np.int32)
    groups = np.repeat(np.arange(100), 40).astype(np.uint64)
    before = Table(rows=4000, columns=(Column(name="c", kind=Kind.TEXT, values=codes, categories=("a", "b")),))
    shifted = np.where(groups >= 50, -1, codes).astype(np.int32)
    after = Table(rows=4000, columns=(Column(name="c", kind=Kind.TEXT, values=shifted, categories=("a", "b")),))
    found = dict(drifts_by_group(before, after, groups, groups + np.uint64(1000), profile(before)))
    assert found["c"].above_noise
