"""The fixture `behaviour`: what is counted, and what is said where nothing can be."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_ci.worker.behaviour import Behaviour, Counted

FLIGHTS = pd.DataFrame(
    {
        "hour": [6, 9, 12, 18, 23],
        "carrier": ["AA", "UA", "UA", None, "B6"],
        "gust": [1.0, np.nan, 30.0, 2.0, 5.0],
        "day": ["mon", "mon", "tue", "tue", "wed"],
    }
)


class Predict:
    """Later is riskier, up to 20 o'clock; the carrier B6 counts as two hours."""

    def __init__(self, classes: list[str]) -> None:
        self.classes = classes

    def __call__(self, frame: Any) -> Any:
        return self._risk(frame) * 100

    def codes(self, frame: Any) -> Any:
        return (self._risk(frame) > 0.5).astype(int)

    def proba(self, frame: Any) -> Any:
        risk = self._risk(frame)
        return risk if len(self.classes) == 2 else np.column_stack([1 - risk, risk / 2, risk / 2])

    @staticmethod
    def _risk(frame: Any) -> Any:
        hour = frame["hour"].to_numpy(dtype=float) + 2 * (frame["carrier"] == "B6").to_numpy()
        return np.where(hour > 20, 20 - (hour - 20), hour) / 24


def behaviour(
    task: str = "binary", classes: tuple[str, ...] = ("no", "yes"), group: tuple[str, ...] = (), day: str | None = None
) -> Any:
    written: list[dict[str, Any]] = []
    request = {"task": task, "classes": list(classes), "group": list(group), "day": day}
    made = Behaviour(Predict(list(classes)), request, written.append)
    return made, written


def test_the_plain_cases() -> None:
    made, written = behaviour()
    assert made.minimum(FLIGHTS, "no", at_least="50%") == Counted(3, 5)
    assert made.minimum(FLIGHTS, ["no", "no", "yes", "yes", "yes"], at_least=0.5).rate == 0.8
    assert written[1] == {
        "kind": "minimum",
        "held": 4,
        "of": 5,
        "needed": 0.5,
        "confidence": 0.95,
        "when_undecided": "refuse",
        "groups": None,
        "file": written[1]["file"],
        "line": written[1]["line"],
    }


def test_the_plain_cases_of_numbers_have_a_tolerance() -> None:
    made, _ = behaviour("regression", ())
    assert made.minimum(FLIGHTS, 25.0, at_least="50%", tolerance=0.5) == Counted(1, 5)
    assert made.minimum(FLIGHTS, 25.0, at_least="50%", tolerance=13) == Counted(2, 5)


def test_only_rows_that_the_change_changes_are_counted() -> None:
    made, _ = behaviour()
    assert made.invariant(FLIGHTS, change={"carrier": "UA"}, at_least="90%") == Counted(3, 3)
    assert made.invariant(FLIGHTS, change={"carrier": None, "gust": np.nan}, at_least="90%") == Counted(5, 5)


@pytest.mark.parametrize("dtype", ["Int64", "float64", "object"])
def test_gaps_are_the_same_in_every_dtype(dtype: str) -> None:
    made, _ = behaviour()
    rows = FLIGHTS.assign(seats=pd.Series([1, None, 3, None, 5], dtype=dtype))
    assert made.invariant(rows, change={"seats": rows["seats"].where(rows.index != 4)}, at_least="90%").of == 1
    assert made.invariant(rows, change={"seats": pd.Series([None] * 5, dtype=dtype)}, at_least="90%").of == 3


def test_a_label_may_stay_where_the_score_moves() -> None:
    made, _ = behaviour()
    change = {"carrier": "B6"}
    assert made.invariant(FLIGHTS, change=change, at_least="90%") == Counted(3, 4)
    assert made.invariant(FLIGHTS, change=change, at_least="90%", tolerance=0.01) == Counted(0, 4)
    assert made.invariant(FLIGHTS, change=change, at_least="90%", tolerance=0.09) == Counted(4, 4)
    numbers, _ = behaviour("regression", ())
    assert numbers.invariant(FLIGHTS, change=change, at_least="90%") == Counted(0, 4)


def test_a_change_is_a_value_a_function_of_the_column_or_of_the_frame() -> None:
    made, _ = behaviour()
    for change in ({"hour": lambda hours: hours + 1}, lambda frame: frame.assign(hour=frame.hour + 1)):
        assert made.direction(FLIGHTS, change=change, then="higher", at_least="90%") == Counted(4, 5)


@pytest.mark.parametrize(("then", "held"), [("higher", 4), ("not lower", 4), ("lower", 1), ("not higher", 1)])
def test_the_score_moves_as_expected(then: str, held: int) -> None:
    made, written = behaviour()
    assert made.direction(FLIGHTS, raise_by={"hour": 1}, then=then, at_least="90%") == Counted(held, 5)
    assert written[0]["kind"] == "direction"


def test_what_does_not_move_is_not_higher_and_not_lower() -> None:
    made, _ = behaviour()
    counts = {then: made.direction(FLIGHTS, change={"gust": 0.0}, then=then, at_least="90%").held for then in THEN}
    assert counts == {"higher": 0, "not lower": 5, "lower": 0, "not higher": 5}
    assert made.direction(FLIGHTS, raise_by={"hour": 1}, then="not lower", tolerance=0.05, at_least="90%").held == 5


THEN = ("higher", "not lower", "lower", "not higher")


def test_of_more_than_two_classes_one_is_named() -> None:
    made, _ = behaviour("multiclass", ("early", "late", "never"))
    assert made.direction(FLIGHTS, raise_by={"hour": 1}, then="lower", of="early", at_least="90%") == Counted(4, 5)
    with pytest.raises(ValueError, match="of= one of early, late, never"):
        made.direction(FLIGHTS, raise_by={"hour": 1}, then="lower", at_least="90%")
    with pytest.raises(ValueError, match="'soon': the classes are early, late, never"):
        made.direction(FLIGHTS, raise_by={"hour": 1}, then="lower", of="soon", at_least="90%")


def test_groups_are_told_apart_where_the_rows_say_theirs() -> None:
    made, written = behaviour(group=("day",))
    made.direction(FLIGHTS, raise_by={"hour": 1}, then="higher", at_least="90%")
    assert written[0]["groups"] == [[0, 1, 1], [2, 2, 2]]
    made.direction(FLIGHTS.drop(columns="day"), raise_by={"hour": 1}, then="higher", at_least="90%")
    assert written[1]["groups"] is None


def test_without_groups_rows_of_one_day_go_together() -> None:
    made, written = behaviour(day="at")
    rows = FLIGHTS.assign(at=pd.to_datetime(["2024-05-01 06:00", "2024-05-01 23:59", "2024-05-02 00:00", None, None]))
    made.minimum(rows, ["no", "no", "no", "yes", "no"], at_least="90%")
    assert written[0]["groups"] == [[1, 1, 1], [1, 2, 1], [2, 2, 1]]
    made.minimum(rows.assign(at="noon"), "no", at_least="90%")
    assert written[1]["groups"] is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"change": {"houer": 1}}, "there is no column 'houer': did you mean 'hour'?"),
        ({"change": {"carrier": FLIGHTS["carrier"]}}, "changes no row"),
        ({"change": lambda frame: frame.head(2)}, "the same rows"),
        ({}, "say what happens"),
        ({"change": {"hour": 1}, "raise_by": {"hour": 1}}, "one of the two"),
        ({"raise_by": {"hour": 1}, "then": "up"}, "allowed are 'higher'"),
        ({"raise_by": {"hour": 1}, "at_least": "100%"}, "what must hold for every row is an assert"),
        ({"raise_by": {"hour": 1}, "at_least": "most"}, 'allowed is a share such as "95%"'),
        ({"raise_by": {"hour": 1}, "confidence": 95}, "confidence=95"),
        ({"raise_by": {"hour": 1}, "when_undecided": "pass"}, "'refuse', 'warn', 'accept'"),
    ],
)
def test_what_cannot_be_counted_is_an_error_that_says_why(asked: dict[str, Any], said: str) -> None:
    made, written = behaviour()
    with pytest.raises(ValueError, match=re.escape(said)):
        made.direction(FLIGHTS, **{"then": "higher", "at_least": "90%", **asked})
    assert written == []


def test_no_rows_and_an_unknown_class_are_errors() -> None:
    made, _ = behaviour()
    with pytest.raises(ValueError, match="there are no rows"):
        made.minimum(FLIGHTS.head(0), "no", at_least="90%")
    with pytest.raises(ValueError, match="'maybe': the classes are no, yes"):
        made.minimum(FLIGHTS, "maybe", at_least="90%")
