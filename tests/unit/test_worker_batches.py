"""A model asked a few rows at a time answers as it is, and one that looks at its neighbours does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_ci.worker.answers import ask
from mlops_ci.worker.batches import InBatches

FRAME = pd.DataFrame({"x": np.linspace(-1, 1, 23)})


class Steady:
    classes_ = np.array(["no", "yes"])
    seen: list[int]

    def __init__(self) -> None:
        self.seen = []

    def predict(self, frame: Any) -> Any:
        self.seen.append(len(frame))
        assert list(frame.index) == list(range(len(frame)))
        return np.where(frame["x"] > 0, "yes", "no")

    def predict_proba(self, frame: Any) -> Any:
        chance = 1 / (1 + np.exp(-frame["x"].to_numpy()))
        return np.column_stack([1 - chance, chance])


class Ranks(Steady):
    def predict_proba(self, frame: Any) -> Any:
        chance = frame["x"].rank(pct=True).to_numpy()
        return np.column_stack([1 - chance, chance])


@pytest.mark.parametrize(("model", "same"), [(Steady, True), (Ranks, False)])
def test_the_answers_are_put_together(model: type[Steady], same: bool) -> None:
    whole = ask(model(), FRAME, task="binary", classes=["no", "yes"])
    asked = model()
    parts = ask(InBatches(asked, 10), FRAME, task="binary", classes=["no", "yes"])
    assert asked.seen == [10, 10, 3]
    assert parts.labels.tolist() == whole.labels.tolist()
    assert np.allclose(parts.scores, whole.scores) is same


def test_what_the_model_lacks_stays_lacking_and_an_empty_table_is_asked_once() -> None:
    class Labels:
        def predict(self, frame: Any) -> Any:
            return np.full(len(frame), "no")

    found = ask(InBatches(Labels(), 5), FRAME, task="binary", classes=["no", "yes"])
    assert (found.score_kind, found.scores) == ("none", None)
    assert len(InBatches(Labels(), 5).predict(FRAME.iloc[:0])) == 0
