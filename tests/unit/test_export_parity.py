"""What `export` accepts and refuses, on models that part from the judged one in one place each."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_ci.worker import answers, models
from mlops_ci.worker.failures import Failure
from mlops_ci.worker.formats import choose
from mlops_ci.worker.formats.attempt import Judged, Refused
from mlops_ci.worker.formats.hunt import Hunter

DRAW = np.random.default_rng(11)
FRAME = pd.DataFrame(
    {
        "x": DRAW.uniform(0, 1, 200).round(2),
        "text": pd.Series(DRAW.choice(["red", "blue"], 200), dtype=pd.Series(["text"]).dtype),
    }
)
KINDS = {"x": "float", "text": "text"}
LIMIT = 0.505  # between two values of the table


class Model:
    """Whether x is above the limit; a missing x or an unknown text makes it less sure."""

    classes_ = np.array(["no", "yes"])

    def __init__(self, limit: float = LIMIT, **shares: float) -> None:
        self.limit = limit
        self.shares = {"missing": 0.3, "unknown": 0.1, "capitals": 0.0, **shares}

    def predict(self, frame: pd.DataFrame) -> Any:
        return self.classes_[(self.predict_proba(frame)[:, 1] > 0.5).astype(int)]

    def predict_proba(self, frame: pd.DataFrame) -> Any:
        score = np.where(frame["x"] > self.limit, 0.9, 0.2)
        score = np.where(frame["x"].isna(), self.shares["missing"], score)
        unknown = ~frame["text"].str.lower().isin(["red", "blue"])
        score = score - unknown * self.shares["unknown"]
        score = score - (frame["text"].str.isupper() & ~unknown) * self.shares["capitals"]
        return np.column_stack([1 - score, score])


def judged(frame: pd.DataFrame = FRAME, model: Model | None = None) -> Judged:
    model = model or Model()
    ask = partial(answers.ask, task="binary", classes=["no", "yes"])
    hunter = Hunter(partial(ask, model), frame, KINDS)
    return Judged(
        model=model,
        frame=frame,
        kinds=KINDS,
        task="binary",
        ask=ask,
        found=ask(model, frame),
        allowed=1e-5,
        hunted=hunter.hunt(lambda rows: model.predict_proba(rows), nullable=["x"], allowed=1e-5),
        refused=hunter.refused,
    )


def test_an_equal_model_is_accepted_and_what_was_looked_at_is_counted() -> None:
    parity = judged().compare(Model())
    assert (parity["rows"], parity["labels_differ"], parity["largest_difference"]) == (200, 0, 0.0)
    assert parity["effects"] == []
    assert {name: parity["hunted"][name] for name in ("missing", "unknown", "capitals")} == dict.fromkeys(
        ("missing", "unknown", "capitals"), 20
    )
    assert parity["hunted"]["jump"] > 0


@pytest.mark.parametrize(
    ("other", "where"),
    [
        ({"missing": 0.31}, "'x' is missing"),
        ({"unknown": 0.11}, "'text' holds a text never seen"),
        ({"capitals": 0.01}, "'text' is written in capitals"),
    ],
)
def test_a_difference_that_no_row_of_the_table_shows_is_refused(other: dict[str, float], where: str) -> None:
    assert not FRAME["x"].isna().any()
    with pytest.raises(Refused, match=where):
        judged().compare(Model(**other))


def test_another_limit_that_moves_a_row_is_refused() -> None:
    with pytest.raises(Refused, match="of 200 rows are answered differently"):
        judged().compare(Model(limit=0.45))


def test_a_limit_rounded_to_float32_is_told_where_no_row_can_show_it() -> None:
    low = float(np.nextafter(np.float32(LIMIT), np.float32(-np.inf)))
    parity = judged().compare(Model(limit=np.nextafter(low, -1.0)), cast=np.float32)
    assert parity["effect_count"] == len(parity["effects"]) > 0
    assert all(effect["column"] == "x" and abs(effect["value"] - LIMIT) < 1e-7 for effect in parity["effects"])


def test_what_is_only_around_an_estimator_is_not_released() -> None:
    with pytest.raises(Failure, match="a booster's own file"):
        choose.check(models.LightGBM.__new__(models.LightGBM))
    choose.check(Model())


class Below(Model):
    """The same with `>=` for `>` in red rows: another answer exactly at the limit."""

    def predict_proba(self, frame: pd.DataFrame) -> Any:
        at_limit = (frame["x"] == self.limit) & (frame["text"] == "red")
        return super().predict_proba(frame.assign(x=frame["x"].where(~at_limit, self.limit + 0.1)))


@pytest.mark.parametrize("held", [True, False])
def test_a_value_at_a_jump_that_held_out_rows_have_is_no_matter_of_rounding(held: bool) -> None:
    """The rows at the limit are blue and agree; a red one with their value would not."""
    table = FRAME[FRAME["x"] != 0.25].reset_index(drop=True)
    if held:
        table.loc[:4, "x"] = 0.25
        table.loc[:4, "text"] = "blue"
    compared = partial(judged(table, Model(limit=0.25)).compare, Below(limit=0.25), cast=np.float32)
    if held:
        with pytest.raises(Refused, match=r"'x' = 0\.25, where the model jumps, .* 5 held-out rows have that value"):
            compared()
    else:
        assert {effect["value"] for effect in compared()["effects"]} == {0.25}
