from __future__ import annotations

import time
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.data.difference import BaseData, column_drifts, difference, row_change
from mlops_ci.data.profile import profile
from mlops_ci.records.data import DataChange, SourceFile
from mlops_ci.records.tables import Table
from tests.unit.checks.snapshots import table

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=25)


def arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    rows = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    return rows[:, 0].copy(), rows[:, 1].copy()


def side(snapshot: Table, ids: list[int], contents: list[int], **given: object) -> BaseData:
    plain = {"digest": "d", "sources": (), "profile": profile(snapshot), "target": None}
    return BaseData(
        ids=np.array(ids, dtype=np.uint64), contents=np.array(contents, dtype=np.uint64), **{**plain, **given}
    )


@given(PAIRS, PAIRS)
def test_rows_are_counted_as_multisets(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
    found = row_change(*arrays(before), *arrays(after))
    left_before, left_after = Counter(before) - Counter(after), Counter(after) - Counter(before)
    ids_before, ids_after = Counter(), Counter()
    for (one, _), count in left_before.items():
        ids_before[one] += count
    for (one, _), count in left_after.items():
        ids_after[one] += count
    assert found.added == sum((ids_after - ids_before).values())
    assert found.removed == sum((ids_before - ids_after).values())
    assert found.changed == sum((ids_before & ids_after).values())
    assert found.added_rows.sum() == found.added
    assert len(before) + found.added - found.removed == len(after)


@given(PAIRS, st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[tuple[int, int]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = row_change(*arrays(rows), *arrays(shuffled))
    assert (found.added, found.removed, found.changed) == (0, 0, 0)


def test_a_million_rows_take_about_a_second() -> None:
    random = np.random.default_rng(0)
    ids, contents = (random.integers(0, 2**63, 1_000_000, dtype=np.uint64) for _ in range(2))
    order = random.permutation(len(ids))
    now, said = ids[order][1000:].copy(), contents[order][1000:].copy()
    said[:300] += np.uint64(1)
    start = time.process_time()
    found = row_change(ids, contents, now, said)
    assert time.process_time() - start < 3  # 0.5 s on an idle machine
    assert (found.added, found.removed, found.changed) == (0, 1000, 300)


def compared(before: BaseData, after: BaseData) -> DataChange:
    return difference(before, after, column_drifts(before.profile, after.profile))


def test_the_new_rows_have_a_target_of_their_own() -> None:
    before, after = table(late=[True, False, False, False]), table(late=[True, False, False, False, True, True])
    found = compared(
        side(before, [1, 2, 3, 4], [1, 2, 3, 4], target=before.column("late")),
        side(after, [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], target=after.column("late")),
    )
    assert (found.base_rows, found.rows, found.added) == (4, 6, 2)
    assert found.target_before == (("false", 0.75), ("true", 0.25))
    assert found.target_after == (("false", 0.5), ("true", 0.5))
    assert found.target_of_added == (("true", 1.0),)


def test_a_regression_has_mean_and_median() -> None:
    before, after = table(price=[1.0, 2.0, 6.0]), table(price=[1.0, 2.0, 6.0, 9.0])
    found = compared(
        side(before, [1, 2, 3], [1, 2, 3], target=before.column("price"), regression=True),
        side(after, [1, 2, 3, 4], [1, 2, 3, 4], target=after.column("price"), regression=True),
    )
    assert found.target_before == (("mean", 3.0), ("median", 2.0))
    assert found.target_of_added == (("mean", 9.0), ("median", 9.0))


def test_shares_recorded_earlier_stand_in_for_a_target_that_is_not_at_hand() -> None:
    snapshot = table(late=[True])
    found = compared(
        side(snapshot, [1], [1], shares=(("true", 1.0),)), side(snapshot, [1], [1], target=snapshot.column("late"))
    )
    assert found.target_before == (("true", 1.0),)


def test_files_and_columns_are_compared_by_name_and_content() -> None:
    def files(**digests: str) -> tuple[SourceFile, ...]:
        return tuple(SourceFile(source="s", path=path, bytes=1, sha256=digest) for path, digest in digests.items())

    before, after = table(gone=[1, 2], turned=[1, 2], kept=[1, 2]), table(turned=["1", "2"], kept=[1, 2], new=[1, 2])
    found = compared(
        side(before, [1, 2], [1, 2], sources=files(a="1", b="2", c="3")),
        side(after, [1, 2], [1, 2], sources=files(b="2", c="4", d="5")),
    )
    assert (found.files_added, found.files_removed, found.files_changed) == (("d",), ("a",), ("c",))
    assert [(change.column, change.change, change.before, change.after) for change in found.columns] == [
        ("gone", "removed", "integer", ""),
        ("turned", "kind", "integer", "text"),
        ("new", "added", "", "integer"),
    ]


def test_only_columns_beyond_their_floor_are_named_the_largest_first() -> None:
    random = np.random.default_rng(0)
    before = table(same=random.normal(size=3000), moved=random.normal(size=3000), far=random.normal(size=3000))
    after = table(same=random.normal(size=3000), moved=random.normal(0.5, 1, 3000), far=random.normal(2, 1, 3000))
    earlier = profile(before)
    found = compared(
        side(before, list(range(3000)), list(range(3000)), profile=earlier),
        side(after, list(range(3000)), list(range(1, 3001)), profile=profile(after, earlier)),
    )
    assert [change.column for change in found.columns] == ["far", "moved"]
    first = found.columns[0]
    assert first.psi is not None
    assert first.floor is not None
    assert first.psi > first.floor
    assert first.before.startswith("mean")
    assert [name for name, _ in column_drifts(earlier, profile(after, earlier))] == ["same", "moved", "far"]
