"""Every cell of the benchmark. Rates of right answers and limits at the threshold are those of the research."""

from __future__ import annotations

from math import sqrt

from bench.verdicts import desk, guarantees, worlds
from bench.verdicts.cells import RIGHT, WRONG_PASS, WRONG_REFUSAL, Cell, Counted, at_most, near
from mlops_ci.records.outcomes import Status

PASSED, FAILED = Status.PASSED, Status.FAILED
_FINE = 20_000
_BETTER = {500: 0.172, 2_000: 0.409, 10_000: 0.936, 50_000: 1.0}
_EQUAL_AT_99 = {500: 0.024, 2_000: 0.052, 10_000: 0.227, 50_000: 0.886}
_AT_THE_THRESHOLD = {95: (0.0453, 0.0549), 99: (0.0079, 0.0123)}


def sections() -> dict[str, list[Cell]]:
    """All cells, by heading."""
    return {
        "A real difference": differences(),
        "The truth is the threshold": at_the_threshold(),
        "Harm that is seldom seen": rare_harm(),
        "Several gates": together(),
        "Rows that are alike": days(),
        "Many looks at one holdout": attacks(),
        "Many looks under a guarantee": guarantees.cells(),
    }


def differences() -> list[Cell]:
    """Real differences of a champion right on 80 % of the rows; one prediction in ten differs."""
    found = []
    for claim, better, worse, rates in (("> 0 @ 95%", 1, -1, _BETTER), ("> -0.005 @ 99%", 0, -1, _EQUAL_AT_99)):
        level = 0.05 if "95" in claim else 0.01
        for points, answer, other, error in (
            (better, PASSED, FAILED, WRONG_REFUSAL),
            (worse, FAILED, PASSED, WRONG_PASS),
        ):
            found += [
                Cell(
                    name=f"difference {claim}; true {points:+d} points, {rows:,} rows",
                    worlds=(worlds.pair(rows, points / 100.0),),
                    gates=(f"accuracy - champion.accuracy {claim}",),
                    counted=(
                        Counted(answer=answer, meaning=RIGHT, limits=near(expected)),
                        Counted(answer=other, meaning=error, limits=(0.0, level)),
                    ),
                )
                for rows, expected in rates.items()
            ]
    return found


def at_the_threshold() -> list[Cell]:
    """Where an error is likeliest: `>` must not pass, `>=` must not fail."""
    return [
        Cell(
            name=f"difference {sign} -0.01 @ {confidence}%; true -1 point, {rows:,} rows",
            worlds=(worlds.pair(rows, -0.01),),
            gates=(f"accuracy - champion.accuracy {sign} -0.01 @ {confidence}%",),
            counted=(Counted(answer=answer, meaning=error, limits=limits),),
            runs=_FINE,
        )
        for confidence, limits in _AT_THE_THRESHOLD.items()
        for sign, answer, error in ((">", PASSED, WRONG_PASS), (">=", FAILED, WRONG_REFUSAL))
        for rows in (2_000, 10_000)
    ]


def rare_harm() -> list[Cell]:
    """Harm to so few rows that none shows it with probability .994^200 = .30; and an AUC near 1."""
    found = [
        Cell(
            name=f"difference > -0.005 @ {confidence}%; 0.6 % of 200 rows harmed",
            worlds=(worlds.pair(200, -0.006, discordant=0.006),),
            gates=(f"accuracy - champion.accuracy > -0.005 @ {confidence}%",),
            counted=(Counted(answer=PASSED, meaning=WRONG_PASS, limits=(0.0, level)),),
        )
        for confidence, level in ((95, 0.05), (99, 0.01))
    ]
    near_one = Cell(
        name="ROC AUC > 0.99 @ 95%; true 0.99, 30 positives of 1,030 rows",
        worlds=(worlds.separated(0.99, 30, 1_000),),
        gates=("roc_auc > 0.99 @ 95%",),
        counted=(Counted(answer=PASSED, meaning=WRONG_PASS, limits=(0.0, 0.06)),),
    )
    return [*found, near_one]


def together() -> list[Cell]:
    """Gates that must all hold, and slices of which any may be the worst."""
    size, runs = 3_000, 1_000
    limit = 0.5 - 3.5 * sqrt(0.25 / size)  # half right: there the exact bounds are close to normal ones
    clear = tuple(f"accuracy[at={place}] >= {limit:.6f} @ 95%" for place in "abcde")
    return [
        Cell(
            name="five gates @ 95%; each 3.5 standard errors clear",
            worlds=(worlds.slices((0.5,) * 5, size),),
            gates=clear,
            counted=(Counted(answer=PASSED, meaning=RIGHT, limits=near(0.851)),),
            runs=runs,
        ),
        Cell(
            name="five gates @ 95%; one at its threshold, four clear",
            worlds=(worlds.slices((0.5, 0.6, 0.6, 0.6, 0.6), size),),
            gates=("accuracy[at=a] > 0.5 @ 95%", *clear[1:]),
            counted=(Counted(answer=PASSED, meaning=WRONG_PASS, limits=(0.0275, at_most(0.05, runs)[1])),),
            runs=runs,
        ),
        Cell(
            name="worst of ten slices >= 0.5 @ 95%; all at the threshold",
            worlds=(worlds.slices((0.5,) * 10, size // 10),),
            gates=("worst(accuracy, by=at) >= 0.5 @ 95%",),
            counted=(Counted(answer=FAILED, meaning=WRONG_REFUSAL, limits=at_most(0.05, runs)),),
            runs=runs,
        ),
    ]


def days() -> list[Cell]:
    """Rows of one day are alike: the level holds all the same, and is used."""
    runs = 2_000
    nominal = (Counted(answer=PASSED, meaning=WRONG_PASS, limits=(0.02, at_most(0.05, runs)[1])),)
    return [
        Cell(
            name="accuracy > 0.8 @ 95%; true 0.8, 36 days of 60 rows, correlation .05",
            worlds=(worlds.days(36, 60, 0.8, 0.05),),
            gates=("accuracy > 0.8 @ 95%",),
            counted=nominal,
            runs=runs,
        ),
        Cell(
            name="difference > 0 @ 95%; true 0, 40 days of 50 rows that lean one way",
            worlds=(worlds.leaning_days(40, 50, 0.12, 0.06),),
            gates=("accuracy - champion.accuracy > 0 @ 95%",),
            counted=nominal,
            runs=runs,
        ),
    ]


def attacks() -> list[Cell]:
    """Many looks at one holdout, where they are counted and not corrected for (`guarantee: none`)."""
    grown = Cell(
        name="difference > -0.01 @ 95%; 32 candidates at the threshold, a row added for each",
        worlds=tuple(worlds.pair(2_000 + more, -0.01) for more in range(32)),
        gates=("accuracy - champion.accuracy > -0.01 @ 95%",),
        counted=(Counted(answer=PASSED, meaning=WRONG_PASS, limits=near(0.79, 0.06)),),
        runs=500,
    )
    return [
        grown,
        *(
            guarantees.attack(
                f"the {how} vote of 31 guessing models that were looked at",
                (desk.vote(1_000, 31, None, weighted=how == "weighted"),),
                near(expected, 0.06),
            )
            for how, expected in (("majority", 0.97), ("weighted", 0.99))
        ),
    ]
