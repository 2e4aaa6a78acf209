"""Bounds by group: which scale, which side is moved and how far, how many groups count, and the versions before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates import estimates
from mlops_ci.gates.bounds import groups
from mlops_ci.gates.bounds.clopper_pearson import Proportion
from mlops_ci.gates.bounds.gap import Gap
from mlops_ci.gates.bounds.groups import ByGroup, Scale
from mlops_ci.gates.question import Question
from mlops_ci.gates.sample import whole
from mlops_ci.records.evaluation import Holdout, Predictions, Task

LEVELS = (0.1, 0.05, 0.01)


def _by_group(leaning: float = -0.2, **more: Any) -> ByGroup:
    by_row = Proportion(count=7200, of=10000)
    return ByGroup(
        by_row=by_row,
        groups=36,
        se=0.03,
        differing=(36, 36),
        extremes=(1.0, 0.0),
        leaning=leaning,
        **more,
    )


def _moved(alpha: float, degrees: float, times: float, leaning: float) -> float:
    t = stats.t.isf(alpha, degrees)
    return float(t + times * leaning * (2 * t * t + 1) / 6)


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


@pytest.mark.parametrize("scale", ["share", "auc"])
@pytest.mark.parametrize("alpha", LEVELS)
def test_a_share_is_bounded_on_the_logit_scale_and_farther_where_groups_lean(scale: Scale, alpha: float) -> None:
    found, width = _by_group(scale=scale), 0.03 / (0.72 * 0.28)
    low, high = found.low(alpha, passing=True), found.high(alpha, passing=True)
    assert _logit(low) == pytest.approx(_logit(0.72) - width * _moved(alpha, 35, 1, 0.2))
    assert _logit(high) == pytest.approx(_logit(0.72) + width * stats.t.isf(alpha, 35))
    other = _by_group(0.2, scale=scale)
    assert _logit(other.low(alpha, passing=True)) == pytest.approx(_logit(0.72) - width * stats.t.isf(alpha, 35))
    assert _logit(other.high(alpha, passing=True)) == pytest.approx(_logit(0.72) + width * _moved(alpha, 35, 1, 0.2))


@pytest.mark.parametrize("alpha", LEVELS)
def test_a_difference_keeps_its_scale_and_its_leaning_counts_twice(alpha: float) -> None:
    found = _by_group(scale="own")
    assert found.low(alpha, passing=True) == pytest.approx(0.72 - 0.03 * _moved(alpha, 35, 2, 0.2))
    assert found.high(alpha, passing=True) == pytest.approx(0.72 + 0.03 * stats.t.isf(alpha, 35))
    other = _by_group(0.2)
    assert other.high(alpha, passing=True) == pytest.approx(0.72 + 0.03 * _moved(alpha, 35, 2, 0.2))
    assert other.low(alpha, passing=True) == pytest.approx(0.72 - 0.03 * stats.t.isf(alpha, 35))


def test_groups_of_uneven_size_count_as_fewer() -> None:
    assert groups.effective(np.full(36, 7.0)) == pytest.approx(36)
    assert groups.effective(np.array([60.0, *[1.0] * 20])) == pytest.approx(80**2 / (3600 + 20))
    even, uneven = _by_group(0.0), _by_group(0.0, effective=9.5)
    assert even.low(0.05, passing=True) == pytest.approx(0.72 - 0.03 * stats.t.isf(0.05, 35))
    assert uneven.low(0.05, passing=True) == pytest.approx(0.72 - 0.03 * stats.t.isf(0.05, 8.5))
    one = _by_group(0.0, effective=1.2)
    assert one.low(0.05, passing=True) == pytest.approx(0.72 - 0.03 * stats.t.isf(0.05, 1))


def test_one_group_that_holds_nearly_all_rows_leaves_a_bound_that_says_little() -> None:
    sizes = np.array([5000, *[10] * 24])
    group = np.repeat(np.arange(25), sizes)
    found = _accuracy(np.random.default_rng(1).random(len(group)) < 0.9, group)
    even = _accuracy(np.random.default_rng(1).random(5000) < 0.9, np.repeat(np.arange(25), 200))
    assert found.effective == pytest.approx(sizes.sum() ** 2 / (sizes @ sizes))
    assert even.effective == pytest.approx(25)
    assert even.low(0.05, passing=True) > 0.87
    assert found.low(0.05, passing=True) < 0.8


def test_the_versions_before_stay_what_they_were() -> None:
    first, second, third = (_by_group(scale="share", version=version) for version in (1, 2, 3))
    assert [one.method for one in (first, second, third)] == [f"group-jackknife/{number}" for number in (1, 2, 3)]
    assert _by_group().method == groups.NAME == "group-jackknife/4"
    t, a = stats.t.isf(0.05, 35), -0.2
    transformed = 3 / a * (np.cbrt(1 + a * (t - a / 6)) - 1)
    assert first.low(0.05, passing=True) == pytest.approx(0.72 - 0.03 * t)
    assert second.low(0.05, passing=True) == third.low(0.05, passing=True)
    assert second.low(0.05, passing=True) == pytest.approx(0.72 - 0.03 * transformed)
    for one in (first, second, third):
        assert one.high(0.05, passing=True) == pytest.approx(0.72 + 0.03 * t)
        assert replace(one, effective=5.0).low(0.05, passing=True) == one.low(0.05, passing=True)
        # One AUC had the logit scale before, and no leaning.
        auc = replace(one, scale="auc")
        assert _logit(auc.low(0.05, passing=True)) == pytest.approx(_logit(0.72) - 0.03 * t / (0.72 * 0.28))


def test_a_gap_of_slices_by_an_earlier_version_says_so() -> None:
    parts = (_by_group(scale="share"), _by_group(scale="share"))
    more: dict[str, Any] = {"errors": np.full((2, 2), 0.01), "counted": np.full((2, 2), 36), "groups": 36}
    assert Gap(parts=parts, **more).method == "melded-groups/2"
    assert Gap(parts=tuple(replace(part, version=2) for part in parts), **more).method == "melded-groups/1"
    assert Gap(parts=parts).method == "melded/1"


@pytest.mark.parametrize("scale", ["own", "share", "auc"])
def test_a_value_at_the_end_of_its_range_has_bounds(scale: Scale) -> None:
    for count in (0, 1, 9_999, 10_000):
        for se in (0.0, 1e-9, 0.01, 0.5):
            by_row = Proportion(count=count, of=10_000)
            found = replace(_by_group(scale=scale), by_row=by_row, se=se, leaning=-1.0, effective=1.0)
            assert found.low(1e-3, passing=True) <= count / 10_000 <= found.high(1e-3, passing=True)


def _accuracy(right: np.ndarray, group: np.ndarray) -> ByGroup:
    rows = len(right)
    holdout = Holdout(
        task=Task.BINARY,
        digest="",
        ids=np.arange(rows, dtype=np.uint64),
        truth=np.zeros(rows, dtype=np.int32),
        classes=("no", "yes"),
        group=group,
    )
    answers = Predictions(digest="", labels=(~right).astype(np.int32))
    sample = whole(Question(holdout=holdout, predictions=answers))
    found = estimates.single(METRICS["accuracy"], sample, answers, alpha=0.05)
    assert isinstance(found, ByGroup)
    return found


def test_days_some_of_which_are_bad_lean_down() -> None:
    right = np.ones((40, 50), dtype=bool)
    right[:4, :20] = False
    found = _accuracy(right.ravel(), np.repeat(np.arange(40), 50))
    assert found.scale == "share"
    assert found.se == pytest.approx(right.mean(axis=1).std(ddof=1) / np.sqrt(40))
    assert found.leaning == pytest.approx(stats.skew(right.mean(axis=1)) / np.sqrt(40))
    assert found.value - found.low(0.05, passing=True) > 2 * (found.high(0.05, passing=True) - found.value)
