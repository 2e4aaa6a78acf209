"""Means of losses: Hall's bounds, the clip, and where they give none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.bounds import hall
from mlops_ci.gates.bounds.hall import Mean
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.quantiles import upper_t
from mlops_ci.gates.question import Question
from mlops_ci.records.evaluation import Champion, Factor, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict
from tests.clocks import least_seconds

PASSED, FAILED, UNDECIDED = Status.PASSED, Status.FAILED, Status.UNDECIDED


def _regression(
    errors: np.ndarray, champion: np.ndarray | None = None, *, group: np.ndarray | None = None, unanswered: int = 0
) -> Question:
    """Rows whose truth is 0, so that predictions are errors."""
    n = len(errors)
    rival = None
    if champion is not None:
        answers = Predictions(digest="", labels=champion.astype(np.float32))
        silent = np.arange(n) < unanswered if unanswered else None
        rival = Champion(name="v1", decision="", commit="", predictions=answers, unanswered=silent)
    return Question(
        holdout=Holdout(
            task=Task.REGRESSION,
            digest="",
            ids=np.arange(n, dtype=np.uint64),
            truth=np.zeros(n),
            group=group,
            slices={"side": Factor(codes=(np.arange(n) % 2).astype(np.int32), values=("even", "odd"))},
        ),
        predictions=Predictions(digest="", labels=errors.astype(np.float32)),
        champion=rival,
    )


def _judged(text: str, question: Question) -> Verdict:
    return judge([parse(text)], question)[0]


def test_the_transform_bends_the_quantile_as_hall_writes_it() -> None:
    assert hall.transform(0.0, 1.6) == 1.6
    for skew, y in ((0.3, 1.645), (-0.3, 1.645), (0.5, -1.645), (1.2, -2.5)):
        found = hall.transform(skew, y)
        # It is the inverse of g(t) = t + a t²/3 + a² t³/27 + a/6.
        assert found + skew * found**2 / 3 + skew**2 * found**3 / 27 + skew / 6 == pytest.approx(y, abs=1e-12)


def test_without_skew_it_is_students_t() -> None:
    from scipy import stats

    values = np.tile([0.2, 0.4, 0.6, 0.8], 25)
    found = Mean.of(values, (0.0, 1.0))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert found.low(0.05, passing=False) == pytest.approx(expected.low, abs=1e-9)
    assert found.high(0.05, passing=False) == pytest.approx(expected.high, abs=1e-9)


def test_losses_that_never_vary_are_bounded_by_what_may_be_unseen() -> None:
    found = Mean.of(np.full(100, 0.1), (0.0, 2.0))
    assert found.high(0.05, passing=True) == pytest.approx(0.1 + 1.9 * (1 - 0.05 ** (1 / 100)))
    assert found.low(0.05, passing=False) == pytest.approx(0.1 - 0.1 * (1 - 0.05 ** (1 / 100)))


def test_both_bounds_count_on_the_clip_and_of_the_first_version_the_one_that_passes() -> None:
    values = np.random.default_rng(3).uniform(0, 0.6, 200)
    near, far = Mean.of(values, (0.0, 1.0)), Mean.of(values, (0.0, 50.0))
    assert far.high(0.05, passing=True) == far.high(0.05, passing=False) > 0.9 > near.high(0.05, passing=True)
    before = replace(far, version=1)
    assert (before.method, far.method) == ("hall/1", "hall/3")
    assert before.high(0.05, passing=True) == far.high(0.05, passing=True)
    assert before.high(0.05, passing=False) == replace(near, version=1).high(0.05, passing=False) < 0.9


def test_a_gain_in_few_rows_that_none_shows_is_not_refused_and_was_by_the_first_version() -> None:
    """0.2 % of rows are mended by 4 and the rest is a hair worse: 100 rows seldom show it, and the gate holds."""
    differences = np.random.default_rng(4).normal(0.001, 0.005, 100)
    found = Mean.of(differences, (0.0, 4.0), how="paired")
    true = 0.998 * 0.001 - 0.002 * 4
    assert replace(found, version=1).low(0.05, passing=False) > true > found.low(0.05, passing=False)
    assert found.low(0.05, passing=True) == replace(found, version=1).low(0.05, passing=True)


def test_the_long_tail_is_farther_than_by_the_second_version_and_the_short_side_as_near() -> None:
    losses = np.random.default_rng(8).lognormal(-1, 1, 1000).clip(0, 5)
    for values, tail, near in ((losses, "high", "low"), (5 - losses, "low", "high")):
        now = Mean.of(values, (0.0, 5.0))
        before = replace(now, version=2)
        assert (before.method, now.method) == ("hall/2", "hall/3")
        for alpha in (0.1, 0.05, 0.01):
            expected = hall.transform(abs(now.skew), upper_t(alpha, 999)) * now.se
            assert abs(getattr(now, near)(alpha, passing=True) - now.value) == pytest.approx(expected)
            assert getattr(before, near)(alpha, passing=True) == getattr(now, near)(alpha, passing=True)
            y = upper_t(alpha, 999)
            expected = (y + 1.5 * abs(now.skew) * (2 * y * y + 1) / 6) * now.se
            assert abs(getattr(now, tail)(alpha, passing=True) - now.value) == pytest.approx(expected)
            assert expected > abs(getattr(before, tail)(alpha, passing=True) - now.value)


def test_where_losses_lean_much_the_long_tail_is_nearer_than_halls_transform() -> None:
    skew, y = 0.6, 2.35
    assert hall.transform(-skew, y) > 1.5 * hall.towards_tail(skew, y)


def test_groups_of_losses_are_counted_by_group() -> None:
    errors, days = np.random.default_rng(6).normal(0, 1, 1200), np.repeat(np.arange(30), 40)
    found = _judged("mae(clip=10) <= 0.9 @ 95%", _regression(errors, group=days))
    assert (found.method, found.groups) == ("group-jackknife/4", 30)


def test_a_root_has_the_roots_of_the_bounds_of_its_mean() -> None:
    squares = np.square(np.random.default_rng(5).normal(0, 3, 500)).clip(0, 100)
    mean, root = Mean.of(squares, (0.0, 100.0)), Mean.of(squares, (0.0, 100.0), how="root")
    assert root.value**2 == pytest.approx(mean.value)
    for side in ("low", "high"):
        bounds = [getattr(one, side)(0.05, passing=True) for one in (root, mean)]
        assert bounds[0] ** 2 == pytest.approx(bounds[1])
    assert root.error(0.0) == pytest.approx(mean.error(0.0) / (2 * root.value))


@pytest.mark.parametrize(
    ("name", "clip", "expected"),
    [("mae", 2.0, (1 + 2 + 2) / 3), ("mse", 2.0, (1 + 4 + 4) / 3), ("rmse", 2.0, 3**0.5), ("mean_error", 2.0, 1 / 3)],
)
def test_a_clip_is_in_the_unit_of_the_error(name: str, clip: float, expected: float) -> None:
    errors = np.array([1.0, -2.0, 7.0], dtype=np.float32) if name == "mean_error" else np.array([1.0, -2.0, 7.0])
    found = METRICS[name].clipped(clip).compute(np.zeros(3), errors, None, ())
    assert found == pytest.approx(expected)


def test_brier_is_bounded_by_itself_and_its_range_is_that_of_its_classes() -> None:
    assert METRICS["brier"].loss_range(Task.BINARY) == (0.0, 1.0)
    assert METRICS["brier"].loss_range(Task.MULTICLASS) == (0.0, 2.0)
    assert METRICS["rmse"].clipped(3.0).loss_range(Task.REGRESSION) == (0.0, 9.0)
    assert not METRICS["log_loss"].bounded


def test_a_claim_of_a_clipped_mean_is_judged_and_says_that_it_is_asymptotic() -> None:
    errors = np.random.default_rng(7).normal(0, 1, 4000)
    good = _judged("mae(clip=10) <= 0.9 @ 95%", _regression(errors))
    assert (good.verdict, good.method) == (PASSED, "hall/3")
    assert "asymptotic" in good.reason
    assert _judged("mae(clip=10) <= 0.7 @ 95%", _regression(errors)).verdict is FAILED
    assert _judged("mae(clip=10) <= 0.8 @ 95%", _regression(errors)).verdict is UNDECIDED
    assert _judged("rmse(clip=10) <= 1.1 @ 95%", _regression(errors)).verdict is PASSED


def test_one_heavy_row_leaves_it_undecided_and_four_alike_do_not() -> None:
    errors = np.random.default_rng(8).uniform(0, 1, 400)
    errors[:1] = 9.0
    one = _judged("mae(clip=10) <= 5 @ 95%", _regression(errors))
    assert (one.verdict, one.low, one.high) == (UNDECIDED, None, None)
    assert "one row holds" in one.reason
    errors[:4] = 9.0
    assert _judged("mae(clip=10) <= 5 @ 95%", _regression(errors)).verdict is PASSED


def test_the_worst_slice_of_losses_is_the_one_with_the_largest() -> None:
    errors = np.random.default_rng(9).uniform(0, 1, 2000)
    errors[1::2] += 1
    found = _judged("worst(mae(clip=3), by=side) <= 1.7 @ 95%", _regression(errors))
    assert (found.verdict, found.slice) == (PASSED, "side=odd")
    assert _judged("worst(mae(clip=3), by=side) <= 1.4 @ 95%", _regression(errors)).verdict is FAILED


def test_rows_the_champion_could_not_answer_may_differ_by_the_whole_clip() -> None:
    random = np.random.default_rng(10)
    errors = random.uniform(0, 1, 2000)
    rival = errors + random.uniform(0, 0.4, 2000)
    text = "mae(clip=4) - champion.mae(clip=4) <= 0.01 @ 95%"
    assert _judged(text, _regression(errors, rival)).verdict is PASSED
    full = _judged(text, _regression(errors[200:], rival[200:]))
    part = _judged(text, _regression(errors, rival, unanswered=200))
    assert part.verdict is UNDECIDED
    assert full.high is not None
    assert part.high == pytest.approx(0.9 * full.high + 0.1 * 4)


def test_groups_widen_the_bound_and_few_or_heavy_ones_leave_it_undecided() -> None:
    random = np.random.default_rng(11)
    group = np.repeat(np.arange(40), 50)
    errors = random.uniform(0, 1, 2000) + np.repeat(random.uniform(0, 1, 40), 50)
    by_row, by_group = (_judged("mae(clip=3) <= 1.2 @ 95%", _regression(errors, group=of)) for of in (None, group))
    assert by_row.high is not None
    assert by_group.high is not None
    assert by_group.high > by_row.high + 0.02
    assert by_group.groups == 40
    few = _judged("mae(clip=3) <= 1.2 @ 95%", _regression(errors, group=group // 4))
    assert "at least 20" in few.reason
    errors[:50] += 20
    heavy = _judged("mae(clip=30) <= 5 @ 95%", _regression(errors, group=group))
    assert (heavy.verdict, "one group holds" in heavy.reason) == (UNDECIDED, True)


def test_rows_needed_follow_the_unit_of_the_losses() -> None:
    """In cents or in euros, the same rows are needed."""
    errors = np.random.default_rng(12).uniform(0, 1, 300)
    euros = _judged("mae(clip=3) <= 0.55 @ 95%", _regression(errors))
    cents = _judged("mae(clip=300) <= 55 @ 95%", _regression(errors * 100))
    assert euros.rows_needed == cents.rows_needed is not None
    assert cents.detectable == pytest.approx(100 * (euros.detectable or 0), rel=1e-4)


def test_a_million_rows_take_less_than_a_second() -> None:
    errors = np.random.default_rng(13).normal(0, 1, 1_000_000)
    question = _regression(errors, errors + 0.1)

    def judged() -> None:
        assert _judged("mae(clip=10) - champion.mae(clip=10) <= 0.1 @ 95%", question).verdict is PASSED

    assert least_seconds(judged, below=1.0) < 1.0
