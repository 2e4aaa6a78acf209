"""Truths of counts and of ROC AUC, where each row counts by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt
from statistics import NormalDist

import numpy as np
from scipy.special import betaincinv

from bench.verdicts import worlds
from bench.verdicts.coverage import Generator, Truth
from mlops_ci.gates.bounds import dirichlet
from mlops_ci.gates.bounds.clopper_pearson import F1, Proportion
from mlops_ci.gates.bounds.delong import Auc, placements
from mlops_ci.gates.bounds.delong_paired import PairedAuc
from mlops_ci.gates.bounds.dirichlet import PairedTable
from mlops_ci.gates.bounds.dirichlet_sum import WorthByCell
from mlops_ci.gates.bounds.estimate import Estimate
from mlops_ci.gates.bounds.gap import Gap
from mlops_ci.gates.bounds.tango import PairedProportion
from mlops_ci.gates.bounds.unpaired import PartlyPaired


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


def summed(rows: int, factor: float, shares: tuple[float, ...]) -> Truth:
    """A sum, n - factor * o. shares: rows right in both models, in the candidate, in the champion, in none."""
    worth = (1.0 - factor, 1.0, -factor, 0.0)

    def draw(generator: Generator) -> Estimate:
        return WorthByCell(table=tuple(generator.multinomial(rows, shares).tolist()), worth=worth)

    name = f"dirichlet-sum, n - {factor:g} o, {rows:,} rows, shares {', '.join(f'{share:g}' for share in shares)}"
    return Truth(name=name, value=float(np.dot(worth, shares)), draw=draw, runs=300)


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
    return Truth(name=name, value=value, draw=draw, runs=300)


def changed(rows: int, share: float, unanswered: float = 0.0, in_the_rest: float = 0.0) -> Truth:
    """The share of rows that two models answer differently; of some the champion could not be asked."""

    def draw(generator: Generator) -> Estimate:
        found = Proportion(count=int(generator.binomial(rows, share)), of=rows)
        return PartlyPaired(inner=found, share=unanswered) if unanswered else found

    rest = f", {unanswered:g} unanswered at {in_the_rest:g}" if unanswered else ""
    value = (1.0 - unanswered) * share + unanswered * in_the_rest
    return Truth(name=f"d, {rows:,} rows, {share:g} of them changed{rest}", value=value, draw=draw)


class Quick(Proportion):
    """The same bounds by another library's quantile (a melded bound asks for hundreds); tests hold the two equal."""

    def low(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002 - the same bound on both sides
        return float(betaincinv(self.count, self.of - self.count + 1, alpha)) if self.count else 0.0

    def high(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return float(betaincinv(self.count + 1, self.of - self.count, 1.0 - alpha)) if self.count < self.of else 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class FailingApart(Gap):
    """A gap whose low bound is asked as the judge asks it: the fail side shares its error over the pairs."""

    def low(self, alpha: float, *, passing: bool) -> float | None:
        return super().low(alpha / self.pairs, passing=passing)


def gap(rows: tuple[int, ...], shares: tuple[float, ...], prevalence: float = 1.0) -> Truth:
    """The gap of a share between slices. prevalence: of the rows that count, the positives of recall."""

    @cache
    def of(counts: tuple[tuple[int, int], ...]) -> FailingApart:
        return FailingApart(parts=tuple(Quick(count=count, of=total) for count, total in counts))

    def draw(generator: Generator) -> Estimate:
        totals = [max(int(generator.binomial(number, prevalence)), 1) for number in rows]
        return of(tuple((int(generator.binomial(n, share)), n) for n, share in zip(totals, shares, strict=True)))

    told = ", ".join(f"{number:,} of {share:g}" for number, share in zip(rows, shares, strict=True))
    counted = "" if prevalence == 1.0 else f", prevalence {prevalence:g}"
    name = f"gap between slices: {told}{counted}"
    return Truth(name=name, value=max(shares) - min(shares), draw=draw, runs=1_000)


# --- ROC AUC


def auc(value: float, positives: int, negatives: int) -> Truth:
    world = worlds.separated(value, positives, negatives)

    def draw(generator: Generator) -> Estimate:
        question = world(generator).question()
        return Auc.of(question.holdout.truth == 1, question.predictions.scores)

    name = f"ROC AUC {value:g} of normal scores, {positives:,} positives, {negatives:,} negatives"
    return Truth(name=name, value=value, draw=draw, runs=1_000)


def misplaced(share: float, positives: int, negatives: int) -> Truth:
    """All rows are ordered rightly but a share of the positives, which lie below every negative."""
    actual = np.arange(positives + negatives) < positives

    def draw(generator: Generator) -> Estimate:
        below = actual & (generator.random(len(actual)) < share)
        return Auc.of(actual, actual - 2.0 * below + generator.normal(0.0, 0.01, len(actual)))

    name = f"ROC AUC, {share:g} of {positives:,} positives misplaced, {negatives:,} negatives"
    return Truth(name=name, value=1.0 - share, draw=draw, runs=1_000)


def two_aucs(positives: int, negatives: int, noise: float = 0.4) -> Truth:
    """Two equally good models with scores of their own."""
    actual = np.arange(positives + negatives) < positives

    def draw(generator: Generator) -> Estimate:
        shared = generator.normal(actual * 1.2)
        ours, theirs = (shared + generator.normal(0.0, noise, len(actual)) for _ in range(2))
        return _moved(actual, ours, theirs)

    name = f"two ROC AUCs, equal, {positives:,} positives, {negatives:,} negatives"
    return Truth(name=name, value=0.0, draw=draw, runs=1_000)


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
    return Truth(name=name, value=-value if gain else value, draw=draw, runs=1_000)


def _moved(actual: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    moved = placements(actual, ours) - placements(actual, theirs)
    return PairedAuc(of_positives=moved[actual], of_negatives=moved[~actual])
