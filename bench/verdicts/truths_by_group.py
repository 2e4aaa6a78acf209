"""Truths of rows that belong together: days that are better or worse than others, or lean to one of two models."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from math import sqrt
from statistics import NormalDist

import numpy as np
from msgspec.structs import replace

from bench.verdicts import worlds
from bench.verdicts.coverage import Generator, Truth
from bench.verdicts.truths import FailingApart, Quick
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates import estimates, gaps, sums
from mlops_ci.gates.bounds.clopper_pearson import Proportion
from mlops_ci.gates.bounds.estimate import Estimate
from mlops_ci.gates.bounds.groups import ByGroup
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.sample import Sample, rows_of, whole
from mlops_ci.gates.values import SliceSample, side
from mlops_ci.records.evaluation import Factor, Predictions


def by_days(number: int, share: float, correlation: float) -> Truth:
    world = worlds.days(number, 60, share, correlation)

    def draw(generator: Generator) -> Estimate:
        sample = whole(world(generator).question())
        return estimates.single(METRICS["accuracy"], sample, sample.candidate, alpha=0.05)

    name = f"{number} days of 60 rows, share {share:g}, correlation {correlation:g}"
    return Truth(name=name, value=share, draw=draw, runs=1_000)


def by_uneven_days(number: int, share: float, correlation: float, times: float = 1.0) -> Truth:
    """Days of log-normal size: of 20 three hold half of the rows."""
    spread = 1.0 / correlation - 1.0

    def draw(generator: Generator) -> Estimate:
        sizes = np.ceil(generator.lognormal(3.6, 1.0, number)).astype(int)
        right = np.repeat(generator.beta(share * spread, (1.0 - share) * spread, number), sizes)
        wrong, group = generator.random(len(right)) >= right, np.repeat(np.arange(number), sizes)
        sample = whole(worlds.asked(np.zeros(len(right)), wrong, group=group))
        return estimates.single(METRICS["accuracy"], sample, sample.candidate, alpha=0.05)

    name = f"{number} days of uneven size, share {share:g}, correlation {correlation:g}"
    return Truth(name=name, value=share, draw=draw, runs=1_000, times=(times, 1.0))


def difference_by_bad_days(number: int, bad: float) -> Truth:
    """On a share of the days the candidate loses three rows in ten; a sample may hold no such day."""
    rows, group = number * 50, np.repeat(np.arange(number), 50)

    def draw(generator: Generator) -> Estimate:
        lost = np.repeat(np.where(generator.random(number) < bad, 0.3, 0.05), 50)
        cell = generator.random(rows)
        sample = whole(worlds.asked(np.zeros(rows), cell < lost, cell > 0.95, group=group))
        return estimates.paired(METRICS["accuracy"], sample, sample.candidate, _rival(sample), alpha=0.05)

    name = f"difference by {number} days of 50 rows, {bad:g} of the days bad"
    value = -0.25 * bad
    return Truth(name=name, value=value, draw=draw, runs=1_000, blind=((1.0 - bad) ** number, 0.0))


def sum_by_days(number: int, lean: float) -> Truth:
    """Two equally good models of which each day favours one, and n - 1.1 * o of them."""
    world, gate = worlds.leaning_days(number, 50, 0.12, lean), parse("n - 1.1 * o >= 0 @ 95%")

    def draw(generator: Generator) -> Estimate:
        return sums.sum_of(gate, whole(world(generator).question()), alpha=0.05)

    name = f"n - 1.1 o by {number} days of 50 rows that lean by {lean:g}"
    return Truth(name=name, value=-0.1 * 0.94, draw=draw, runs=200)


def difference_by_days(number: int, lean: float) -> Truth:
    world = worlds.leaning_days(number, 50, 0.12, lean)

    def draw(generator: Generator) -> Estimate:
        sample = whole(world(generator).question())
        return estimates.paired(METRICS["accuracy"], sample, sample.candidate, _rival(sample), alpha=0.05)

    name = f"difference by {number} days of 50 rows that lean by {lean:g}"
    return Truth(name=name, value=0.0, draw=draw, runs=1_000)


def changed_by_days(number: int, size: int, share: float, correlation: float) -> Truth:
    """d: the share of changed answers differs by day (beta-binomial)."""
    spread, rows = 1.0 / correlation - 1.0, number * size
    group = np.repeat(np.arange(number), size)

    def draw(generator: Generator) -> Estimate:
        of_row = np.repeat(generator.beta(share * spread, (1.0 - share) * spread, number), size)
        moved = generator.random(rows) < of_row
        sample = whole(worlds.asked(np.zeros(rows), moved, np.zeros(rows), group=group))
        return estimates.changed(sample, alpha=0.05)

    name = f"d by {number} days of {size} rows, {share:g} changed, correlation {correlation:g}"
    return Truth(name=name, value=share, draw=draw, runs=1_000)


def f1_by_days(number: int, size: int, prevalence: float, *, recall: float = 0.7, correlation: float = 0.05) -> Truth:
    """Days differ in how many positives are found; as many false alarms as there are misses."""
    alarm = prevalence * (1.0 - recall) / (1.0 - prevalence)
    world = _found_by_days(number, size, prevalence, recall, correlation, alarm)
    share = recall / (1.0 + (1.0 - recall))

    def draw(generator: Generator) -> Estimate:
        sample = world(generator)
        return estimates.single(METRICS["f1"], sample, sample.candidate, alpha=0.05)

    name = f"F1 by {number} days of {size} rows, prevalence {prevalence:g}, recall {recall:g}"
    value = 2.0 * share / (1.0 + share)
    return Truth(name=name, value=value, draw=draw, runs=1_000)


def two_f1s_by_days(number: int, size: int, prevalence: float) -> Truth:
    """Two equally good models; each finds more on days of its own, and most answers are the same."""
    world = _found_by_days(number, size, prevalence, 0.7, 0.05, 0.3 * prevalence / (1.0 - prevalence), rival=True)

    def draw(generator: Generator) -> Estimate:
        sample = world(generator)
        return estimates.paired(METRICS["f1"], sample, sample.candidate, _rival(sample), alpha=0.05)

    name = f"difference of F1 by {number} days of {size} rows, prevalence {prevalence:g}"
    return Truth(name=name, value=0.0, draw=draw, runs=200)


def _found_by_days(
    number: int, size: int, prevalence: float, recall: float, correlation: float, alarm: float, *, rival: bool = False
) -> Callable[[Generator], Sample]:
    spread, rows = 1.0 / correlation - 1.0, number * size
    group = np.repeat(np.arange(number), size)

    def draw(generator: Generator) -> Sample:
        actual = generator.random(rows) < prevalence
        while actual.sum() < 2:
            actual = generator.random(rows) < prevalence
        luck = generator.random(rows)  # of the row, with both models
        answers = []
        for _ in range(1 + rival):
            of_day = np.repeat(generator.beta(recall * spread, (1.0 - recall) * spread, number), size)
            answers.append(luck < np.where(actual, of_day, alarm))
        return whole(worlds.asked(actual, *answers, group=group))

    return draw


def auc_by_days(number: int, size: int, prevalence: float, value: float) -> Truth:
    """On some days the positives stand out more than on others."""
    lean, rows = 0.5, number * size
    shift = NormalDist().inv_cdf(value) * sqrt(2.0 + lean**2)
    group = np.repeat(np.arange(number), size)

    def draw(generator: Generator) -> Estimate:
        actual = _both_classes(generator, rows, prevalence)
        apart = shift + np.repeat(generator.normal(0.0, lean, number), size)
        scores = generator.normal(actual * apart).astype(np.float32)
        sample = whole(worlds.asked(actual, actual, scores=scores, group=group))
        return estimates.single(METRICS["roc_auc"], sample, sample.candidate, alpha=0.05)

    name = f"ROC AUC {value:g} by {number} days of {size} rows, prevalence {prevalence:g}"
    return Truth(name=name, value=value, draw=draw, runs=500)


def two_aucs_by_days(number: int, size: int, prevalence: float) -> Truth:
    """Two equally good models whose positives stand out on days of their own."""
    rows, group = number * size, np.repeat(np.arange(number), size)

    def draw(generator: Generator) -> Estimate:
        actual = _both_classes(generator, rows, prevalence)
        shared = generator.normal(actual * 1.2)
        ours, theirs = (
            (shared + actual * np.repeat(generator.normal(0.0, 0.3, number), size)).astype(np.float32) for _ in range(2)
        )
        question = worlds.asked(actual, actual, actual, scores=ours, champion_scores=theirs, group=group)
        sample = whole(question)
        return estimates.paired(METRICS["roc_auc"], sample, sample.candidate, _rival(sample), alpha=0.05)

    name = f"difference of ROC AUC by {number} days of {size} rows, prevalence {prevalence:g}"
    return Truth(name=name, value=0.0, draw=draw, runs=500)


def gap_by_days(number: int, size: int, shares: tuple[float, ...], lean: float) -> Truth:
    """Slices that go through all days; each day has a good or bad effect on all of them, and one on each."""
    group = np.tile(np.repeat(np.arange(number), size), len(shares))
    codes = np.repeat(np.arange(len(shares)), number * size).astype(np.int32)
    at = Factor(codes=codes, values=tuple("abcdefghij"[: len(shares)]))

    def draw(generator: Generator) -> Estimate:
        of_day, of_each = generator.uniform(-lean, lean, number), generator.uniform(-lean, lean, (len(shares), number))
        right = np.repeat((np.array(shares)[:, None] + of_day / 2.0 + of_each / 2.0).ravel(), size)
        question = worlds.asked(np.zeros(len(right)), generator.random(len(right)) >= right, group=group)
        sample = whole(replace(question, holdout=replace(question.holdout, slices={"at": at})))
        judged = []
        for value in at.values:
            cut = sample.cut(rows_of("at", value, sample.holdout))
            judged.append(SliceSample(name=value, sample=cut, side=side(METRICS["accuracy"], cut, cut.candidate)))
        found = gaps.gap(METRICS["accuracy"], judged, alpha=0.05)
        parts = tuple(_quick(part) for part in found.parts)
        return FailingApart(parts=parts, errors=found.errors, counted=found.counted, groups=found.groups)

    told = " and ".join(f"{share:g}" for share in shares)
    name = f"gap between slices of {told} by {number} days of {size} rows that lean by {lean:g}"
    value = max(shares) - min(shares)
    return Truth(name=name, value=value, draw=draw, runs=200)


def _quick(part: Estimate) -> Estimate:
    if not isinstance(part, ByGroup) or not isinstance(part.by_row, Proportion):
        return part
    return dataclasses.replace(part, by_row=Quick(count=part.by_row.count, of=part.by_row.of))


def _both_classes(generator: Generator, rows: int, prevalence: float) -> np.ndarray:
    """At least ten of each: fewer allow no bound of a difference."""
    actual = generator.random(rows) < prevalence
    while min(actual.sum(), (~actual).sum()) < 10:
        actual = generator.random(rows) < prevalence
    return actual


def _rival(sample: Sample) -> Predictions:
    if sample.rival is None:
        raise ValueError("a world without a champion")
    return sample.rival
