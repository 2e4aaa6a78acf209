from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_ci.checks import CHECKS, DataFacts
from mlops_ci.checks.predictive_power import _auc, coded, sample, score, together
from mlops_ci.data.contract import parse
from mlops_ci.records.evaluation import Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Result
from tests.unit.checks.snapshots import base_of, facts, failures, people, table


def leakage(given: DataFacts) -> list[Result]:
    return list(CHECKS["target_leakage"](given))


def flights(seed: int = 0, rows: int = 8000) -> dict[str, Any]:
    """Like flights out of New York: the schedule and the weather say little about a delay, the departure says much."""
    random = np.random.default_rng(seed)
    hour = random.integers(5, 23, rows)
    origin = random.choice(["EWR", "JFK", "LGA"], rows)
    carrier = random.choice([f"C{n}" for n in range(12)], rows)
    temperature, rain = random.normal(55, 18, rows), random.exponential(0.05, rows)
    delay = random.exponential(25, rows) * (0.3 + 0.06 * (hour - 5) + 2 * rain) - 12
    arrival = delay + random.normal(-4, 16, rows) + 2 * (origin == "LGA")
    return {
        "hour": hour,
        "origin": origin,
        "carrier": carrier,
        "temperature": temperature,
        "rain": rain,
        "dep_delay": delay.round(),
        "late": arrival > 15,
    }


def honest(columns: dict[str, Any]) -> dict[str, Any]:
    return {name: values for name, values in columns.items() if name != "dep_delay"}


@pytest.mark.parametrize("seed", range(6))
def test_a_delay_known_only_afterwards_is_caught_and_blocks(seed: int) -> None:
    (found,) = leakage(facts(flights(seed), "late"))
    assert (found.status, found.blocking, found.column) == (Status.FAILED, True, "dep_delay")
    assert 0.8 < float(str(found.numbers["score"])) < 0.95
    assert float(str(found.numbers["others"])) < 0.75
    assert "the 5 other features together reach" in found.message


@pytest.mark.parametrize("seed", range(6))
def test_without_it_the_same_table_passes(seed: int) -> None:
    (found,) = leakage(facts(honest(flights(seed)), "late"))
    assert found.status is Status.PASSED
    assert found.message.startswith("the best single feature, ")


def test_a_new_column_is_compared_with_what_the_base_had() -> None:
    columns = flights()
    base = base_of(table(**honest(columns)))
    columns["minutes_late_at_gate"] = columns["dep_delay"] + np.random.default_rng(1).normal(0, 9, 8000)
    found = leakage(facts(columns, "late", base=base))
    assert failures(found) == ["target_leakage dep_delay!", "target_leakage minutes_late_at_gate!"]
    assert "is new and alone predicts" in found[0].message


def test_a_copy_of_a_leak_does_not_hide_it() -> None:
    columns = flights()
    columns["in_hours"] = columns["dep_delay"] / 60
    assert failures(leakage(facts(columns, "late"))) == ["target_leakage dep_delay!", "target_leakage in_hours!"]


def test_a_perfect_leak_does_not_hide_a_second_one() -> None:
    columns = flights()
    columns["answer"] = columns["late"].astype(int)
    assert failures(leakage(facts(columns, "late"))) == ["target_leakage answer!", "target_leakage dep_delay!"]


def test_the_owner_can_say_that_a_column_is_honest() -> None:
    text = "version: 1\ncolumns:\n  dep_delay: {kind: float, predicts_target: expected}\n"
    contract = parse(text, file="data/contract.yaml")
    (found,) = leakage(facts(flights(), "late", contract=contract))
    assert found.status is Status.PASSED


def test_a_finding_points_at_the_contracts_line() -> None:
    contract = parse("version: 1\ncolumns:\n  dep_delay: {kind: float}\n", file="data/contract.yaml")
    (found,) = leakage(facts(flights(), "late", contract=contract))
    assert str(found.where) == "data/contract.yaml:3"


@pytest.mark.parametrize("copy", ["number", "text", "affine", "inverse"])
@pytest.mark.parametrize("classes", [2, 4])
def test_a_relabelled_copy_of_the_target_is_caught(copy: str, classes: int) -> None:
    random = np.random.default_rng(0)
    target = random.integers(0, classes, 2000)
    columns = {
        "noise": random.normal(size=2000),
        "leak": {
            "number": target,
            "text": np.array([f"class {one}" for one in target]),
            "affine": target * -3.5 + 7,
            "inverse": 1 / (1 + target) + random.normal(0, 1e-6, 2000),
        }[copy],
        "y": np.array(["abcd"[one] for one in target]),
    }
    task = Task.BINARY if classes == 2 else Task.MULTICLASS
    assert failures(leakage(facts(columns, "y", task=task))) == ["target_leakage leak!"]


def test_a_threshold_of_a_number_gives_the_number_away() -> None:
    columns = flights()
    arrival = np.random.default_rng(2).normal(0, 30, 8000)
    columns |= {"arrival": arrival, "late": arrival > 15}
    assert failures(leakage(facts(columns, "late"))) == ["target_leakage arrival!"]


@pytest.mark.parametrize("side", ["filled", "missing"])
def test_a_column_that_is_filled_or_missing_for_one_class_is_caught(side: str) -> None:
    columns = people(0)
    # Filled for a fifth of one class only: as a feature it says little about most rows.
    some = columns["rich"] & (np.random.default_rng(1).random(4000) < 0.2)
    columns["boat"] = np.where(some == (side == "filled"), columns["age"] * 1.0, np.nan)
    (found,) = leakage(facts(columns))
    assert (found.column, found.blocking) == ("boat", True)
    assert f"boat is {side} in {int(some.sum()):,} of 4,000 rows" in found.message


def test_values_that_are_missing_at_random_or_a_little_more_often_in_one_class_are_fine() -> None:
    columns = people(0)
    random = np.random.default_rng(1)
    columns["letter"] = np.where(random.random(4000) < 0.3 + 0.2 * columns["rich"], np.nan, columns["age"])
    assert failures(leakage(facts(columns))) == []


def test_a_regression_that_is_explained_by_one_column_is_caught() -> None:
    columns = flights()
    columns["arr_delay"] = columns["dep_delay"] + np.random.default_rng(3).normal(-4, 8, 8000)
    del columns["late"]
    found = leakage(facts(columns, "arr_delay", task=Task.REGRESSION))
    assert failures(found) == ["target_leakage dep_delay!"]
    assert "R²" in found[0].message


def test_text_with_many_rare_values_does_not_look_like_a_leak() -> None:
    columns = people(0)
    columns["name"] = np.array([f"person {n // 2}" for n in range(4000)])
    assert failures(leakage(facts(columns))) == []


def test_few_rows_are_not_enough_to_block() -> None:
    columns = {"leak": [0, 1] * 150, "y": [False, True] * 150, "x": list(range(300))}
    assert failures(leakage(facts(columns, "y"))) == ["target_leakage leak"]
    (found,) = leakage(facts({"leak": [0, 1] * 20, "y": [False, True] * 20}, "y"))
    assert found.status is Status.SKIPPED


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_strong_honest_features_of_well_known_data_raise_no_alarm(name: str) -> None:
    """Breast cancer's `worst perimeter` has ROC AUC 0.97 by itself: its company is as good."""
    from sklearn import datasets

    data = getattr(datasets, f"load_{name}")()
    columns = {f"f{n}": data.data[:, n] for n in range(data.data.shape[1])} | {"y": data.target}
    task = Task.REGRESSION if name == "diabetes" else Task.BINARY if name == "breast_cancer" else Task.MULTICLASS
    for seed in range(4):
        holdout = np.random.default_rng(seed).random(len(data.target)) < 0.5
        (found,) = leakage(facts(columns, "y", task=task, holdout=holdout))
        assert found.status is Status.PASSED, found.message


def test_the_area_under_the_curve_is_scikit_learns() -> None:
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(0)
    predicted, target = random.integers(0, 9, 500) / 9, random.random(500) < 0.3
    assert _auc(predicted, target.astype(float))[0] == pytest.approx(roc_auc_score(target, predicted))


def test_a_score_counts_the_worse_of_both_sides() -> None:
    random = np.random.default_rng(0)
    target = random.random(2000) < 0.5
    holdout = np.arange(2000) < 700
    only_in_training = np.where(holdout, random.random(2000), target)
    given = facts({"x": only_in_training, "y": target}, "y", holdout=holdout)
    chosen = sample(given)
    assert score(coded(given.table.column("x"), chosen), chosen).mean < 0.6


def test_a_strong_column_is_fine_where_the_others_know_as_much_together() -> None:
    random = np.random.default_rng(0)
    parts = random.normal(size=(3, 4000))
    total = parts.sum(axis=0)
    # Together they reach 0.885: clearly less than the 0.93 of the summary, and not half as good.
    columns = {f"part {n}": part + random.normal(0, 0.7, 4000) for n, part in enumerate(parts)} | {
        "summary": total + random.normal(0, 0.8, 4000),
        "y": total > 0,
    }
    (found,) = leakage(facts(columns, "y"))
    assert found.status is Status.PASSED
    assert found.numbers["best"] == "summary"
    alone = {name: columns[name] for name in ("part 0", "summary", "y")} | {"noise": random.normal(size=4000)}
    assert failures(leakage(facts(alone, "y"))) == ["target_leakage summary!"]


def test_gaps_that_tell_the_class_in_training_only_are_no_leak() -> None:
    columns = people(0)
    holdout = np.arange(4000) < 200
    filled = np.where(holdout, np.arange(4000) % 5 == 0, columns["rich"])
    columns["letter"] = np.where(filled, 1.0, np.nan)
    assert failures(leakage(facts(columns, holdout=holdout))) == []


def test_a_column_of_many_rare_values_does_not_spoil_what_others_know_together() -> None:
    random = np.random.default_rng(0)
    known = random.normal(size=6000)
    target = random.random(6000) < 1 / (1 + np.exp(-2 * known))
    columns = {"known": known, "name": np.array([f"n{n}" for n in random.integers(0, 2500, 6000)]), "y": target}
    given = facts(columns, "y")
    chosen = sample(given)
    known_only, name = (coded(given.table.column(one), chosen) for one in ("known", "name"))
    assert together([known_only, name], chosen).mean > together([known_only], chosen).mean - 0.01
