"""The fixtures that model tests are written with. Only loaded by pytest: see docs/worker.md."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # noqa: TC002 - pytest looks at what fixtures return
import pytest

from . import answers, frames, models, tables
from .behaviour import Behaviour
from .failures import Failure


class Predict:
    """`predict(frame)` -> labels; `predict.proba(frame)` -> the score of the positive class, or one column a class.

    The frame may hold more than the model's columns: target and ids are left out, as in the evaluation.
    """

    def __init__(self, model: Any, request: dict[str, Any]) -> None:
        self._model = model
        self._request = request

    def __call__(self, frame: Any) -> Any:
        __tracebackhide__ = True
        return np.asarray(self._model.predict(self._columns(frame)))

    def codes(self, frame: Any) -> Any:
        """The predicted classes as their places among the target's, the way they are judged."""
        __tracebackhide__ = True
        task, known = self._request["task"], self._request["classes"]
        try:
            return answers.ask(self._model, self._columns(frame), task=task, classes=known).labels
        except Failure as failure:
            raise ValueError(f"{failure}\n{failure.details}".strip()) from None

    def proba(self, frame: Any) -> Any:
        __tracebackhide__ = True
        asked, task, known = self._columns(frame), self._request["task"], self._request["classes"]
        try:
            scores = answers.raw_scores(self._model, asked, task=task, classes=known) if task != "regression" else None
        except Failure as failure:
            raise ValueError(f"{failure}\n{failure.details}".strip()) from None
        if scores is None:
            raise TypeError("the model answers labels only: it has no predict_proba and no decision_function")
        return scores

    def _columns(self, frame: Any) -> Any:
        __tracebackhide__ = True
        try:
            return tables.select(frame, self._model, target=self._request["target"], ids=self._request["id"])
        except Failure as failure:
            raise ValueError(str(failure)) from None


class Fixtures:
    """A plugin object: its methods are fixtures, fresh copies for every test."""

    def __init__(self, request: dict[str, Any], write: Callable[[dict[str, Any]], None]) -> None:
        self._request = request
        self._write = write

    @pytest.fixture(scope="session")  # type: ignore[untyped-decorator]
    def model(self) -> Any:
        """The candidate, as it was loaded."""
        return self._model()

    @pytest.fixture(scope="session")  # type: ignore[untyped-decorator]
    def predict(self) -> Predict:
        """Ask the model: DataFrame in, labels out; `.proba(frame)` for scores."""
        return Predict(self._model(), self._request)

    @pytest.fixture  # type: ignore[untyped-decorator]
    def behaviour(self, request: Any) -> Behaviour:
        """How often the model behaves as expected: minimum, invariant, direction. mlops-ci judges what they count."""
        test = {"event": "behaviour", "id": request.node.nodeid}
        return Behaviour(
            Predict(self._model(), self._request), self._request, lambda counts: self._write({**test, **counts})
        )

    @pytest.fixture  # type: ignore[untyped-decorator]
    def holdout(self) -> pd.DataFrame:
        """The held-out rows with the target."""
        return self._frame("holdout").copy()

    @pytest.fixture  # type: ignore[untyped-decorator]
    def train_data(self) -> pd.DataFrame:
        """The training rows with the target."""
        if not self._request.get("train"):
            pytest.skip("there are no training rows: the model was trained elsewhere")
        return self._frame("train").copy()

    @pytest.fixture  # type: ignore[untyped-decorator]
    def predictions(self) -> pd.DataFrame:
        """What was judged, aligned with holdout: label, and score (binary) or score_<class> (multiclass)."""
        return self._predictions().copy()

    @functools.lru_cache(maxsize=None)  # noqa: B019, UP033 - one object for one run
    def _model(self) -> Any:
        return models.load(self._request["model"], task=self._request["task"])

    @functools.lru_cache(maxsize=None)  # noqa: B019, UP033
    def _frame(self, name: str) -> pd.DataFrame:
        return frames.read(Path(self._request[name]))

    @functools.lru_cache(maxsize=None)  # noqa: B019, UP033
    def _predictions(self) -> pd.DataFrame:
        return tables.predictions(self._request)
