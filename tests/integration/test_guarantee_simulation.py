"""What a guarantee promises of many looks, and how it ends: beside the attacks of the benchmark (bench/verdicts).

Levels are those the steps compute from settings; verdicts are those of the judge. Seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

from bench.verdicts import desk
from bench.verdicts.desk import GATE, Desk, looked_at
from bench.verdicts.worlds import asked
from mlops_ci.config.judging import Guarantee
from mlops_ci.gates.judge import judge
from mlops_ci.records.outcomes import Status
from mlops_ci.steps.looks import Exposure, Touched

FULL = Guarantee(adaptivity="full", decisions=32, disclose="verdict")


@pytest.mark.parametrize(("weighted", "most"), [(False, 0.0), (True, 0.02)])
def test_at_the_level_of_full_adaptivity_a_vote_of_models_that_were_read_would_not_pass(
    weighted: bool, most: float
) -> None:
    """.004 of the weighted ones: nothing shows their accuracies under such a promise, and they are read here."""
    world, generator = desk.vote(1_000, 31, FULL, weighted=weighted), np.random.default_rng(1)
    found = [judge([GATE], world(generator).question())[0].verdict is Status.PASSED for _ in range(300)]
    assert np.mean(found) <= most


def test_after_the_last_decision_no_model_passes_on_rows_that_grew_by_a_few() -> None:
    truth = np.random.default_rng(3).integers(0, 2, 340)
    labels = np.where(np.arange(340) % 20 < 13, truth, 1 - truth)  # right on 65 %: a few dozen rows do not show it
    verdicts = []
    for number in range(36):
        question = asked(truth[: 300 + number], labels[: 300 + number])
        earlier = [300 + before for before in range(number)]
        found = looked_at(question, earlier, Guarantee(adaptivity="none", decisions=32))
        verdicts.append(judge([GATE], found)[0].verdict is Status.PASSED)
    assert verdicts == [True] * 32 + [False] * 4


@pytest.mark.parametrize("weighted", [False, True])
def test_a_vote_by_all_that_is_told_under_verdicts_only_is_a_guess_on_the_rows_kept(weighted: bool) -> None:
    """The accuracies at hand are of the report part. Read, they make a vote that shines there and nowhere else.

    Of so many rows a mean is within .015 of its own in 99 of 100 tests; how often it passes the benchmark counts.
    """
    generator, kept, shown = np.random.default_rng(4), [], []
    for _ in range(8):
        made = Desk(generator.integers(0, 2, 2000), generator.random(2000) < 0.5, FULL)
        models = generator.integers(0, 2, (31, 2000))
        told = [made.ask(model) for model in models]
        assert all(claim.observed is None and claim.rows is None for claim, _ in told)
        above = np.array([seen.observed for _, seen in told], dtype=np.float64) - 0.5
        vote = (2 * models - 1).T @ (above if weighted else np.sign(above)) > 0
        assert made.ask(vote)[0].verdict is Status.UNDECIDED
        right = vote == made.truth
        kept.append(right[made.gate_rows].mean())
        shown.append(right[~made.gate_rows].mean())
    assert np.mean(kept) == pytest.approx(0.5, abs=0.015)
    assert np.mean(shown) > 0.53  # the attack works, on the rows whose numbers it reads


def test_bits_alone_climb_no_higher_than_the_guarantee_counts() -> None:
    """Somebody who keeps every change after which a model still passes, where models are right on half the rows."""
    generator, wrong = np.random.default_rng(5), 0
    for _ in range(40):
        made = Desk(generator.integers(0, 2, 600), generator.random(600) < 0.5, FULL)
        best = generator.integers(0, 2, 600)
        for _ in range(32):
            trial = np.where(generator.random(600) < 0.2, 1 - best, best)
            if made.ask(trial)[0].verdict is Status.PASSED:
                best, wrong = trial, wrong + 1
    assert wrong == 0


def test_rows_added_one_by_one_refill_nothing_and_the_passes_retire_the_part() -> None:
    truth = np.random.default_rng(6).integers(0, 2, 900)
    labels = np.where(np.arange(900) % 20 < 15, truth, 1 - truth)
    made = Desk(truth, np.arange(900) % 2 == 0, Guarantee(adaptivity=3, decisions=8, disclose="verdict"))
    told = [made.ask(labels[: 600 + number], 600 + number)[0] for number in range(6)]
    assert [one.verdict is Status.PASSED for one in told] == [True] * 3 + [False] * 3
    assert [one.promise.histories for one in made.before] == [92] * 6  # C(8,1) + C(8,2) + C(8,3)
    assert made.ask(labels, 900)[0].verdict is Status.PASSED  # 150 fresh rows of the part, judged alone
    assert made.before[-1].promise.looks == 0


def test_decisions_wear_the_part_out_where_nothing_passes() -> None:
    truth = np.random.default_rng(7).integers(0, 2, 600)
    made = Desk(truth, np.arange(600) % 2 == 0, Guarantee(adaptivity="first_change", decisions=4, disclose="verdict"))
    for _ in range(4):
        assert made.ask(1 - truth)[0].verdict is Status.UNDECIDED
    assert not any(one.wear.worn for one in made.before)
    assert made.ask(truth)[0].verdict is Status.UNDECIDED  # right everywhere, and too late
    assert made.before[-1].wear.worn


def test_rows_whose_numbers_were_shown_serve_no_guarantee_for_adapted_models() -> None:
    truth, rows = np.random.default_rng(8).integers(0, 2, 600), np.arange(600) % 2 == 0
    for adaptivity, verdict in (("none", Status.PASSED), ("full", Status.UNDECIDED)):
        made = Desk(truth, rows, Guarantee(adaptivity=adaptivity, decisions=32, disclose="verdict"))  # type: ignore[arg-type]
        shown = Touched(rows=np.ones(300, dtype=bool), keys=frozenset(), numbers_shown=True)
        made._seen = lambda ids, one=shown: Exposure(  # type: ignore[method-assign]
            looks=np.zeros(len(ids), dtype=np.int64), seen=0, anywhere=0, promised=None, touched=(one,)
        )
        assert made.ask(truth)[0].verdict is verdict
