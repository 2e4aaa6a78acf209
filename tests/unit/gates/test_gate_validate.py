from __future__ import annotations

import pytest

from mlops_ci.errors import ConfigError
from mlops_ci.gates.explain import explain
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.validate import validate


def _refused(text: str, task: str = "classification") -> str:
    with pytest.raises(ConfigError) as caught:
        validate([parse(text)], task=task, slices=["origin", "the plan"])
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("0.8 < acuracy", 6, 'did you mean "accuracy"?'),
        ("accuracy > champion.acuracy", 11, 'did you mean "accuracy"?'),
        ("latency_p9 < 3 ms", 0, 'did you mean "latency_p99"?'),
        ("drift.max_ps < 0.3", 0, 'did you mean "drift.max_psi"?'),
        ("rmse < 3", 0, "is no metric of binary or multiclass"),
        ("recall[orign=JFK] > .3", 0, 'did you mean "origin"?'),
        ("worst(recall, by=sex) > .3", 6, "not under `slices:`"),
        ("accuracy == 0.3", 0, "for facts and counts"),
        ("champion.bundle_size < 3 MB", 0, "not yet"),
        ("log_loss < 0.4 @ 95%", 15, "write log_loss(clip=5)"),
        ("log_loss - champion.log_loss < 0.1 @ 95%", 35, "write log_loss(clip=5)"),
        ("log_loss(clip=5) - champion.log_loss(clip=4) < 0.1 @ 95%", 51, "not yet"),
        ("log_loss(clip=5) < 0.4 @ 99.95%", 23, "above 99.9 % is not yet"),
        ("worst(brier, by=origin) > 0.4 @ 95%", 30, "needs < or <="),
        ("accuracy(clip=5) > 0.4", 0, "no mean of losses"),
        ("gap(brier, by=origin) < 0.4 @ 95%", 28, "no valid bound is built"),
        ("f1_macro > 0.4 @ 95%", 15, "not yet"),
        ("recall > 0.99 * champion.recall @ 95%", 32, "not yet"),
        ("accuracy - champion.accuracy[origin=JFK] > 0 @ 95%", 45, "not yet"),
        ("roc_auc - champion.roc_auc > 0 @ 99.95%", 31, "not yet"),
        ("f1 - champion.f1 > 0 @ 99.95%", 21, "not yet"),
        ("worst(recall, by=origin) < 0.4 @ 95%", 31, "needs > or >="),
        ("worst(false_positive_rate, by=origin) >= 0.4 @ 95%", 45, "needs < or <="),
        ("gap(recall, by=origin) > 0.1 @ 95%", 29, "needs < or <="),
        ("gap(recall, by=sex) < 0.1", 4, "not under `slices:`"),
        ("gap(recal, by=origin) < 0.1", 4, 'did you mean "recall"?'),
        ("gap(log_loss, by=origin) < 0.1 @ 95%", 31, "no valid bound"),
        ("gap(roc_auc, by=origin) < 0.1 @ 99.95%", 30, "above 99.9 %"),
        ("recall - 1.1 * champion.recall > 0 @ 95%", 35, "a sum of n, o and d such as n - 1.1 * o"),
        ("n - 1.1 * o > 0 @ 99.95%", 16, "above 99.9 % is not yet"),
        ("n - 1.1 * o[origin=JFK] > 0 @ 95%", 28, "not yet possible for this expression"),
        ("2 * n > 1 @ 95%", 10, "not yet possible for this expression"),
        ("d[sex=f] < 0.1", 0, "not under `slices:`"),
        ("worst(d, by=origin) < 0.1", 6, 'no metric "d"'),
        ("roc_auc > 0.7 +/- 0.1 @ 99%", 14, "roc_auc is none"),
        ("worst(n, by=origin) > 0.7 +/- 0.1 @ 99%", 26, "write the gate with `@` alone"),
        ("gap(n, by=origin) < 0.7 ± 0.1 @ 99%", 24, "not yet possible"),
        ("bundle_size < 3 MB +/- 0.1 @ 99%", 19, "measured, not estimated"),
        ("0 * n + o > 0.3 +/- 0.1 @ 99%", 16, "multiplied by 0"),
        ("n == 0.3 +/- 0.1 @ 99%", 0, "for facts and counts"),
        ("tests.failed <= 0 @ 95%", 18, "measured, not estimated"),
        ("champion.accuracy > 0.4 @ 95%", 24, "not yet"),
    ],
)
def test_a_gate_that_could_never_be_judged_is_refused_with_a_caret(text: str, at: int, says: str) -> None:
    message = _refused(text)
    assert message.splitlines()[2].index("^") - 2 == at
    assert says in message


def test_a_claim_of_two_classes_is_refused_where_there_are_more() -> None:
    for text in ("roc_auc > 0.7 @ 95%", "roc_auc - champion.roc_auc > 0 @ 95%"):
        assert "with more than two classes is not yet" in _refused(text, "multiclass")
    assert "no metric of multiclass" in _refused("f1 > 0.7 @ 95%", "multiclass")


def test_numbers_that_are_predicted_have_no_share_of_changes() -> None:
    assert "mae <= 1.02 * champion.mae" in _refused("d < 0.1", "regression")
    assert "no metric of regression" in _refused("n > 0.1", "regression")


def test_a_mean_without_a_limit_has_no_claim_and_a_difference_of_roots_never() -> None:
    assert "write mae(clip=...)" in _refused("mae < 3 @ 95%", "regression")
    assert "write it with mse" in _refused("rmse(clip=9) - champion.rmse(clip=9) < 3 @ 95%", "regression")
    assert "no valid bound is built" in _refused("r2 > 0.3 @ 95%", "regression")


POSSIBLE = [
    "roc_auc >= 0.72",
    "accuracy >= 0.78 @ 95%",
    "accuracy >= 0.78 @ 99.99%",
    "f1 >= 0.5 @ 99.99%",
    "recall - champion.recall > -0.01 @ 99.99%",
    "champion.f1 - f1 <= 0.01 @ 95%",
    "roc_auc - champion.roc_auc > -0.01 @ 95%",
    'precision["the plan"=x] >= champion.precision["the plan"=x] - 1% @ 95%',
    "worst(recall, by=origin, min_rows=500) >= 0.15 @ 95%",
    "worst(log_loss, by=origin) <= 0.5",
    "n - 1.1 * o > -0.2 +/- 0.05 @ 99.9%",
    "d < 0.1 +/- 0.01 @ 99.9%",
    "recall[origin=JFK] - 0.5 * specificity > 0.1 +/- 5% @ 99.999%",
    "n - 1.1 * o > -0.2",
    "n - 1.1 * o > 0 @ 95%",
    "accuracy >= 0.99 * champion.accuracy @ 95%",
    "n[origin=JFK] - o[origin=JFK] + 0.5 * d[origin=JFK] > 0 @ 99%",
    "n - o > -1% @ 99.99%",
    "d <= 0.1 @ 99.99%",
    "d[origin=JFK] <= 0.1",
    "gap(recall, by=origin, min_rows=100) <= 0.1 @ 95%",
    "gap(roc_auc, by=origin) < 0.1 @ 99%",
    "gap(f1, by=origin) < 0.1 @ 99.99%",
    "gap(log_loss, by=origin) <= 0.1",
    "log_loss <= 1.1 * champion.log_loss",
    "log_loss(clip=5) <= 0.4 @ 95%",
    "log_loss(clip=5)[origin=JFK] - champion.log_loss(clip=5)[origin=JFK] <= 0.01 @ 99%",
    "worst(log_loss(clip=5), by=origin, min_rows=500) <= 0.5 @ 95%",
    "brier - champion.brier < 0.01 @ 95%",
    "tests.failed == 0",
    "bundle_size <= 50 MB",
]


@pytest.mark.parametrize("text", POSSIBLE)
def test_a_gate_that_can_be_judged_is_accepted_and_explained(text: str) -> None:
    gate = parse(text)
    validate([gate], task="classification", slices=["origin", "the plan"])
    said = {"d": "predict differently"}.get(gate.terms[0].name, gate.terms[0].name)
    assert said in explain(gate).lower()


def test_an_explanation_says_what_method_bounds_it_and_who_found_it() -> None:
    assert "Tango 1998" in explain(parse("recall - champion.recall > -1% @ 95%"))
    assert "DeLong" in explain(parse("roc_auc > 0.7 @ 95%"))
    assert "Clopper" in explain(parse("f1 > 0.7 @ 95%"))
    assert "value that is seen on the held-out rows decides" in explain(parse("f1 > 0.7"))
