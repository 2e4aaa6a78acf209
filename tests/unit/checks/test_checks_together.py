"""All data checks at once: silent on honest data, and what they catch of planted faults."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlops_ci.checks import CHECKS, data_checks, title, why
from mlops_ci.data.classes import target_shares
from mlops_ci.data.contract import Contract, infer, parse, write
from mlops_ci.data.difference import BaseData, column_drifts, difference
from mlops_ci.data.profile import profile
from mlops_ci.data.rowkeys import row_keys
from mlops_ci.records.evaluation import Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.tables import Table
from tests.unit.checks.snapshots import base_of, facts, failed_checks, ids, people, table

Columns = dict[str, Any]


def owned_contract(snapshot: Table) -> Contract:
    return parse(write(infer(snapshot, profile(snapshot), target="rich", id=["id"])), file="data/contract.yaml")


def judged(before: Columns, after: Columns, *, holdout: np.ndarray | None = None) -> list[str]:
    """Failures of `after` under the contract and against the base of `before`."""
    earlier, now = table(**before), table(**after)
    base = base_of(earlier, target_shares(earlier.column("rich")))
    later = profile(now, base.profile)
    given: dict[str, Any] = {"holdout": holdout} if holdout is not None else {}
    if "id" in now.names:
        given["ids"] = hashed(after["id"])
    given.setdefault("holdout", np.random.default_rng(5).random(now.rows) < 1 / 3)
    change = difference(side(before, base.profile), side(after, later), column_drifts(base.profile, later))
    return failed_checks(
        facts(
            now,
            profile=later,
            id=("id",),
            contract=owned_contract(earlier),
            base=base,
            data_change=change,
            drift=column_drifts(base.profile, later),
            **given,
        )
    )


def side(columns: Columns, found: Any) -> BaseData:
    """Contents by value, so that two tables can be compared: text by its hash."""
    plain = {
        name: hashed(values).view(np.int64) if np.asarray(values).dtype.kind in "OU" else values
        for name, values in columns.items()
    }
    made = table(**plain)
    return BaseData(
        digest="d",
        sources=(),
        ids=row_keys(made, ("id",)),
        contents=row_keys(made, made.names),
        profile=found,
        target=made.column("rich"),
    )


def hashed(values: Any) -> np.ndarray:
    """Keyed digests, shape (n,) uint64, the same in every run."""
    found, places = np.unique(np.array([str(value) for value in values]), return_inverse=True)
    digests = [int.from_bytes(hashlib.sha256(str(value).encode()).digest()[:8], "big") for value in found]
    return np.array(digests, dtype=np.uint64)[places]


@pytest.mark.parametrize("seed", range(40))
def test_equally_distributed_data_raises_no_alarm(seed: int) -> None:
    """Forty pairs of base and snapshot, and forty random splits, at sizes where other tools fail most runs."""
    rows = [400, 1200, 3000, 6000][seed % 4]
    before, after = people(2 * seed, rows), people(2 * seed + 1, rows)
    merged = {name: np.concatenate([before[name], after[name]]) for name in before}
    merged["id"] = np.arange(2 * rows) + 1000
    holdout = np.random.default_rng(seed).random(2 * rows) < [1 / 3, 1 / 9][seed % 2]
    assert judged(before, merged, holdout=holdout) == []


def nulls(share: float) -> Callable[[Columns, np.ndarray], None]:
    def plant(columns: Columns, holdout: np.ndarray) -> None:
        hit = holdout & (np.random.default_rng(1).random(len(holdout)) < share)
        columns["hours"] = np.where(hit, np.nan, columns["hours"])

    return plant


def put(name: str, change: Callable[[Columns, np.ndarray], Any]) -> Callable[[Columns, np.ndarray], None]:
    def plant(columns: Columns, holdout: np.ndarray) -> None:
        columns[name] = change(columns, holdout)

    return plant


def some(columns: Columns, share: float) -> np.ndarray:
    return np.random.default_rng(2).random(len(columns["age"])) < share


def drop(name: str) -> Callable[[Columns, np.ndarray], None]:
    def plant(columns: Columns, _holdout: np.ndarray) -> None:
        del columns[name]

    return plant


def flipped_copies(columns: Columns, _holdout: np.ndarray) -> None:
    for name in columns:
        columns[name] = np.concatenate([columns[name], columns[name][:150]])
    columns["id"][-150:] += 10**6
    columns["rich"][-150:] = ~columns["rich"][-150:]


def copies(columns: Columns, count: int, *, new_ids: bool) -> None:
    for name in columns:
        columns[name] = np.concatenate([columns[name], columns[name][:count]])
    if new_ids:
        columns["id"][-count:] += 10**6


FAULTS: dict[str, tuple[Callable[[Columns, np.ndarray], None], str]] = {
    "20 % nulls in held-out numbers": (nulls(0.2), "nulls hours!"),
    "60 % nulls in held-out numbers": (nulls(0.6), "nulls hours!"),
    "a number column turned to text": (put("age", lambda c, _: c["age"].astype(str)), "types age!"),
    "20 % label noise": (put("rich", lambda c, _: c["rich"] ^ some(c, 0.2)), "changed_rows"),
    "1 % negative ages": (put("age", lambda c, _: np.where(some(c, 0.01), -c["age"], c["age"])), "ranges age!"),
    "1 % infinite": (
        put("weight", lambda c, _: np.where(some(c, 0.01), np.inf, c["weight"])),
        "infinite_values weight!",
    ),
    "labels flipped in a rare slice": (
        put("rich", lambda c, _: c["rich"] ^ np.char.startswith(c["job"].astype(str), "job 03")),
        "changed_rows",
    ),
    "a column is gone": (drop("job"), "types job!"),
    "a column is new": (put("extra", lambda c, _: c["age"] % 7), "types extra"),
    "a copy of the label": (put("leak", lambda c, _: c["rich"].astype(float) * 3 + 1), "target_leakage leak!"),
    "a noisy copy of the label": (
        put("leak", lambda c, _: c["rich"] + np.random.default_rng(3).normal(0, 0.45, len(c["rich"]))),
        "target_leakage leak!",
    ),
    "a column filled for one class only": (
        put("letter", lambda c, _: np.where(c["rich"], c["weight"], np.nan)),
        "target_leakage letter!",
    ),
    "every row twice": (lambda c, _: copies(c, len(c["age"]), new_ids=False), "uniqueness!"),
    "20 % of the rows again under new ids": (
        lambda c, _: copies(c, len(c["age"]) // 5, new_ids=True),
        "holdout_leakage!",
    ),
    "twins with another label": (flipped_copies, "conflicting_labels"),
    "a constant column": (put("hours", lambda c, _: np.full(len(c["age"]), 40)), "constant_columns hours"),
    "a new category": (
        put("schooling", lambda c, _: np.where(some(c, 0.03), "doctorate", c["schooling"])),
        "allowed_values schooling!",
    ),
    "a new spelling": (
        put("job", lambda c, _: np.where(some(c, 0.1), np.char.upper(c["job"].astype(str)), c["job"])),
        "allowed_values job!",
    ),
    "a shift of one standard deviation": (put("hours", lambda c, _: c["hours"] + 12), "drift hours"),
    "a unit changed": (put("weight", lambda c, _: c["weight"] * 1000), "ranges weight!"),
    "twice the positive class": (put("rich", lambda c, _: c["rich"] | some(c, 0.35)), "label_shift rich!"),
    "one class left": (put("rich", lambda c, _: np.zeros(len(c["age"]), dtype=bool)), "classes!"),
    "half of the rows are gone": (
        lambda c, _: c.update({name: values[: len(values) * 2 // 5] for name, values in c.items()}),
        "row_count!",
    ),
    "an id is missing": (put("id", lambda c, _: [None, *c["id"][1:].tolist()]), "uniqueness id!"),
}  # fmt: skip
"""The 21 faults of the comparison with other tools as far as they are about one table, and some more."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_by_the_check_that_is_meant_to(fault: str) -> None:
    plant, expected = FAULTS[fault]
    before = people(0, 6000)
    after = {name: values.copy() for name, values in before.items()}
    plant(after, np.random.default_rng(5).random(6000) < 1 / 3)
    assert expected in judged(before, after)


def test_a_normal_report_has_about_twenty_results_and_a_bad_one_stays_readable() -> None:
    snapshot = table(**people(0))
    fine = data_checks(facts(snapshot, contract=owned_contract(snapshot), id=("id",)))
    assert len(fine) <= 20
    wild = table(**{f"c{n}": np.full(500, np.inf) for n in range(300)}, rich=np.arange(500) % 2 == 0)
    found = [result for result in data_checks(facts(wild)) if result.check == "infinite_values"]
    assert len(found) == 6
    assert found[-1].message.startswith("and 295 more: ")
    assert found[-1].blocking


def test_a_check_that_crashes_is_errored_and_the_others_still_answer() -> None:
    def crash(_facts: object) -> list[Any]:
        raise ZeroDivisionError("a bug")

    first, *rest = data_checks(facts(people(0, 200)), {"crash": crash, "classes": CHECKS["classes"]})
    assert (first.check, first.status, first.blocking) == ("crash", Status.ERRORED, True)
    assert first.message == "the check crashed: ZeroDivisionError: a bug"
    assert [result.check for result in rest] == ["classes"]


def test_half_a_check_that_crashes_is_errored_whole() -> None:
    def crash(given: Any) -> Any:
        yield from CHECKS["classes"](given)
        raise ValueError

    assert [r.status for r in data_checks(facts(people(0, 200)), {"half": crash})] == [Status.ERRORED]


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_says_what_it_asks_and_why(name: str) -> None:
    assert 5 < len(title(name)) < 60
    assert not title(name).endswith(".")
    assert len(why(name)) > 60


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_answers_under_its_own_name_for_tiny_tables_too(name: str) -> None:
    for columns in ({"rich": [True, False]}, {"rich": [True, False], "x": [1.0, None], "t": ["a", None]}):
        for task in (Task.BINARY, Task.MULTICLASS):
            given = facts(columns, task=task, holdout=np.array([True, False]))
            assert {result.check for result in CHECKS[name](given)} <= {name}


def test_no_rows_crash_no_check() -> None:
    empty = {"rich": np.array([], dtype=bool), "x": np.array([], dtype=float)}
    results = data_checks(facts(empty))
    assert [result.message for result in results if result.status is Status.ERRORED] == []


def test_results_are_the_same_for_any_order_of_rows() -> None:
    columns = people(0)
    columns["leak"] = columns["rich"] * 1.0
    order = np.random.default_rng(9).permutation(len(columns["age"]))
    shuffled = {name: values[order] for name, values in columns.items()}
    keys, holdout = ids(4000), np.random.default_rng(5).random(4000) < 0.3
    first = data_checks(facts(columns, ids=keys, holdout=holdout))
    second = data_checks(facts(shuffled, ids=keys[order], holdout=holdout[order]))
    assert first == second


def test_a_large_table_is_judged_in_seconds() -> None:
    random = np.random.default_rng(0)
    rows = 60_000
    columns: Columns = {f"n{n}": random.normal(size=rows) for n in range(20)}
    columns |= {f"i{n}": random.integers(0, 1000, rows) for n in range(4)}
    columns["rich"] = random.random(rows) < 0.3
    snapshot = table(**columns)
    given = facts(snapshot, contract=infer(snapshot, profile(snapshot), target="rich"))
    start = time.process_time()
    data_checks(given)
    assert time.process_time() - start < 3  # 0.3 s on an idle machine
