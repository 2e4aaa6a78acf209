from __future__ import annotations

from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.gates.histories import budget, histories


@pytest.mark.parametrize(
    ("decisions", "passes", "refusals", "expected"),
    [
        (32, 1, 1, 32),
        (32, 2, 1, 528),
        (32, 5, 1, 242_824),
        (10, 2, 2, 5_120),
        (10, 10, 2, 29_524),
        (32, 32, 2, 926_510_094_425_920),
        (32, 1, 2, 4_294_967_295),
        (32, 32, 1, 2**32 - 1),
    ],
)
def test_histories_have_their_golden_numbers(decisions: int, passes: int, refusals: int, expected: int) -> None:
    assert histories(decisions, passes, refusals=refusals) == expected


@given(st.integers(1, 40), st.integers(1, 45))
def test_with_one_bit_an_answer_it_is_the_sum_of_binomials(decisions: int, passes: int) -> None:
    assert histories(decisions, passes) == sum(comb(decisions, j) for j in range(1, passes + 1))


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 2), st.integers(1, 2))
def test_it_counts_the_models_of_every_history(decisions: int, passes: int, refusals: int, kinds: int) -> None:
    # A model for each run of earlier answers in which the holdout was not yet retired.
    answers = [("no", which) for which in range(refusals)] + [("yes", which) for which in range(kinds)]
    models = sum(
        sum(word == "yes" for word, _ in before) < passes
        for earlier in range(decisions)
        for before in product(answers, repeat=earlier)
    )
    assert histories(decisions, passes, refusals=refusals, kinds_of_pass=kinds) == models


def test_adaptivity_is_a_budget_of_passes() -> None:
    assert [budget(how, 32) for how in ("none", "first_change", "full", 5, 40)] == [1, 1, 32, 5, 32]
    assert histories(32, budget("full", 32)) == 2**32 - 1


def test_nothing_to_decide_is_no_count() -> None:
    with pytest.raises(ValueError, match="from 1"):
        histories(0)
