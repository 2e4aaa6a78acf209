"""How long gates take, as ratios to what people use instead, measured in the same run on the same rows.

Run by `make bench`. Needs scikit-learn. Ratios carry over to other machines better than seconds do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.metrics import roc_auc_score

from mlops_ci.gates import grammar
from mlops_ci.gates.bounds import dirichlet
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.records.evaluation import Champion, Factor, Holdout, Predictions, Task

RESAMPLES = 10_000
_MEASURED = 20
"""Resamples of the row bootstrap that are really run; its cost is linear in them."""
TWELVE = (
    "accuracy >= 0.7 @ 95%",
    "roc_auc >= 0.7 @ 95%",
    "f1 >= 0.3 @ 95%",
    "recall[at=a] >= 0.3 @ 95%",
    "roc_auc[at=b] >= 0.6 @ 95%",
    "worst(accuracy, by=at, min_rows=500) >= 0.5 @ 95%",
    "worst(recall, by=at, min_rows=500) >= 0.2 @ 95%",
    "accuracy - champion.accuracy > -0.01 @ 95%",
    "roc_auc - champion.roc_auc > -0.01 @ 95%",
    "f1 - champion.f1 > -0.02 @ 95%",
    "precision[at=c] - champion.precision[at=c] > -0.1 @ 95%",
    "roc_auc[at=d] - champion.roc_auc[at=d] > -0.05 @ 95%",
)


def main() -> None:
    question = _question(1_000_000)
    _parsing()
    _against_a_bootstrap(question)
    _against_scikit_learn(question)
    _whole_judgement(_question(100_000))


def _parsing() -> None:
    taken = _seconds(lambda: [grammar.parse(f"accuracy - champion.accuracy > -0.0{n} @ 95%") for n in range(1, 13)])
    print(f"parse 12 gates, the parser built first: {taken[0]:.3f} s, again: {taken[1] * 1000:.1f} ms")


def _against_a_bootstrap(question: Question) -> None:
    """Wanted: accuracy and F1 under 0.3 s, and a hundred times faster than 10,000 resamples of the rows."""
    truth, (ours, theirs) = question.holdout.truth, _both(question)
    right = (ours.labels == truth).astype(np.int8) - (theirs.labels == truth)
    cells = (4 * truth + 2 * ours.labels + theirs.labels).astype(np.int8)
    for metric, resampled in (("accuracy", lambda at: right[at].mean()), ("f1", lambda at: _f1(cells[at]))):
        judged = _judged((f"{metric} - champion.{metric} > -0.005 @ 95%",), question)
        bootstrap = _bootstrap(resampled, len(truth))
        print(f"paired {metric}, {len(truth):,} rows: {judged:.3f} s (wanted: under 0.3 s)")
        told = f"a row bootstrap of {RESAMPLES:,} (from {_MEASURED})"
        print(f"  {told}: {bootstrap:.1f} s, {bootstrap / judged:,.0f} x (wanted: over 100 x)")


def _against_scikit_learn(question: Question) -> None:
    """Wanted: within three times of two values without any interval."""
    truth, both = question.holdout.truth, _both(question)
    judged = _judged(("roc_auc - champion.roc_auc > -0.01 @ 95%",), question)
    peer = min(_seconds(lambda: [roc_auc_score(truth, answers.scores) for answers in both], 3))
    print(f"paired ROC AUC with its interval, {len(truth):,} rows: {judged:.3f} s")
    print(f"  two sklearn.roc_auc_score, no interval: {peer:.3f} s, {judged / peer:.2f} times that (wanted: under 3)")


def _whole_judgement(question: Question) -> None:
    """Wanted: twelve gates with slices on 100,000 rows under a second."""
    judged = _judged(TWELVE, question)
    peer = min(_seconds(lambda: [roc_auc_score(question.holdout.truth, one.scores) for one in _both(question)], 3))
    print(f"{len(TWELVE)} gates with slices, {question.holdout.rows:,} rows: {judged:.3f} s (wanted: under 1 s)")
    print(f"  {judged / peer:.1f} times two sklearn.roc_auc_score on the same rows")


def _question(rows: int) -> Question:
    generator = np.random.default_rng(7)
    truth = (generator.random(rows) < 0.3).astype(np.int32)
    shared = truth * 1.2 + generator.normal(size=rows)

    def model(noise: float) -> Predictions:
        scores = (1 / (1 + np.exp(-shared - noise * generator.normal(size=rows)))).astype(np.float32)
        return Predictions(digest="", labels=(scores > 0.6).astype(np.int32), scores=scores)

    ids = np.arange(rows, dtype=np.uint64)
    places = Factor(codes=(np.arange(rows) % 10).astype(np.int32), values=tuple("abcdefghij"))
    return Question(
        holdout=Holdout(
            task=Task.BINARY, digest="", ids=ids, truth=truth, classes=("no", "yes"), slices={"at": places}
        ),
        predictions=model(0.1),
        champion=Champion(name="v1", decision="", commit="", predictions=model(0.1)),
    )


def _both(question: Question) -> tuple[Predictions, Predictions]:
    if question.champion is None or question.champion.predictions is None:
        raise SystemExit("this benchmark compares two models")
    return question.predictions, question.champion.predictions


def _judged(texts: Sequence[str], question: Question) -> float:
    gates = [grammar.parse(text) for text in texts]

    def afresh() -> None:
        dirichlet._draws.cache_clear()  # noqa: SLF001 - a bound that is known already would cost nothing
        judge(gates, question)

    return min(_seconds(afresh, 3))


def _f1(cells: np.ndarray) -> float:
    """Candidate minus champion; cells: 4 * truth + 2 * candidate + champion."""
    return float(dirichlet.difference("f1", np.bincount(cells, minlength=8).astype(float)))


def _bootstrap(value: Callable[[np.ndarray], float], rows: int) -> float:
    generator = np.random.default_rng(0)

    def resample() -> None:
        for _ in range(_MEASURED):
            value(generator.integers(0, rows, rows))

    return _seconds(resample, 1)[0] * RESAMPLES / _MEASURED


def _seconds(work: Callable[[], object], times: int = 2) -> list[float]:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return taken
