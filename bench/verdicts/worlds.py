"""Truths that are made, and what a judge is asked about rows drawn from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Protocol

import numpy as np

from mlops_ci.gates.question import Question
from mlops_ci.records.evaluation import Champion, Factor, Holdout, Predictions, Task

Generator = np.random.Generator
_BASE = 0.8
"""Share of rows the champion answers rightly."""


class Drawn(Protocol):
    """One sample of rows. Equal samples are judged once."""

    def question(self) -> Question: ...


World = Callable[[Generator], Drawn]


def asked(
    truth: np.ndarray,
    labels: np.ndarray,
    champion: np.ndarray | None = None,
    *,
    scores: np.ndarray | None = None,
    champion_scores: np.ndarray | None = None,
    group: np.ndarray | None = None,
    slices: dict[str, Factor] | None = None,
) -> Question:
    """A question of two classes. truth, labels, champion: shape (n,), 0 or 1."""
    holdout = Holdout(
        task=Task.BINARY,
        digest="",
        ids=np.arange(len(truth), dtype=np.uint64),
        truth=truth.astype(np.int32),
        classes=("no", "yes"),
        group=group,
        slices=slices or {},
    )
    rival = None
    if champion is not None:
        answers = Predictions(digest="", labels=champion.astype(np.int32), scores=champion_scores)
        rival = Champion(name="v1", decision="", commit="", predictions=answers)
    ours = Predictions(digest="", labels=labels.astype(np.int32), scores=scores)
    return Question(holdout=holdout, predictions=ours, champion=rival)


@dataclass(frozen=True)
class Pair:
    """Two models on the same rows: right only with the champion (losses), only with the candidate, with neither."""

    losses: int
    wins: int
    rows: int
    both_wrong: int = field(compare=False)
    """Of a paired difference no bound depends on it."""

    def question(self) -> Question:
        ours, theirs = np.zeros(self.rows, dtype=np.int32), np.zeros(self.rows, dtype=np.int32)
        ours[: self.losses] = 1
        theirs[self.losses : self.losses + self.wins] = 1
        wrong = slice(self.losses + self.wins, self.losses + self.wins + self.both_wrong)
        ours[wrong] = theirs[wrong] = 1
        return asked(np.zeros(self.rows), ours, theirs)


def pair(rows: int, difference: float, discordant: float = 0.1, base: float = _BASE) -> World:
    """A champion right on `base` of the rows; losses, wins and ties of the candidate from their trinomial."""
    lost, won = (discordant - difference) / 2.0, (discordant + difference) / 2.0
    wrong = 1.0 - base - won
    shares = [lost, won, wrong, 1.0 - lost - won - wrong]

    def draw(generator: Generator) -> Pair:
        losses, wins, both_wrong, _ = (int(count) for count in generator.multinomial(rows, shares))
        return Pair(losses, wins, rows, both_wrong)

    return draw


@dataclass(frozen=True, eq=False)
class Rows:
    """A sample that is its own question."""

    asked: Question

    def question(self) -> Question:
        return self.asked


def separated(auc: float, positives: int, negatives: int) -> World:
    """Normal scores of both classes, as far apart as the true `auc` says."""
    shift = np.sqrt(2.0) * NormalDist().inv_cdf(auc)
    actual = np.arange(positives + negatives) < positives

    def draw(generator: Generator) -> Rows:
        scores = generator.normal(actual * shift).astype(np.float32)
        return Rows(asked(actual, scores > shift / 2.0, scores=scores))

    return draw


def slices(shares: tuple[float, ...], size: int) -> World:
    """One model that is right on a known share of the `size` rows of each slice `at=a`, `at=b`, …"""
    names = tuple("abcdefghij"[: len(shares)])
    places = Factor(codes=np.repeat(np.arange(len(shares)), size).astype(np.int32), values=names)
    truth = np.zeros(size * len(shares))
    right = np.repeat(shares, size)

    def draw(generator: Generator) -> Rows:
        return Rows(asked(truth, generator.random(len(right)) >= right, slices={"at": places}))

    return draw


def days(number: int, size: int, share: float, correlation: float) -> World:
    """Days whose share of right answers differs (beta-binomial with that intraclass correlation)."""
    spread = 1.0 / correlation - 1.0
    group = np.repeat(np.arange(number), size)

    def draw(generator: Generator) -> Rows:
        right = np.repeat(generator.beta(share * spread, (1.0 - share) * spread, number), size)
        return Rows(asked(np.zeros(number * size), generator.random(number * size) >= right, group=group))

    return draw


def leaning_days(number: int, size: int, discordant: float, lean: float) -> World:
    """Two equally good models of which each day favours one: the difference of a day has that standard deviation."""
    group = np.repeat(np.arange(number), size)

    def draw(generator: Generator) -> Rows:
        of_day = np.clip(generator.normal(0.0, lean, number), -discordant, discordant)
        of_row = np.repeat(of_day, size)
        cell = generator.random(number * size)
        ours = cell < (discordant - of_row) / 2.0
        theirs = (cell >= 0.5) & (cell < 0.5 + (discordant + of_row) / 2.0)
        return Rows(asked(np.zeros(number * size), ours, theirs, group=group))

    return draw


def guesses(generator: Generator, models: int, rows: int) -> np.ndarray:
    """Where guessing models are right (1) and wrong (-1), shape (models, rows)."""
    return np.where(generator.random((models, rows)) < 0.5, 1.0, -1.0)
