"""How long gates take, as ratios to what people use instead, measured in the same run on the same rows.

Run by `make bench`. Needs scikit-learn. Ratios carry over to other machines better than seconds do.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from sklearn.metrics import roc_auc_score

from mlops_ci.gates import grammar
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.records.evaluation import Champion, Holdout, Predictions, Task

RESAMPLES = 10_000
_MEASURED = 20
"""Resamples of the row bootstrap that are really run; its cost is linear in them."""


def main() -> None:
    rows = 1_000_000
    question = _question(rows)
    truth, ours = question.holdout.truth, question.predictions
    theirs = question.champion.predictions if question.champion else None
    if theirs is None or theirs.scores is None or ours.scores is None:
        raise SystemExit("the models of this benchmark give scores")
    both = (ours.scores, theirs.scores)
    parsing = _seconds(lambda: [grammar.parse(f"accuracy - champion.accuracy > -0.0{n} @ 95%") for n in range(1, 13)])
    print(f"parse 12 gates, the parser built first: {parsing[0]:.3f} s, again: {parsing[1] * 1000:.1f} ms")
    accuracy = _judged("accuracy - champion.accuracy > -0.005 @ 95%", question)
    right = (ours.labels == truth).astype(np.int8) - (theirs.labels == truth)
    bootstrap = _bootstrap(right)
    print(f"paired accuracy, {rows:,} rows: {accuracy:.3f} s")
    print(f"  a row bootstrap of {RESAMPLES:,} (from {_MEASURED}): {bootstrap:.1f} s, {bootstrap / accuracy:,.0f} x")
    auc = _judged("roc_auc - champion.roc_auc > -0.01 @ 95%", question)
    peer = min(_seconds(lambda: [roc_auc_score(truth, scores) for scores in both], 3))
    print(f"paired ROC AUC with its interval, {rows:,} rows: {auc:.3f} s")
    print(f"  two sklearn.roc_auc_score, no interval: {peer:.3f} s, {peer / auc:.2f} x")


def _question(rows: int) -> Question:
    generator = np.random.default_rng(7)
    truth = (generator.random(rows) < 0.3).astype(np.int32)
    shared = truth * 1.2 + generator.normal(size=rows)

    def model(noise: float) -> Predictions:
        scores = (1 / (1 + np.exp(-shared - noise * generator.normal(size=rows)))).astype(np.float32)
        return Predictions(digest="", labels=(scores > 0.6).astype(np.int32), scores=scores)

    ids = np.arange(rows, dtype=np.uint64)
    return Question(
        holdout=Holdout(task=Task.BINARY, digest="", ids=ids, truth=truth, classes=("no", "yes")),
        predictions=model(0.1),
        champion=Champion(name="v1", decision="", commit="", predictions=model(0.1)),
    )


def _judged(text: str, question: Question) -> float:
    gate = grammar.parse(text)
    return min(_seconds(lambda: judge([gate], question), 3))


def _bootstrap(right: np.ndarray) -> float:
    generator = np.random.default_rng(0)

    def resample() -> None:
        for _ in range(_MEASURED):
            right[generator.integers(0, len(right), len(right))].mean()

    return _seconds(resample, 1)[0] * RESAMPLES / _MEASURED


def _seconds(work: Callable[[], object], times: int = 2) -> list[float]:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return taken
