"""How often gates are wrong, counted: at the threshold itself, with harm too rare to be seen, with rows that are alike.

Rates and their limits: the research on gates' statistics, sections 1, 5, 6, 9 and 18. Seeds are fixed.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest
from msgspec.structs import replace
from scipy import stats

from mlops_ci.gates.bounds import clopper_pearson, dirichlet, tango
from mlops_ci.gates.bounds.delong import Auc, placements
from mlops_ci.gates.bounds.delong_paired import PairedAuc
from mlops_ci.gates.bounds.gap import Gap, levels, melded
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.records.evaluation import Champion, Factor, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from tests.unit.gates.normal import Normal

PASSED, FAILED, UNDECIDED = Status.PASSED, Status.FAILED, Status.UNDECIDED
tango_low = lru_cache(maxsize=None)(tango.low)


def _binary(truth: np.ndarray, group: np.ndarray | None = None) -> Holdout:
    return Holdout(
        task=Task.BINARY,
        digest="",
        ids=np.arange(len(truth), dtype=np.uint64),
        truth=truth.astype(np.int32),
        classes=("no", "yes"),
        group=group,
    )


def _predictions(labels: np.ndarray, scores: np.ndarray | None = None) -> Predictions:
    return Predictions(digest="", labels=labels.astype(np.int32), scores=scores)


def _paired_question(generator: np.random.Generator, n: int, difference: float, discordant: float) -> Question:
    """Rows of a champion that is right on 80 %; losses, wins and ties from their trinomial."""
    lost, won = (discordant - difference) / 2, (discordant + difference) / 2
    cell = generator.random(n)
    ours = np.where(cell < lost, 1, 0)
    theirs = np.where((cell >= lost) & (cell < lost + won), 1, 0)
    both_wrong = cell > 1 - (0.2 - won)
    return Question(
        holdout=_binary(np.zeros(n)),
        predictions=_predictions(ours | both_wrong),
        champion=Champion(name="v1", decision="", commit="", predictions=_predictions(theirs | both_wrong)),
    )


def _verdicts(text: str, runs: int, n: int, difference: float, seed: int) -> Counter[Status]:
    generator, gate = np.random.default_rng(seed), parse(text)
    return Counter(judge([gate], _paired_question(generator, n, difference, 0.1))[0].verdict for _ in range(runs))


# --- the meaning of @, through the whole judge


def test_at_the_threshold_a_gate_at_95_passes_and_fails_one_time_in_twenty() -> None:
    found = _verdicts("accuracy - champion.accuracy > -0.01 @ 95%", 2000, 2000, -0.01, seed=1)
    assert 0.0355 <= found[PASSED] / 2000 <= 0.0655
    assert 0.0355 <= found[FAILED] / 2000 <= 0.0655
    assert 0.87 <= found[UNDECIDED] / 2000 <= 0.93


@pytest.mark.parametrize(("difference", "verdict", "expected"), [(0.01, PASSED, 0.409), (-0.01, FAILED, 0.410)])
def test_a_real_difference_is_seen_as_often_as_it_should(difference: float, verdict: Status, expected: float) -> None:
    found = _verdicts("accuracy - champion.accuracy > 0 @ 95%", 2000, 2000, difference, seed=2)
    assert found[verdict] / 2000 == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(
    ("rows", "difference", "verdict", "expected"),
    [(50_000, 0.0, PASSED, 0.886), (50_000, -0.01, FAILED, 0.888), (2_000, 0.0, PASSED, 0.052)],
)
def test_a_margin_at_99_has_its_power(rows: int, difference: float, verdict: Status, expected: float) -> None:
    found = _verdicts("accuracy - champion.accuracy > -0.005 @ 99%", 600, rows, difference, seed=3)
    assert found[verdict] / 600 == pytest.approx(expected, abs=0.04)


def test_gates_and_slices_that_all_hold_pass_together_as_often_as_uncorrected_ones() -> None:
    # Each slice 3.5 standard errors clear: 5 gates .851 and the worst of 10 .724; Bonferroni .527 and .141.
    generator, size = np.random.default_rng(4), 3000
    limit = 0.5 - 3.5 * np.sqrt(0.25 / size)  # half right: there the exact bounds are close to normal ones
    places = Factor(codes=np.repeat(np.arange(10), size).astype(np.int32), values=tuple("abcdefghij"))
    five = [parse(f"accuracy[at={place}] >= {limit:.6f} @ 95%") for place in "abcde"]
    worst = parse(f"worst(accuracy, by=at) >= {limit:.6f} @ 95%")
    holdout = replace(_binary(np.zeros(10 * size)), slices={"at": places})
    together = least = 0
    for _ in range(300):
        asked = Question(holdout=holdout, predictions=_predictions(generator.random(10 * size) >= 0.5))
        *all_five, of_worst = judge([*five, worst], asked)
        together += all(found.verdict is PASSED for found in all_five)
        least += of_worst.verdict is PASSED
    assert together / 300 == pytest.approx(0.851, abs=0.07)
    assert least / 300 == pytest.approx(0.724, abs=0.08)


def test_twelve_gates_pass_together_and_ten_slices_fail_as_seldom_as_claimed() -> None:
    # statistics.md 4: .679 for 12 gates 3.5 errors clear (Bonferroni .075); 10 slices all at t: .048, uncorrected .40.
    generator, size = np.random.default_rng(18), 2000
    limit = 0.5 - 3.5 * np.sqrt(0.25 / size)
    places = Factor(codes=np.repeat(np.arange(12), size).astype(np.int32), values=tuple("abcdefghijkl"))
    clear = [parse(f"accuracy[at={place}] >= {limit:.6f} @ 95%") for place in places.values]
    ten = replace(places, codes=np.where(places.codes < 10, places.codes, -1).astype(np.int32))
    holdout = replace(_binary(np.zeros(12 * size)), slices={"at": places, "ten": ten})
    together = failed = uncorrected = 0
    for _ in range(250):
        right = generator.random(12 * size) < 0.5
        asked = Question(holdout=holdout, predictions=_predictions(~right))
        together += all(found.verdict is PASSED for found in judge(clear, asked))
        (worst,) = judge([parse("worst(accuracy, by=ten) >= 0.5 @ 95%")], asked)
        failed += worst.verdict is FAILED
        counts = right.reshape(12, size).sum(axis=1)[:10]
        uncorrected += clopper_pearson.high(int(counts.min()), size, 0.05) < 0.5
    assert together / 250 == pytest.approx(0.679, abs=0.09)
    assert failed / 250 == pytest.approx(0.048, abs=0.04)
    assert uncorrected / 250 == pytest.approx(0.40, abs=0.09)


# --- bounds, enumerated or drawn


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.0005])
def test_clopper_pearson_never_passes_or_fails_too_often(alpha: float) -> None:
    for n in (30, 100, 400):
        low = np.array([clopper_pearson.low(count, n, alpha) for count in range(n + 1)])
        high = np.array([clopper_pearson.high(count, n, alpha) for count in range(n + 1)])
        for p in (0.01, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999):
            chance = stats.binom.pmf(np.arange(n + 1), n, p)
            assert chance[low > p].sum() <= alpha + 1e-12
            assert chance[high < p].sum() <= alpha + 1e-12


@pytest.mark.parametrize(
    ("n", "discordant", "true"),
    [
        (200, 0.006, -0.005),
        (200, 0.006, -0.006),
        (200, 0.02, -0.01),
        (200, 0.1, 0.0),
        (200, 0.1, -0.02),
        (200, 0.03, 0.02),
    ],
)
@pytest.mark.parametrize(("alpha", "worst"), [(0.05, 1.35), (0.01, 1.56)])
def test_tango_passes_at_most_as_often_as_stated_counted_exactly(
    n: int, discordant: float, true: float, alpha: float, worst: float
) -> None:
    lost, won = (discordant - true) / 2, (discordant + true) / 2
    total = 0.0
    for losses in range(int(stats.binom.ppf(1 - 1e-7, n, lost)) + 1):
        for wins in range(int(stats.binom.ppf(1 - 1e-7, n, won)) + 1):
            if tango_low(losses, wins, n, alpha) > true:
                total += stats.multinomial.pmf([losses, wins, n - losses - wins], n, [lost, won, 1 - lost - won])
    assert total <= (1.05 * alpha if true <= 0 else worst * alpha)


@pytest.mark.parametrize(("alpha", "least", "most"), [(0.05, 0.0453, 0.0549), (0.01, 0.0079, 0.0123)])
def test_tango_is_wrong_at_its_level_on_each_side(alpha: float, least: float, most: float) -> None:
    true, n = -0.005, 4000
    drawn = np.random.default_rng(6).multinomial(n, [0.0525, 0.0475, 0.9], size=20_000)
    passed = np.mean([tango_low(int(b), int(c), n, alpha) > true for b, c, _ in drawn])
    failed = np.mean([-tango_low(int(c), int(b), n, alpha) <= true for b, c, _ in drawn])
    assert least <= passed <= most
    assert least <= failed <= most


def test_harm_too_rare_to_be_seen_does_not_pass() -> None:
    # P(no row shows it) = .994^200 = .30: a bootstrap of rows passes it that often.
    unseen = np.random.default_rng(7).binomial(200, 0.006, size=20_000)
    for alpha in (0.05, 0.01):
        assert np.mean([tango_low(int(b), 0, 200, alpha) > -0.006 for b in unseen]) <= alpha


def test_rare_harm_to_f1_does_not_pass() -> None:
    generator = np.random.default_rng(8)
    # Cells by truth, candidate, champion: every disagreement is a positive the candidate misses.
    shares = np.array([0.68, 0, 0, 0.02, 0.04, 0.012, 0, 0.248])
    true = float(dirichlet.difference("f1", shares))
    wrong = Counter[float]()
    for drawn in generator.multinomial(200, shares, size=250):
        table = dirichlet.PairedTable(kind="f1", table=tuple(int(rows) for rows in drawn))
        for alpha in (0.05, 0.01):
            low = table.low(alpha, passing=True)
            wrong[alpha] += low is not None and low > true
    assert wrong[0.05] / 250 <= 0.062
    assert wrong[0.01] / 250 <= 0.012


def _separated(auc: float) -> float:
    return float(stats.norm.ppf(auc) * np.sqrt(2))


@pytest.mark.parametrize(
    ("auc", "positives", "negatives"), [(0.99, 30, 1000), (0.95, 10, 1000), (0.99, 100, 2000), (0.8, 100, 300)]
)
def test_an_auc_near_one_passes_at_its_level(auc: float, positives: int, negatives: int) -> None:
    generator, shift = np.random.default_rng(9), _separated(auc)
    actual = np.arange(positives + negatives) < positives
    passed = 0
    for _ in range(1500):
        found = Auc.of(actual, generator.normal(actual * shift))
        passed += found.low(0.05, passing=True) > auc
    assert passed / 1500 <= 0.061 + 0.012


@pytest.mark.parametrize(
    ("positives", "negatives", "harmed", "share"),
    [(100, 1000, True, 0.01), (1000, 100, False, 0.01), (1000, 100, False, 0.03), (300, 100, False, 0.02)],
)
def test_rare_harm_to_an_auc_does_not_pass(positives: int, negatives: int, harmed: bool, share: float) -> None:
    generator, shift = np.random.default_rng(10), _separated(0.95)
    actual = np.arange(positives + negatives) < positives
    wrong = 0
    for _ in range(600):
        theirs = generator.normal(actual * shift)
        hit = (actual == harmed) & (generator.random(len(actual)) < share)
        ours = np.where(hit, np.where(actual, -99.0, 99.0), theirs)
        moved = placements(actual, ours) - placements(actual, theirs)
        found = PairedAuc(of_positives=moved[actual], of_negatives=moved[~actual])
        wrong += found.low(0.05, passing=True) > -share * 0.95
    assert wrong / 600 <= 0.01


def test_two_equal_models_with_other_scores_are_wrong_at_most_at_the_level() -> None:
    generator, shift = np.random.default_rng(11), _separated(0.8)
    actual = np.arange(600) < 200
    passed = failed = 0
    for _ in range(1500):
        shared = generator.normal(actual * shift)
        ours, theirs = shared + generator.normal(0, 0.4, 600), shared + generator.normal(0, 0.4, 600)
        moved = placements(actual, ours) - placements(actual, theirs)
        found = PairedAuc(of_positives=moved[actual], of_negatives=moved[~actual])
        passed += found.low(0.05, passing=True) > 0
        failed += found.high(0.05, passing=False) <= 0
    assert passed / 1500 <= 0.062
    assert failed / 1500 <= 0.062


# --- tolerances


@pytest.mark.parametrize("discordant", [0.06, 0.1, 0.14])
def test_a_tolerance_is_kept_whether_the_changes_are_as_few_as_said_or_not(discordant: float) -> None:
    # n - o at its threshold; d is below, at and above the p that another gate names.
    generator, rows = np.random.default_rng(16), 800
    gates = [parse("n - o > 0.02 +/- 0.04 @ 90%"), parse("d < 0.1 +/- 0.05 @ 90%")]
    found, methods = Counter[Status](), Counter[str]()
    for _ in range(800):
        one, _ = judge(gates, _paired_question(generator, rows, 0.02, discordant))
        found[one.verdict] += 1
        methods[one.method] += 1
    assert found[PASSED] / 800 <= 0.1
    assert found[FAILED] / 800 <= 0.1
    assert (methods["bennett-tolerance/1"] > 0) == (discordant < 0.14)


def test_one_share_is_within_its_tolerance_as_often_as_claimed() -> None:
    gate, wrong = parse("n > 0.5 +/- 0.1 @ 95%"), 0
    drawn = np.random.default_rng(17).binomial(100, 0.5, size=2000)
    for right, times in Counter(int(count) for count in drawn).items():
        question = Question(holdout=_binary(np.zeros(100)), predictions=_predictions(np.arange(100) >= right))
        wrong += times * (judge([gate], question)[0].verdict is PASSED)
    assert 0.02 <= wrong / 2000 <= 0.06


# --- the gap between two slices


@pytest.mark.parametrize("alpha", [0.05, 0.01, 1e-4])
@pytest.mark.parametrize(("first", "second"), [(20, 20), (50, 50), (10, 60)])
def test_two_slices_are_never_said_to_be_nearer_than_they_are_too_often(first: int, second: int, alpha: float) -> None:
    # Exact, over all counts and rates near 0 and 1, where score and square-and-add bounds are up to 12 x nominal.
    shares = np.r_[0.001, 0.005, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 0.995, 0.999]
    at = levels(alpha)
    highs, lows = 1.0 - _exact_lows(first, at)[::-1], _exact_lows(second, at)
    bound = np.array([[melded(highs[x], lows[y], at, alpha) for y in range(second + 1)] for x in range(first + 1)])
    of_first = stats.binom.pmf(np.arange(first + 1), first, shares[:, None])
    of_second = stats.binom.pmf(np.arange(second + 1), second, shares[:, None])
    for one, ours in zip(shares, of_first, strict=True):
        for other, theirs in zip(shares, of_second, strict=True):
            assert ours @ (bound < one - other - 1e-9) @ theirs <= alpha


def _exact_lows(of: int, at: np.ndarray) -> np.ndarray:
    count = np.arange(of + 1)[:, None]
    return np.where(count > 0, stats.beta.ppf(at[None, :], np.maximum(count, 1e-9), of - count + 1), 0.0)


def test_equal_slices_fail_as_seldom_as_claimed_and_would_fail_mostly_without_the_correction() -> None:
    # statistics.md 4: ten equal slices, .83 uncorrected and .037 over the 90 ordered pairs.
    drawn = np.random.default_rng(21).normal(size=(400, 10))
    gaps = [Gap(parts=tuple(Normal(value=value) for value in values)) for values in drawn]
    wrong = np.mean([found.low(0.05 / found.pairs, passing=False) > 0 for found in gaps])
    uncorrected = np.mean([found.low(0.05, passing=False) > 0 for found in gaps])
    assert wrong == pytest.approx(0.037, abs=0.02)
    assert uncorrected == pytest.approx(0.83, abs=0.05)


def test_a_gap_of_aucs_at_its_limit_passes_at_its_level() -> None:
    generator, shift = np.random.default_rng(14), _separated(0.95)
    weaker, gate = _separated(0.85), parse("gap(roc_auc, by=at) <= 0.1 @ 95%")
    truth = np.tile(np.arange(400) < 100, 2)
    place = Factor(codes=np.repeat([0, 1], 400).astype(np.int32), values=("a", "b"))
    holdout = replace(_binary(truth), slices={"at": place})
    passed = 0
    for _ in range(600):
        scores = generator.normal(truth * np.repeat([shift, weaker], 400)).astype(np.float32)
        asked = Question(holdout=holdout, predictions=_predictions(truth, scores))
        passed += judge([gate], asked)[0].verdict is PASSED
    assert 0.02 <= passed / 600 <= 0.068


def test_a_gap_between_slices_of_the_same_days_is_judged_by_day() -> None:
    # Days lean to one slice or the other: by row the gap of .1 would pass far too often.
    generator, gate = np.random.default_rng(15), parse("gap(roc_auc, by=at) <= 0.1 @ 95%")
    days, size = 40, 25
    group = np.tile(np.repeat(np.arange(days), size), 2)
    truth = np.tile(np.arange(days * size) % 2 == 0, 2)
    place = Factor(codes=np.repeat([0, 1], days * size).astype(np.int32), values=("a", "b"))
    shift = np.repeat([_separated(0.85), _separated(0.75)], days * size)
    by_day, by_row = (replace(_binary(truth, of), slices={"at": place}) for of in (group, None))
    passed = Counter[str]()
    for _ in range(300):
        lean = np.repeat(generator.normal(0, 0.5, 2 * days), size)
        predicted = _predictions(truth, generator.normal(truth * (shift + lean)).astype(np.float32))
        for name, holdout in (("day", by_day), ("row", by_row)):
            (found,) = judge([gate], Question(holdout=holdout, predictions=predicted))
            passed[name] += found.verdict is PASSED
    assert passed["day"] / 300 <= 0.085
    assert passed["row"] > passed["day"]


# --- rows that belong together


def test_36_correlated_groups_are_wrong_in_five_of_a_hundred_at_most() -> None:
    # By t alone .067 to .073 at 20 to 40 groups, share .8, intraclass correlation .05; by row it would be far more.
    generator, gate = np.random.default_rng(12), parse("accuracy > 0.8 @ 95%")
    group = np.repeat(np.arange(36), 60)
    passed = by_row = 0
    for _ in range(1500):
        share = np.repeat(generator.beta(0.8 * 19, 0.2 * 19, 36), 60)
        wrong = _predictions(generator.random(2160) >= share)
        passed += (
            judge([gate], Question(holdout=_binary(np.zeros(2160), group), predictions=wrong))[0].verdict is PASSED
        )
        by_row += clopper_pearson.low(int((wrong.labels == 0).sum()), 2160, 0.05) > 0.8
    three = 3 * (0.05 * 0.95 / 1500) ** 0.5
    assert 0.04 - three <= passed / 1500 <= 0.05 + three
    assert by_row / 1500 > 0.12


def test_paired_differences_of_correlated_days_are_not_judged_by_row() -> None:
    generator, gate = np.random.default_rng(13), parse("accuracy - champion.accuracy > 0 @ 95%")
    group = np.repeat(np.arange(40), 50)
    passed = by_row = 0
    for _ in range(1500):
        lean = np.repeat(generator.normal(0, 0.04, 40), 50)
        cell = generator.random(2000)
        ours, theirs = cell < 0.06 - lean / 2, (cell >= 0.5) & (cell < 0.56 + lean / 2)
        rival = Champion(name="v1", decision="", commit="", predictions=_predictions(theirs))
        question = Question(holdout=_binary(np.zeros(2000), group), predictions=_predictions(ours), champion=rival)
        passed += judge([gate], question)[0].verdict is PASSED
        by_row += tango_low(int(ours.sum()), int(theirs.sum()), 2000, 0.05) > 0
    assert passed / 1500 <= 0.05 + 3 * (0.05 * 0.95 / 1500) ** 0.5
    assert by_row / 1500 > passed / 1500 + 0.02
