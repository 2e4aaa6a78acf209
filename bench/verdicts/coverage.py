"""How often the truth lies beyond a bound, below and above apart: the grid of every method.

`limit` says how often it may at a level, where the research states more than the level itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from zlib import crc32

import numpy as np

from bench.verdicts import worlds
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates import estimates
from mlops_ci.gates.bounds import dirichlet
from mlops_ci.gates.bounds.clopper_pearson import F1, Proportion
from mlops_ci.gates.bounds.delong import Auc, placements
from mlops_ci.gates.bounds.delong_paired import PairedAuc
from mlops_ci.gates.bounds.dirichlet import PairedTable
from mlops_ci.gates.bounds.estimate import Estimate
from mlops_ci.gates.bounds.tango import PairedProportion
from mlops_ci.gates.bounds.unpaired import PartlyPaired
from mlops_ci.gates.sample import whole

Generator = np.random.Generator
LEVELS = (0.10, 0.05, 0.01)
_SURE = 3.3


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A made truth, how it is estimated, and how many times its level a bound may miss it (by side)."""

    name: str
    value: float
    draw: Callable[[Generator], Estimate]
    runs: int = 2_000
    times: tuple[float, float] = (1.0, 1.0)

    def limit(self, side: int, alpha: float, runs: int) -> float:
        stated = self.times[side] * alpha
        return stated + _SURE * sqrt(stated * (1.0 - stated) / runs)


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Shares of samples whose low (0) or high (1) bound lay beyond the truth."""

    truth: Truth
    runs: int
    shares: dict[tuple[int, float], float]

    def too_often(self) -> list[str]:
        return [
            f"{('low', 'high')[side]} @ {1 - alpha:.0%}: {share:.4f} > {self.truth.limit(side, alpha, self.runs):.4f}"
            for (side, alpha), share in self.shares.items()
            if share > self.truth.limit(side, alpha, self.runs)
        ]


def missed(truth: Truth, *, runs: int | None = None, levels: tuple[float, ...] = LEVELS) -> Missed:
    """Equal samples are bounded once. A bound that is not there misses nothing."""
    number = runs or truth.runs
    generator = np.random.default_rng(crc32(truth.name.encode()))
    known: dict[Estimate, list[tuple[bool, bool]]] = {}
    counts = np.zeros((len(levels), 2))
    for _ in range(number):
        estimate = truth.draw(generator)
        if estimate not in known:
            known[estimate] = [_beyond(estimate, truth.value, alpha) for alpha in levels]
        counts += np.array(known[estimate])
    shares = {(side, alpha): float(counts[at, side] / number) for at, alpha in enumerate(levels) for side in (0, 1)}
    return Missed(truth=truth, runs=number, shares=shares)


def _beyond(estimate: Estimate, value: float, alpha: float) -> tuple[bool, bool]:
    """Where what passes has a bound of its own, it is the farther one: asked is the nearer."""
    low, high = estimate.low(alpha, passing=False), estimate.high(alpha, passing=False)
    return low is not None and low > value, high is not None and high < value


# --- counts


def proportion(rows: int, share: float) -> Truth:
    return Truth(
        name=f"clopper-pearson, {rows:,} rows, share {share:g}",
        value=share,
        draw=lambda generator: Proportion(count=int(generator.binomial(rows, share)), of=rows),
    )


def f1(rows: int, share: float) -> Truth:
    return Truth(
        name=f"clopper-pearson of F1, {rows:,} rows that count, share {share:g}",
        value=2.0 * share / (1.0 + share),
        draw=lambda generator: F1(true_positives=int(generator.binomial(rows, share)), of=rows),
    )


def paired(method: type, rows: int, difference: float, discordant: float, times: float = 1.0) -> Truth:
    """Losses and wins from their trinomial. method: PairedProportion or BetOnProportion."""
    shares = [(discordant - difference) / 2.0, (discordant + difference) / 2.0, 1.0 - discordant]

    def draw(generator: Generator) -> Estimate:
        losses, wins, _ = generator.multinomial(rows, shares)
        found: Estimate = method(losses=int(losses), wins=int(wins), of=rows)
        return found

    name = f"{method.__name__}, {rows:,} rows, {discordant:g} discordant, difference {difference:+g}"
    return Truth(name=name, value=difference, draw=draw, times=(times, times))


def partly_paired(rows: int, unpaired: float, difference: float, in_the_rest: float) -> Truth:
    """A share of rows without the champion's answer, where the difference is another one."""
    shares = [(0.1 - difference) / 2.0, (0.1 + difference) / 2.0, 0.9]

    def draw(generator: Generator) -> Estimate:
        losses, wins, _ = generator.multinomial(rows, shares)
        return PartlyPaired(inner=PairedProportion(losses=int(losses), wins=int(wins), of=rows), share=unpaired)

    value = (1.0 - unpaired) * difference + unpaired * in_the_rest
    return Truth(
        name=f"partly paired, {rows:,} rows, {unpaired:g} unpaired at {in_the_rest:+g}", value=value, draw=draw
    )


def table(kind: dirichlet.Kind, rows: int, prevalence: float, case: str, shares: tuple[float, ...]) -> Truth:
    """shares: of positives both find, only the champion, only the candidate; of negatives both flag, the same."""
    both, lost, won, alarms, spared, raised = shares
    negatives = [1.0 - alarms - spared - raised, spared, raised, alarms]
    positives = [1.0 - both - lost - won, lost, won, both]
    cells = np.array([*np.multiply(1.0 - prevalence, negatives), *np.multiply(prevalence, positives)])

    def draw(generator: Generator) -> Estimate:
        drawn = generator.multinomial(rows, cells)
        while not drawn[[2, 3, 6, 7]].any() or not drawn[[1, 3, 5, 7]].any():  # not defined, so not judged
            drawn = generator.multinomial(rows, cells)
        return PairedTable(kind=kind, table=tuple(int(count) for count in drawn))  # type: ignore[arg-type]

    name = f"dirichlet of {kind}, {rows:,} rows, prevalence {prevalence:g}, {case}"
    value = float(dirichlet.difference(kind, cells))
    return Truth(name=name, value=value, draw=draw, runs=300, times=(1.25, 1.25))


# --- ROC AUC


def auc(value: float, positives: int, negatives: int) -> Truth:
    world = worlds.separated(value, positives, negatives)

    def draw(generator: Generator) -> Estimate:
        question = world(generator).question()
        return Auc.of(question.holdout.truth == 1, question.predictions.scores)

    name = f"ROC AUC {value:g} of normal scores, {positives:,} positives, {negatives:,} negatives"
    return Truth(name=name, value=value, draw=draw, runs=1_000, times=(1.25, 1.25))


def misplaced(share: float, positives: int, negatives: int) -> Truth:
    """All rows are ordered rightly but a share of the positives, which lie below every negative."""
    actual = np.arange(positives + negatives) < positives

    def draw(generator: Generator) -> Estimate:
        below = actual & (generator.random(len(actual)) < share)
        return Auc.of(actual, actual - 2.0 * below + generator.normal(0.0, 0.01, len(actual)))

    name = f"ROC AUC, {share:g} of {positives:,} positives misplaced, {negatives:,} negatives"
    return Truth(name=name, value=1.0 - share, draw=draw, runs=1_000, times=(1.25, 1.25))


def two_aucs(positives: int, negatives: int, noise: float = 0.4) -> Truth:
    """Two equally good models with scores of their own."""
    actual = np.arange(positives + negatives) < positives

    def draw(generator: Generator) -> Estimate:
        shared = generator.normal(actual * 1.2)
        ours, theirs = (shared + generator.normal(0.0, noise, len(actual)) for _ in range(2))
        return _moved(actual, ours, theirs)

    name = f"two ROC AUCs, equal, {positives:,} positives, {negatives:,} negatives"
    return Truth(name=name, value=0.0, draw=draw, runs=1_000, times=(1.25, 1.25))


def harmed(share: float, positives: int, negatives: int, *, positive: bool = True, gain: bool = False) -> Truth:
    """One model misplaces a share of one class and is else a little noisier; gain: it is the champion."""
    actual = np.arange(positives + negatives) < positives
    apart, spread, noise = 0.2, 0.05, 0.01

    def draw(generator: Generator) -> Estimate:
        good = apart * actual + generator.normal(0.0, spread, len(actual))
        hit = (actual == positive) & (generator.random(len(actual)) < share)
        bad = np.where(hit, np.where(actual, -9.0, 9.0), good + generator.normal(0.0, noise, len(actual)))
        return _moved(actual, good, bad) if gain else _moved(actual, bad, good)

    normal = NormalDist()
    better, worse = (normal.cdf(apart / sqrt(2.0 * wide)) for wide in (spread**2, spread**2 + noise**2))
    value = (1.0 - share) * worse - better
    what = f"{share:g} of the {'positives' if positive else 'negatives'} {'mended' if gain else 'harmed'}"
    name = f"two ROC AUCs, {what}, {positives:,} positives, {negatives:,} negatives"
    return Truth(name=name, value=-value if gain else value, draw=draw, runs=1_000, times=(1.25, 1.25))


def _moved(actual: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    moved = placements(actual, ours) - placements(actual, theirs)
    return PairedAuc(of_positives=moved[actual], of_negatives=moved[~actual])


# --- groups


def by_days(number: int, share: float, correlation: float, times: tuple[float, float]) -> Truth:
    world = worlds.days(number, 60, share, correlation)

    def draw(generator: Generator) -> Estimate:
        sample = whole(world(generator).question())
        return estimates.single(METRICS["accuracy"], sample, sample.candidate, alpha=0.05)

    name = f"{number} days of 60 rows, share {share:g}, correlation {correlation:g}"
    return Truth(name=name, value=share, draw=draw, runs=1_000, times=times)


def difference_by_days(number: int, lean: float, times: float) -> Truth:
    world = worlds.leaning_days(number, 50, 0.12, lean)

    def draw(generator: Generator) -> Estimate:
        sample = whole(world(generator).question())
        if sample.rival is None:
            raise ValueError("a world without a champion")
        return estimates.paired(METRICS["accuracy"], sample, sample.candidate, sample.rival, alpha=0.05)

    name = f"difference by {number} days of 50 rows that lean by {lean:g}"
    return Truth(name=name, value=0.0, draw=draw, runs=1_000, times=(times, times))
