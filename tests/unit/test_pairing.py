from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.evaluation.pairing import pair

KEYS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from([0, 1, 2**64 - 1])), max_size=30)


def columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([r[0] for r in rows], dtype=np.uint64), np.array([r[1] for r in rows], dtype=np.uint64)


@given(KEYS, KEYS)
def test_a_row_is_paired_with_the_first_of_the_same_id_and_features(
    rows: list[tuple[int, int]], champion: list[tuple[int, int]]
) -> None:
    found = pair(*columns(rows), *columns(champion))
    assert found.dtype == np.int64
    assert found.tolist() == [champion.index(row) if row in champion else -1 for row in rows]


def test_changed_features_lose_the_pair_and_new_rows_have_none() -> None:
    assert pair(*columns([(1, 10), (2, 21), (3, 30)]), *columns([(3, 30), (2, 20), (1, 10)])).tolist() == [2, -1, 0]


def test_an_id_is_not_mistaken_for_another_rows_features() -> None:
    assert pair(*columns([(1, 2)]), *columns([(2, 1), (1, 1), (2, 2)])).tolist() == [-1]


def test_no_rows_pair_with_nothing() -> None:
    assert pair(*columns([]), *columns([(1, 1)])).tolist() == []
    assert pair(*columns([(1, 1)]), *columns([])).tolist() == [-1]
    assert pair(*columns([]), *columns([])).tolist() == []
