"""The cells of `holdout: {guarantee: ...}`: the attacks of statistics.md 2 and 3, and what is left to use."""

from __future__ import annotations

from math import sqrt

from bench.verdicts import desk, worlds
from bench.verdicts.cells import RIGHT, WRONG_PASS, Cell, Counted, at_most, near
from bench.verdicts.worlds import Rows, World
from mlops_ci.config.judging import Guarantee
from mlops_ci.gates.grammar import parse
from mlops_ci.records.outcomes import Status

SHOWN = Guarantee(adaptivity="none", decisions=32, disclose="full")
FEW = Guarantee(adaptivity="none", decisions=8, disclose="full")
ADAPTED = Guarantee(adaptivity="full", decisions=32, disclose="verdict")
UNTIL_ONE_PASSES = Guarantee(adaptivity="first_change", decisions=64, disclose="verdict")
_TEMPTING = f"accuracy > {0.5 + 1.645 * 0.5 / sqrt(1_000):.4f} @ 95%"
"""Of 1,000 rows a guessing model fails it one time in two: failed, told apart, would be the sign of its luck."""


def attack(name: str, made: tuple[World, ...], limits: tuple[float, float], *, runs: int = 500, gate: str = "") -> Cell:
    """Models that guess, and what somebody makes of them."""
    asked = gate or "accuracy > 0.5 @ 95%"
    return Cell(
        name=f"{asked}; {name}",
        worlds=made,
        gates=(asked,),
        counted=(Counted(answer=Status.PASSED, meaning=WRONG_PASS, limits=limits),),
        runs=runs,
    )


def cells() -> list[Cell]:
    """Each name begins with what is promised: decisions with full reports, or with one answer each."""
    return [*_reports(), *_answers(), *_better_models()]


def _reports() -> list[Cell]:
    limits = at_most(0.05, 200)
    return [
        attack(
            "32 decisions with reports; 32 guessing models, a row added for each",
            desk.series(1_000, 32, SHOWN),
            (0.01, limits[1]),
            runs=200,
        ),
        attack(
            "8 decisions with reports; 48 guessing models, a row added for each",
            desk.series(1_000, 48, FEW),
            (0.01, limits[1]),
            runs=200,
        ),
        *(
            attack(
                f"32 decisions with reports; the {how} vote of 31 that were read (it leaves them out)",
                (desk.vote(1_000, 31, SHOWN, weighted=how == "weighted"),),
                near(expected, 0.06),
            )
            for how, expected in (("majority", 0.80), ("weighted", 0.97))
        ),
    ]


def _answers() -> list[Cell]:
    limits = at_most(0.05, 60)
    return [
        attack(
            "32 answers; 32 guessing models, a row added for each",
            (desk.last_of_series(600, 32, ADAPTED),),
            limits,
            runs=60,
        ),
        *(
            attack(
                f"32 answers; the {how} vote of 31 by the numbers of other rows",
                (desk.vote_of_shown(2_000, 31, ADAPTED, weighted=how == "weighted"),),
                limits,
                runs=60,
            )
            for how in ("majority", "weighted")
        ),
        attack(
            "64 answers until one passes; the vote of 63 by their answers",
            (desk.vote_of_answers(1_111, 63, UNTIL_ONE_PASSES, parse(_TEMPTING)),),
            limits,
            runs=60,
            gate=_TEMPTING,
        ),
    ]


def _better_models() -> list[Cell]:
    """That nothing passes would be no guarantee: what models that are better need for it."""
    difference, share = "accuracy - champion.accuracy > 0 @ 95%", "accuracy > 0.5 @ 95%"
    return [
        Cell(
            name=f"{name}; {rows:,} rows",
            worlds=(world,),
            gates=(gate,),
            counted=(Counted(answer=Status.PASSED, meaning=RIGHT, limits=near(expected)),),
            runs=1_000,
        )
        for gate, name, rows, world, expected in (
            (
                difference,
                "difference > 0 @ 95%; 32 decisions with reports; true +1 point",
                10_000,
                _first_look(worlds.pair(10_000, 0.01), difference),
                0.58,
            ),
            (share, f"{share}; 32 answers; true 0.6", 3_000, desk.first_answer(3_000, 0.6, ADAPTED), 0.86),
        )
    ]


def _first_look(world: World, gate: str) -> World:
    asked = parse(gate)
    return lambda generator: Rows(desk.looked_at(world(generator).question(), [], SHOWN, asked))
