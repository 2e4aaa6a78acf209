"""Many looks at one holdout under a guarantee: what somebody is told at a desk, and the models made of it.

Levels, counts and answers are those the steps compute from settings and earlier looks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from bench.verdicts.worlds import Drawn, Generator, Rows, World, asked, guesses
from mlops_ci.config.judging import Guarantee
from mlops_ci.gates import verdict_only
from mlops_ci.gates.gate import Gate
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.question import Question
from mlops_ci.ledger import looks
from mlops_ci.records.decisions import Look
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.steps import promise
from mlops_ci.steps.gate_part import Apart, judge_apart
from mlops_ci.steps.looks import Exposure, Touched

GATE = parse("accuracy > 0.5 @ 95%")
SHOWN = parse("accuracy > 0.4")
"""Beside the claim: its verdict tells the value on the rows whose numbers are shown."""


def looked_at(question: Question, earlier: Sequence[int], promised: Guarantee, gate: Gate = GATE) -> Question:
    """With what a guarantee leaves of the rows. earlier: how many of the rows, from the first, each look was at."""
    ids = question.holdout.ids
    seen = looks.per_row(ids, [(ids[:rows], 1) for rows in earlier])
    before = Exposure(looks=seen, seen=len(earlier), anywhere=0, promised=None)
    _, wear = promise.keep(promised, (gate,), question, before)
    return replace(question, wear=wear)


class Desk:
    """One holdout in two parts and what was told of them: all that somebody who reads every report can know."""

    def __init__(
        self, truth: np.ndarray, gate_rows: np.ndarray, promised: Guarantee, gates: tuple[Gate, ...] = (GATE, SHOWN)
    ) -> None:
        self.truth, self.gate_rows, self.promised, self.gates = truth, gate_rows, promised, gates
        self.before: list[Apart] = []

    def settle(self, labels: np.ndarray, rows: int | None = None) -> Question:
        """One look, at the first `rows` rows: what is asked, on the rows of the gate part it is asked on."""
        whole = asked(self.truth[:rows], labels)
        part = self.gate_rows[:rows]
        question = replace(whole.cut(~part), gate_part=whole.cut(part))
        look = Look(holdout="", predictions=str(len(self.before)), shown="")
        told = judge_apart([self.gates], question, self.promised, look=look, seen=self._seen(whole.holdout.ids[part]))
        self.before.append(told)
        chosen = part & np.isin(whole.holdout.ids, told.ids)
        return replace(question, gate_part=replace(whole.cut(chosen), wear=told.wear))

    def ask(self, labels: np.ndarray, rows: int | None = None) -> tuple[Verdict, ...]:
        """The verdicts that are told of a look, one a gate."""
        question = self.settle(labels, rows)
        return verdict_only.verdicts(self.gates, question, passed=self.before[-1].look.passed is True)

    def _seen(self, ids: np.ndarray) -> Exposure:
        here = [(np.isin(ids, one.ids), one.look) for one in self.before]
        touched = tuple(Touched(rows=rows, keys=frozenset({looks.key(one)}), numbers_shown=False) for rows, one in here)
        seen = sum((rows.astype(np.int64) for rows, _ in here), np.zeros(len(ids), dtype=np.int64))
        return Exposure(looks=seen, seen=len(here), anywhere=0, promised=None, touched=touched)


# --- attacks: worlds whose last model is the one that is judged


def vote(rows: int, candidates: int, promised: Guarantee | None, *, weighted: bool) -> World:
    """The vote of guessing models by somebody who read their accuracies on all rows."""

    def draw(generator: Generator) -> Drawn:
        right = guesses(generator, candidates, rows)
        question = asked(np.zeros(rows), ballot(right, right.mean(axis=1), weighted=weighted))
        if promised is not None:
            question = looked_at(question, [rows] * candidates, promised)
        return Rows(question)

    return draw


def vote_of_shown(rows: int, candidates: int, promised: Guarantee, *, weighted: bool) -> World:
    """The same where half of the rows tell one answer: accuracies can be read of the other half."""

    def draw(generator: Generator) -> Drawn:
        desk, right = _desk(generator, rows, promised), guesses(generator, candidates, rows)
        told = [desk.ask(model < 0.0)[1].observed or 0.0 for model in right]
        return Rows(desk.settle(ballot(right, np.array(told) - 0.5, weighted=weighted)))

    return draw


def vote_of_answers(rows: int, candidates: int, promised: Guarantee, gate: Gate) -> World:
    """The vote of guessing models by the answers alone: one that failed is counted against."""

    def draw(generator: Generator) -> Drawn:
        right = guesses(generator, candidates, rows)
        desk = Desk(np.zeros(rows), np.arange(rows) >= rows // 10, promised, (gate,))
        told = [-1.0 if desk.ask(model < 0.0)[0].verdict is Status.FAILED else 1.0 for model in right]
        return Rows(desk.settle(ballot(right, np.array(told), weighted=True)))

    return draw


def series(rows: int, candidates: int, promised: Guarantee) -> tuple[World, ...]:
    """Guessing models, one after the other, on a holdout to which a row is added before each."""
    return tuple(_grown(rows, number, promised) for number in range(candidates))


def _grown(rows: int, number: int, promised: Guarantee) -> World:
    def draw(generator: Generator) -> Drawn:
        right = generator.random(rows + number) < 0.5
        question = asked(np.zeros(rows + number), ~right)
        return Rows(looked_at(question, [rows + earlier for earlier in range(number)], promised))

    return draw


def last_of_series(rows: int, candidates: int, promised: Guarantee) -> World:
    """The same under one answer a look: whoever passes first is the last, as somebody would stop there."""

    def draw(generator: Generator) -> Drawn:
        desk = _desk(generator, rows + candidates, promised)
        for number in range(candidates):
            found = desk.settle(generator.random(rows + number) < 0.5, rows + number)
            if desk.before[-1].look.passed is True:
                break
        return Rows(found)

    return draw


def first_answer(rows: int, share: float, promised: Guarantee) -> World:
    """One look at a model that is right on a share of the rows."""

    def draw(generator: Generator) -> Drawn:
        return Rows(_desk(generator, rows, promised).settle(generator.random(rows) >= share))

    return draw


def ballot(right: np.ndarray, told: np.ndarray, *, weighted: bool) -> np.ndarray:
    """The wrong answers of the vote, shape (rows,). right: ±1, shape (models, rows); told: of each, above 0 is good."""
    weights = told if weighted else np.where(told >= 0.0, 1.0, -1.0)
    return np.asarray(weights @ right < 0.0)


def _desk(generator: Generator, rows: int, promised: Guarantee) -> Desk:
    return Desk(np.zeros(rows), generator.random(rows) < 0.5, promised)
