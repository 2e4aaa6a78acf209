"""Truths of means of losses: one model's and the difference of two, by row and by day."""

from __future__ import annotations

from math import exp, log
from statistics import NormalDist

import numpy as np

from bench.verdicts.coverage import Generator, Truth
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates import means
from mlops_ci.gates.bounds.estimate import Estimate
from mlops_ci.gates.sample import Sample
from mlops_ci.records.evaluation import Holdout, Predictions, Task

_NODES = np.linspace(-9.0, 9.0, 20_001)


def probabilities(name: str, rows: int, prevalence: float, clip: float | None = None) -> Truth:
    """`brier` or `log_loss` of a calibrated model whose log odds are normal around those of the prevalence."""
    metric, middle = METRICS[name].clipped(clip), log(prevalence / (1.0 - prevalence))
    said = _sigmoid(middle + 1.5 * _NODES)
    weight = np.exp(-(_NODES**2) / 2.0)
    answers = Predictions(digest="", labels=_NODES > 0.0, scores=said)
    losses = [metric.by_row(np.full(len(said), truth), answers) for truth in (0, 1)]
    value = float(np.average((1.0 - said) * losses[0] + said * losses[1], weights=weight))

    def draw(generator: Generator) -> Estimate:
        scores = _sigmoid(generator.normal(middle, 1.5, rows))
        truth = (generator.random(rows) < scores).astype(np.int32)
        holdout = Holdout(task=Task.BINARY, digest="", ids=_ids(rows), truth=truth, classes=("no", "yes"))
        answers = Predictions(digest="", labels=(scores > 0.5).astype(np.int32), scores=scores)
        return means.single(metric, Sample(holdout=holdout, candidate=answers), answers, alpha=0.05)

    told = f"{name}(clip={clip:g})" if clip else name
    return Truth(name=f"{told}, {rows:,} rows, prevalence {prevalence:g}", value=value, draw=draw, runs=1_000)


def errors(name: str, rows: int, clip: float) -> Truth:
    """`mae` or `rmse` of log-normal errors with a limit."""
    middle, normal = -1.0, NormalDist()
    power = 2.0 if name == "rmse" else 1.0
    # E min(X, c)^k of a log-normal X (deviation 1): exp(km + k²/2) Φ(log c - m - k) + c^k (1 - Φ(log c - m)).
    inside = exp(power * middle + power**2 / 2.0) * normal.cdf(log(clip) - middle - power)
    value = inside + clip**power * (1.0 - normal.cdf(log(clip) - middle))

    def draw(generator: Generator) -> Estimate:
        return _mean(name, clip, generator.lognormal(middle, 1.0, rows))

    return Truth(name=f"{name}(clip={clip:g}), {rows:,} rows", value=value ** (1.0 / power), draw=draw, runs=1_000)


def two_errors(rows: int) -> Truth:
    """Two equally good models whose errors go together."""

    def draw(generator: Generator) -> Estimate:
        common = generator.gamma(1.0, 1.0, rows)
        return _difference(5.0, *(common + generator.gamma(0.5, 0.3, rows) for _ in range(2)))

    return Truth(name=f"difference of mae(clip=5), {rows:,} rows, equal", value=0.0, draw=draw, runs=1_000)


def few_errors(rows: int, share: float, clip: float, *, gain: bool = False, passing: bool = False) -> Truth:
    """Two models with the same errors but for a share of rows where one is off by the clip; gain: the champion."""

    def draw(generator: Generator) -> Estimate:
        good = generator.uniform(0.0, 1.0, rows)
        bad = np.where(generator.random(rows) < share, clip, good + generator.normal(0.0, 0.01, rows))
        return _difference(clip, *((good, bad) if gain else (bad, good)))

    value = share * (clip - 0.5) * (-1.0 if gain else 1.0)
    what = f"{share:g} {'mended' if gain else 'harmed'}, {'passing' if passing else 'failing'} bounds"
    name = f"difference of mae(clip={clip:g}), {rows:,} rows, {what}"
    return Truth(name=name, value=value, draw=draw, runs=1_000, passing=passing)


def errors_by_days(number: int, size: int, bad: float) -> Truth:
    """`mae(clip=5)`: on a share of days all errors are ten times as large; a sample may hold no such day."""
    group = np.repeat(np.arange(number), size)

    def draw(generator: Generator) -> Estimate:
        of_day = np.where(generator.random(number) < bad, 2.0, 0.2) * generator.uniform(0.5, 1.5, number)
        return _mean("mae", 5.0, np.repeat(of_day, size) * generator.uniform(0.5, 1.5, number * size), group)

    value = bad * 2.0 + (1.0 - bad) * 0.2
    name = f"mae(clip=5) by {number} days of {size} rows, {bad:g} of the days bad"
    return Truth(name=name, value=value, draw=draw, runs=1_000, blind=(0.0, (1.0 - bad) ** number))


def errors_by_unlike_days(number: int, size: int, spread: float) -> Truth:
    """`mae(clip=20)`: how far off a day is on average is log-normal with that deviation."""
    clip, group = 20.0, np.repeat(np.arange(number), size)
    levels = np.exp(spread * _NODES)
    # E min(X, c) of an exponential X of mean m: m (1 - exp(-c / m)).
    value = float(np.average(levels * (1.0 - np.exp(-clip / levels)), weights=np.exp(-(_NODES**2) / 2.0)))

    def draw(generator: Generator) -> Estimate:
        of_day = np.exp(generator.normal(0.0, spread, number))
        return _mean("mae", clip, np.repeat(of_day, size) * generator.exponential(1.0, number * size), group)

    name = f"mae(clip={clip:g}) by {number} days of {size} rows, levels of days spread by {spread:g}"
    return Truth(name=name, value=value, draw=draw, runs=1_000)


def _mean(name: str, clip: float, far: np.ndarray, group: np.ndarray | None = None) -> Estimate:
    answers = Predictions(digest="", labels=far)
    return means.single(
        METRICS[name].clipped(clip), Sample(holdout=_numbers(len(far), group), candidate=answers), answers, alpha=0.05
    )


def _difference(clip: float, ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    one, other = (Predictions(digest="", labels=far) for far in (ours, theirs))
    sample = Sample(holdout=_numbers(len(ours), None), candidate=one, rival=other)
    return means.paired(METRICS["mae"].clipped(clip), sample, one, other, alpha=0.05)


def _numbers(rows: int, group: np.ndarray | None) -> Holdout:
    return Holdout(task=Task.REGRESSION, digest="", ids=_ids(rows), truth=np.zeros(rows), group=group)


def _ids(rows: int) -> np.ndarray:
    return np.arange(rows, dtype=np.uint64)


def _sigmoid(odds: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))
