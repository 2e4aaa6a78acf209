"""Golden requests: no row of the data, the same everywhere, and answers that rounding cannot turn."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from mlops_ci.packaging import golden
from mlops_ci.packaging.answers import answers, outputs
from mlops_ci.records.bundles import Golden
from mlops_ci.records.evaluation import Predictions
from mlops_ci.records.tables import Column, Kind, Table

ROWS = 500


def features() -> Table:
    values = np.arange(ROWS, dtype=np.float64)
    values[7] = np.nan
    gone = np.isnan(values)
    return Table(
        rows=ROWS,
        columns=(
            Column(name="number", kind=Kind.FLOAT, values=values, missing=gone),
            Column(name="whole", kind=Kind.INTEGER, values=np.arange(ROWS, dtype=np.int64)),
        ),
    )


def test_a_candidate_is_put_together_from_many_rows() -> None:
    drawn = golden.draws(features(), "digest")
    together = np.column_stack([drawn["number"], drawn["whole"]])
    assert together.shape == (golden.CANDIDATES, 2)
    assert (together[:, 0] == together[:, 1]).mean() < 0.05, "rows of the data"


def test_what_may_be_missing_is_missing_at_least_once() -> None:
    """One row of 500 is: 128 draws would find it one time in four."""
    assert 7 in golden.draws(features(), "digest")["number"]


def test_the_same_data_gives_the_same_rows_and_others_give_others() -> None:
    first, again, other = (golden.draws(features(), seed)["whole"].tolist() for seed in ("a", "a", "b"))
    assert first == again
    assert first != other
    assert first[:4] == [69, 419, 334, 466], "the stream of a bundle never changes"


@pytest.mark.parametrize("noise", [1e-6, -1e-6])
def test_the_fingerprint_stays_where_sums_are_rounded_differently(noise: float) -> None:
    chances = np.random.default_rng(3).random(golden.CANDIDATES)
    asked = Table(rows=golden.CANDIDATES, columns=features().columns)
    exact = {"probability_true": tuple(chances.tolist())}
    made = golden.golden(asked, exact, tolerance=1e-5, spread=None)
    moved = {name: tuple(value + noise for value in values) for name, values in made.answers.items()}
    assert golden.fingerprint(moved, made.quantum) == made.fingerprint
    all_moved = {name: tuple(value + 1e-6 for value in values) for name, values in exact.items()}
    kept_all = golden.fingerprint(exact, made.quantum), golden.fingerprint(all_moved, made.quantum)
    assert len(made.rows) == golden.KEPT
    assert kept_all[0] != golden.fingerprint({"probability_true": tuple((chances + 1e-3).tolist())}, made.quantum)


@pytest.mark.parametrize(("spread", "quantum"), [(None, 1e-3), (250.0, 0.1), (0.004, 1e-6), (0.0, 1e-3)])
def test_the_step_follows_the_size_of_what_is_answered(spread: float | None, quantum: float) -> None:
    asked = Table(rows=golden.CANDIDATES, columns=features().columns)
    answered = {"prediction": tuple(np.linspace(0.0, 1.0, golden.CANDIDATES).tolist())}
    assert golden.golden(asked, answered, tolerance=1e-5, spread=spread).quantum == pytest.approx(quantum)


def test_answers_have_the_kind_the_model_answers_in() -> None:
    predictions = Predictions(
        digest="", labels=np.array([0, 1, -1], dtype=np.int32), scores=np.array([0.25, 0.75, 0.5], dtype=np.float32)
    )
    assert answers(predictions, ("3", "10"), outputs(Kind.INTEGER, ("3", "10"))) == {
        "prediction": (3, 10, None),
        "probability_3": (0.75, 0.25, 0.5),
        "probability_10": (0.25, 0.75, 0.5),
    }
    truth = outputs(Kind.BOOLEAN, ())
    assert answers(predictions, ("false", "true"), truth) == {"prediction": (False, True, None)}


def test_a_boolean_target_may_be_answered_in_numbers() -> None:
    predictions = Predictions(
        digest="", labels=np.array([0, 1], dtype=np.int32), scores=np.array([0.25, 0.75], dtype=np.float32)
    )
    assert answers(predictions, ("false", "true"), outputs(Kind.INTEGER, ("0", "1"))) == {
        "prediction": (0, 1),
        "probability_0": (0.75, 0.25),
        "probability_1": (0.25, 0.75),
    }


def test_a_model_may_have_its_classes_in_another_order() -> None:
    scores = np.array([[0.2, 0.3, 0.5]], dtype=np.float32)
    predictions = Predictions(digest="", labels=np.array([2], dtype=np.int32), scores=scores)
    found = answers(predictions, ("a", "b", "c"), outputs(Kind.TEXT, ("c", "a", "b")))
    assert list(found) == ["prediction", "probability_c", "probability_a", "probability_b"]
    assert [round(values[0], 6) for values in list(found.values())[1:]] == [0.5, 0.2, 0.3]


def test_regression_answers_numbers() -> None:
    predictions = Predictions(digest="", labels=np.array([1.5, 2.0], dtype=np.float32))
    assert answers(predictions, (), outputs(Kind.FLOAT, ())) == {"prediction": (1.5, 2.0)}


JUDGED = {"prediction": ("late", "early"), "probability_late": (0.75, 0.25), "flights": (3, 4)}
MADE = Golden(
    version=1,
    columns=("x",),
    rows=((1,), (2,)),
    answers=JUDGED,
    tolerance=1e-3,
    quantum=1e-3,
    fingerprint=golden.fingerprint(JUDGED, 1e-3),
)
FOUND = [
    {"prediction": "late", "probability_late": 0.7501, "flights": 3},
    {"prediction": "early", "probability_late": 0.25, "flights": 4},
]


def test_answers_as_judged_may_be_apart_by_what_rounding_does() -> None:
    assert golden.unlike(MADE, FOUND) == ""


def test_a_whole_number_on_its_way_through_json_is_the_number_it_was() -> None:
    judged = {"late": (1.0, 0.0)}
    made = msgspec.structs.replace(MADE, answers=judged, fingerprint=golden.fingerprint(judged, 1e-3))
    assert golden.unlike(made, [{"late": 1}, {"late": 0}]) == ""
    assert (
        golden.unlike(made, [{"late": 1}, {"late": False}])
        == "late of golden row 1 is False; the judged model says 0.0"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prediction": "early"}, "prediction of golden row 0 is 'early'; the judged model says 'late'"),
        ({"probability_late": 0.752}, "probability_late of golden row 0 is 0.752; the judged model says 0.75"),
        ({"probability_late": 0.7509}, "its answers have another fingerprint: "),
        ({"probability_late": None}, "probability_late of golden row 0 is None"),
        ({"flights": True}, "flights of golden row 0 is True"),
        ({"flights": "3"}, "flights of golden row 0 is '3'"),
        ({"probability_late": 10**400}, "probability_late of golden row 0 is 1000"),
    ],
)
def test_answers_that_are_not_the_judged_ones_are_named(change: dict[str, object], words: str) -> None:
    assert golden.unlike(MADE, [FOUND[0] | change, FOUND[1]]).startswith(words)


def test_answers_that_are_too_few_are_counted() -> None:
    assert golden.unlike(MADE, FOUND[:1]) == "it answers 1 of 2 rows"
    assert golden.unlike(MADE, [{}, {}]).startswith("prediction of golden row 0 is None")
