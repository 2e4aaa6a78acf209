"""Checks about rows: ids, repeats, labels, the split, and what changed since the base."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_ci.checks import CHECKS, DataFacts
from mlops_ci.data.contract import parse
from mlops_ci.data.drift import Drift
from mlops_ci.data.rowkeys import row_keys
from mlops_ci.data.times import as_time
from mlops_ci.records.data import ColumnChange, DataChange
from mlops_ci.records.evaluation import Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Result
from tests.unit.checks.snapshots import base_of, facts, failures, ids, people, table


def asked(name: str, given: DataFacts) -> list[Result]:
    return list(CHECKS[name](given))


def only(name: str, given: DataFacts) -> Result:
    (found,) = asked(name, given)
    return found


def contract(line: str, columns: str = "{}") -> Any:
    return parse(f"version: 1\n{line}\ncolumns: {columns}\n", file="data/contract.yaml")


def test_an_id_that_stands_twice_blocks_and_says_how_often() -> None:
    keys = ids(100)
    keys[7] = keys[3]
    found = only("uniqueness", facts(people(0, 100), id=("id",), ids=keys))
    assert (found.status, found.blocking) == (Status.FAILED, True)
    assert found.message == "1 of 100 rows (1.00%) repeat an earlier id (id); each id may stand once"


def test_without_an_id_nothing_is_said_of_uniqueness() -> None:
    assert asked("uniqueness", facts(people(0, 100), ids=np.zeros(100, dtype=np.uint64))) == []


def test_repeated_rows_are_advisory_until_the_contract_sets_a_limit() -> None:
    columns = {"x": [1, 1, 2, 3], "rich": [True, True, False, True]}
    assert failures(asked("duplicates", facts(columns))) == ["duplicates"]
    owned = contract("duplicates: {at_most: 0%}")
    assert failures(asked("duplicates", facts(columns, contract=owned))) == ["duplicates!"]
    assert failures(asked("duplicates", facts(columns, contract=contract("duplicates: {at_most: 25%}")))) == []


def test_twins_of_coarse_features_disagree_naturally() -> None:
    random = np.random.default_rng(0)
    columns = {"sex": random.choice(["f", "m"], 1000), "class": random.integers(1, 4, 1000)}
    columns["rich"] = random.random(1000) < 0.3 + 0.4 * (columns["sex"] == "f")
    assert only("conflicting_labels", facts(columns)).status is Status.PASSED


def test_twins_that_always_disagree_are_named() -> None:
    columns = {"x": np.arange(2000) // 2, "rich": np.arange(2000) % 2 == 0}
    found = only("conflicting_labels", facts(columns))
    assert (found.status, found.blocking) == (Status.FAILED, False)
    assert found.message.startswith("2,000 of 2,000 rows (100.00%) have a twin")
    assert found.numbers["disagreement"] == 1.0


def test_a_regression_has_no_conflicting_labels() -> None:
    given = facts({"x": [1.0, 2.0], "y": [1.0, 2.0]}, "y", task=Task.REGRESSION)
    assert only("conflicting_labels", given).status is Status.SKIPPED


@pytest.mark.parametrize("side", ["training", "held-out"])
def test_one_class_on_a_side_blocks(side: str) -> None:
    holdout = np.arange(100) < 50
    rich = np.where(holdout == (side == "held-out"), True, np.arange(100) % 2 == 0)
    found = only("classes", facts({"x": np.arange(100), "rich": rich}, holdout=holdout))
    assert found.blocking
    assert found.message == f"the {side} rows hold one class only (“true”); two are needed"


def test_a_rare_class_that_misses_a_side_is_advisory_and_a_common_one_blocks() -> None:
    labels = np.array(["a", "b"] * 100 + ["rare"] * 3 + ["common"] * 40)
    holdout = np.r_[np.arange(200) % 4 < 2, np.zeros(43, dtype=bool)]
    given = facts({"x": np.arange(243), "y": labels}, "y", task=Task.MULTICLASS, holdout=holdout)
    assert failures(asked("classes", given)) == ["classes!", "classes"]


def test_an_id_on_both_sides_blocks() -> None:
    keys = ids(400)
    keys[0] = keys[399]
    given = facts(people(0, 400), id=("id",), ids=keys, holdout=np.arange(400) < 100)
    assert failures(asked("holdout_leakage", given)) == ["holdout_leakage!"]
    assert failures(asked("holdout_leakage", facts(people(0, 400), ids=keys, holdout=np.arange(400) < 100))) == []


def test_a_group_on_both_sides_blocks() -> None:
    columns = people(0, 400) | {"day": np.arange(400) // 10}
    apart = facts(columns, group=("day",), holdout=np.arange(400) < 100)
    assert failures(asked("holdout_leakage", apart)) == []
    mixed = facts(columns, group=("day",), holdout=np.arange(400) < 105)
    (found,) = asked("holdout_leakage", mixed)
    assert found.message.startswith("5 of 105 rows (4.76%) held out belong to a group (day) in training too")


def copied(share: int) -> DataFacts:
    columns = people(0, 2000)
    for name, values in columns.items():
        values[:share] = values[1000 : 1000 + share] if name != "id" else values[:share]
    return facts(columns, id=("id",), holdout=np.arange(2000) < 1000)


def test_copies_across_the_split_block_beyond_one_percent() -> None:
    assert failures(asked("holdout_leakage", copied(5))) == []
    (found,) = asked("holdout_leakage", copied(60))
    assert found.blocking
    assert found.message.startswith("60 of 1,000 rows (6.00%) held out are copies of training rows")


def test_the_owner_sets_how_many_copies_there_may_be() -> None:
    import msgspec

    lenient = msgspec.structs.replace(copied(60), contract=contract("holdout_copies: {at_most: 10%}"))
    assert failures(asked("holdout_leakage", lenient)) == []
    strict = msgspec.structs.replace(copied(5), contract=contract("holdout_copies: {at_most: 0%}"))
    assert failures(asked("holdout_leakage", strict)) == ["holdout_leakage!"]


def test_coarse_features_are_no_copies() -> None:
    random = np.random.default_rng(0)
    columns = {"sex": random.choice(["f", "m"], 1000), "class": random.integers(1, 4, 1000)}
    columns["rich"] = random.random(1000) < 0.2 + 0.5 * (columns["sex"] == "f")
    assert failures(asked("holdout_leakage", facts(columns))) == []


def test_held_out_values_that_training_lacks_are_named_beyond_what_rare_values_explain() -> None:
    random = np.random.default_rng(0)
    holdout = np.arange(3000) < 1000
    town = np.where(holdout & (random.random(3000) < 0.1), "New Town", random.choice(["A", "B"], 3000))
    rare = np.array([f"street {n}" for n in random.zipf(1.5, 3000) % 2000])
    columns = {"town": town, "street": rare, "rich": random.random(3000) < 0.5}
    found = only("new_categories", facts(columns, holdout=holdout))
    assert (found.column, found.blocking) == ("town", False)
    assert "for example “New Town”" in found.message


def test_values_that_are_new_since_the_base_are_named() -> None:
    base = base_of(table(town=["A", "B"] * 100, rich=[True, False] * 100))
    columns = {"town": ["A", "C"] * 100, "rich": [True, False] * 100}
    found = only("new_categories", facts(columns, base=base))
    assert "new since the base in 100 of 200 rows" in found.message


def test_a_class_that_jumps_is_named_with_the_noise_floor() -> None:
    before = table(x=np.arange(1000), rich=np.arange(1000) % 4 == 0)
    base = base_of(before, (("false", 0.75), ("true", 0.25)))
    steady = facts({"x": np.arange(1000), "rich": np.arange(1000) % 100 < 28}, base=base)
    assert only("label_shift", steady).status is Status.PASSED
    jumped = asked("label_shift", facts({"x": np.arange(1000), "rich": np.arange(1000) % 2 == 0}, base=base))
    assert failures(jumped) == ["label_shift", "label_shift"]
    assert "rich = “true” in 50.0% of rows, 25.0% at the base; chance gives ±5." in jumped[1].message


def test_few_rows_may_differ_by_more() -> None:
    base = base_of(table(x=np.arange(20), rich=np.arange(20) % 2 == 0), (("false", 0.5), ("true", 0.5)))
    assert failures(asked("label_shift", facts({"x": np.arange(20), "rich": np.arange(20) % 20 < 7}, base=base))) == []


def test_the_mean_of_a_regression_is_compared_in_standard_deviations() -> None:
    random = np.random.default_rng(0)
    before = table(y=random.normal(10, 2, 5000))
    base = base_of(before, (("mean", 10.0), ("median", 10.0)))
    for mean, expected in ((10.2, []), (11.0, ["label_shift"])):
        given = facts({"x": np.arange(5000), "y": random.normal(mean, 2, 5000)}, "y", task=Task.REGRESSION, base=base)
        assert failures(asked("label_shift", given)) == expected
    few = {"x": np.arange(4), "y": [10.123456, 10.5, 9.5, 10.0]}
    told = only("label_shift", facts(few, "y", task=Task.REGRESSION, base=base))
    assert told.message == "the mean of y is 10.03, 10.00 at the base; up to ±2.57 is usual"


def test_drift_is_named_only_beyond_chance_and_by_much_and_the_largest_is_a_number_for_gates() -> None:
    def moved(psi: float, floor: float, p: float) -> Drift:
        return Drift(psi=psi, floor=floor, excess=psi * 0.9, p=p, bins=10, rows=(9, 9), method="chi2/1")

    base = base_of(table(**people(0, 100)))
    quiet = facts(people(0, 100), base=base, drift=(("age", moved(0.05, 0.01, 0.0)), ("hours", moved(0.3, 0.4, 0.3))))
    found = only("drift", quiet)
    assert (found.status, found.numbers) == (Status.PASSED, {"max_psi": 0.045})
    loud = facts(people(0, 100), base=base, drift=(("age", moved(0.5, 0.01, 0.0)), ("rich", moved(2, 0.01, 0.0))))
    assert failures(asked("drift", loud)) == ["drift age"]
    assert only("drift", loud).numbers["max_psi"] == 0.45


def test_rows_are_counted_against_base_and_contract() -> None:
    base = base_of(table(**people(0, 1000)))
    assert failures(asked("row_count", facts(people(0, 950), base=base))) == []
    assert failures(asked("row_count", facts(people(0, 800), base=base))) == ["row_count"]
    owned = contract("rows: {at_least: 900}")
    assert failures(asked("row_count", facts(people(0, 800), base=base, contract=owned))) == ["row_count!", "row_count"]


def test_history_that_was_rewritten_is_named() -> None:
    def changed(**given: Any) -> DataChange:
        plain = {"base_digest": "d", "base_rows": 1000, "rows": 1000, "added": 0, "removed": 0, "changed": 0}
        return DataChange(**{**plain, **given})

    assert failures(asked("changed_rows", facts(people(0, 100), data_change=changed(changed=10)))) == []
    given = facts(people(0, 100), data_change=changed(changed=6, removed=6))
    assert failures(asked("changed_rows", given)) == ["changed_rows"]
    new_column = changed(changed=1000, columns=(ColumnChange(column="x", change="added"),))
    assert only("changed_rows", facts(people(0, 100), data_change=new_column)).status is Status.SKIPPED


def test_age_is_counted_to_the_commit() -> None:
    columns = people(0, 10) | {"day": np.full(10, "2024-03-01", dtype="datetime64[us]")}
    told = only("freshness", facts(columns, time="day", as_of="2024-03-11T00:00:00Z"))
    assert (told.status, told.numbers) == (Status.PASSED, {"days": 10.0})
    owned = contract("freshness: {column: day, at_most: 7d}")
    late = facts(columns, time="day", as_of="2024-03-11T02:00:00+02:00", contract=owned)
    assert failures(asked("freshness", late)) == ["freshness day!"]
    assert failures(asked("freshness", facts(columns, time="day", contract=owned))) == ["freshness!"]
    assert only("freshness", facts(columns)).status is Status.SKIPPED


def test_infinite_numbers_block_unless_the_contract_allows_them() -> None:
    columns = {"x": [1.0, np.inf, 2.0], "rich": [True, False, True]}
    assert failures(asked("infinite_values", facts(columns))) == ["infinite_values x!"]
    allowed = contract("rows: {at_least: 1}", "{x: {kind: float, infinite: allow}}")
    assert failures(asked("infinite_values", facts(columns, contract=allowed))) == []


def test_a_column_of_one_value_or_none_is_constant_and_one_with_gaps_is_not() -> None:
    columns = {"one": [7, 7, 7], "none": [np.nan] * 3, "gaps": [7.0, np.nan, 7.0], "rich": [True, False, True]}
    found = asked("constant_columns", facts(columns))
    assert [result.column for result in found] == ["one", "none"]
    assert found[0].message == "one is 7 in all 3 rows"


@pytest.mark.parametrize("seed", range(10))
def test_twins_that_know_nothing_disagree_by_chance_and_are_not_named(seed: int) -> None:
    random = np.random.default_rng(seed)
    columns = {"sex": random.choice(["f", "m"], 300), "rich": random.random(300) < 0.5}
    assert only("conflicting_labels", facts(columns)).status is Status.PASSED


def test_values_that_changed_places_are_another_row() -> None:
    keys = row_keys(table(a=[1, 2, 1], b=[2, 1, 2]), ("a", "b"))
    assert keys[0] == keys[2] != keys[1]
    zeros = row_keys(table(a=[0.0, -0.0, np.nan, np.nan]), ("a",))
    assert zeros[0] == zeros[1] != zeros[2] == zeros[3]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-03-01T12:00:00+02:00", "2024-03-01T10:00:00"),
        ("2024-03-01T12:00:00.5-0330", "2024-03-01T15:30:00.5"),
        ("2024-03-01 12:00Z", "2024-03-01T12:00:00"),
        ("2024-03-01", "2024-03-01T00:00:00"),
    ],
)
def test_times_are_read_in_utc(text: str, utc: str) -> None:
    assert as_time(text) == np.datetime64(utc, "us")


@pytest.mark.parametrize("text", ["", "soon", "2024-13-01", "2024-03-01T25:00", "20240301"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert as_time(text) is None
