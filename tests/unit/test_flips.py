from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.evaluation.flips import flips
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.records.evaluation import Factor, Flips, Holdout, Predictions, Task

ROW = st.tuples(st.integers(0, 2), st.integers(-1, 2), st.integers(-1, 2), st.integers(-1, 1))


def counted(rows: list[tuple[int, int, int, int]]) -> tuple[Holdout, Predictions, Predictions, Flips]:
    """Rows of truth, label, champion's label, slice (-1: missing)."""
    truth, ours, theirs, codes = np.array(rows, dtype=np.int32).T
    data = Holdout(
        task=Task.MULTICLASS,
        digest="d",
        ids=np.arange(len(rows), dtype=np.uint64),
        truth=truth,
        classes=("a", "b", "c"),
        slices={"x": Factor(codes=codes, values=("p", "q"))},
    )
    model, champion = Predictions(digest="m", labels=ours), Predictions(digest="c", labels=theirs)
    return data, model, champion, flips(data, model, champion, ("x",))


@given(st.lists(ROW, min_size=1, max_size=60))
def test_won_minus_lost_is_the_difference_in_accuracy_times_the_rows(rows: list[tuple[int, int, int, int]]) -> None:
    data, model, champion, found = counted(rows)
    ours, theirs = (METRICS["accuracy"].compute(data.truth, p.labels, None, data.classes) for p in (model, champion))
    assert ours is not None
    assert theirs is not None
    assert found.won - found.lost == round((ours - theirs) * data.rows)
    assert found.changed == (model.labels != champion.labels).sum()


@given(st.lists(ROW, min_size=1, max_size=60))
def test_flips_of_slices_and_of_rows_without_one_add_up(rows: list[tuple[int, int, int, int]]) -> None:
    found = counted(rows)[-1]
    elsewhere = [row for row in rows if row[3] == -1]
    rest = counted(elsewhere)[-1] if elsewhere else Flips(rows=0, won=0, lost=0, other=0)
    for name in ("rows", "won", "lost", "other"):
        assert sum(getattr(cut, name) for cut in found.by_slice) + getattr(rest, name) == getattr(found, name)


def test_a_flip_is_won_lost_or_wrong_both_times() -> None:
    found = counted(
        [(0, 0, 1, 0), (1, 1, 1, 0), (2, 2, 0, 1), (0, 1, 0, 1), (0, 1, 2, 1), (0, 1, 1, 1), (0, -1, -1, 1)]
    )[-1]
    assert (found.won, found.lost, found.other) == (2, 1, 1)
    assert [(cut.value, cut.rows, cut.won, cut.lost, cut.other) for cut in found.by_slice] == [
        ("q", 5, 1, 1, 1),
        ("p", 2, 1, 0, 0),
    ]
