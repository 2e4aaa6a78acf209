"""The truths every method is tried on: a small grid for tests, the large one for `bench.verdicts --coverage`."""

from __future__ import annotations

from dataclasses import replace

from bench.verdicts.coverage import Truth
from bench.verdicts.truths import (
    auc,
    changed,
    f1,
    gap,
    harmed,
    misplaced,
    paired,
    partly_paired,
    proportion,
    summed,
    table,
    two_aucs,
)
from bench.verdicts.truths_by_group import (
    auc_by_days,
    by_days,
    by_uneven_days,
    changed_by_days,
    difference_by_bad_days,
    difference_by_days,
    f1_by_days,
    gap_by_days,
    sum_by_days,
    two_aucs_by_days,
    two_f1s_by_days,
)
from bench.verdicts.truths_of_losses import (
    errors,
    errors_by_days,
    errors_by_unlike_days,
    few_errors,
    probabilities,
    two_errors,
)
from mlops_ci.gates.bounds.betting import BetOnProportion
from mlops_ci.gates.bounds.estimate import Estimate, Unbounded
from mlops_ci.gates.bounds.tango import PairedProportion

_EQUAL = (0.6, 0.05, 0.05, 0.02, 0.01, 0.01)
_HARM = (0.4, 0.3, 0.0, 0.02, 0.0, 0.0)
_RARE_HARM = (0.7, 0.03, 0.0, 0.02, 0.0, 0.0)
_RARE_GAIN = (0.7, 0.0, 0.03, 0.02, 0.0, 0.0)
_SUMMED = ((0.6, 0.1, 0.1, 0.2), (0.8, 0.2, 0.0, 0.0), (0.97, 0.001, 0.02, 0.009))
_STATED_UNEVEN = 1.35
"""docs/gates.md: a share near 1 by days of which few hold most of the rows."""


def small() -> list[Truth]:
    """Each method where it is likeliest to fail, within a minute."""
    return [
        *(proportion(rows, share) for rows, share in ((30, 0.5), (100, 0.99), (2_000, 0.01))),
        replace(proportion(100_000, 0.8), runs=150),
        *(f1(rows, 0.5) for rows in (30, 1_000)),
        paired(PairedProportion, 30, 0.0, 0.2, times=1.3),
        paired(PairedProportion, 200, -0.02, 0.02, times=1.4),
        paired(PairedProportion, 300, 0.02, 0.02, times=1.45),
        paired(PairedProportion, 5_000, -0.01, 0.1, times=1.1),
        replace(paired(PairedProportion, 100_000, 0.0, 0.05, times=1.1), runs=600),
        paired(BetOnProportion, 300, 0.02, 0.02),
        replace(paired(BetOnProportion, 2_000, -0.01, 0.1), runs=100),
        partly_paired(2_000, 0.1, -0.01, -1.0),
        partly_paired(2_000, 0.1, -0.01, 1.0),
        *_tables(200, 0.1, 80),
        *_tables(1_000, 0.3, 150),
        replace(auc(0.8, 30, 1_000), runs=600),
        replace(auc(0.99, 30, 1_000), runs=200),
        replace(auc(0.9, 50, 100), runs=600),
        replace(misplaced(0.001, 100, 1_000), runs=600),
        replace(misplaced(0.03, 300, 300), runs=600),
        replace(two_aucs(100, 300), runs=600),
        *(replace(harmed(share, 100, 200), runs=600) for share in (0.01, 0.036, 0.1)),
        replace(harmed(0.036, 200, 100, positive=False), runs=600),
        replace(harmed(0.036, 100, 200, gain=True), runs=600),
        replace(by_days(20, 0.8, 0.05), runs=600),
        replace(by_days(20, 0.95, 0.05), runs=1_000),
        replace(by_days(40, 0.5, 0.05), runs=600),
        replace(by_uneven_days(20, 0.8, 0.05), runs=300),
        replace(difference_by_days(40, 0.06), runs=600),
        replace(difference_by_bad_days(20, 0.2), runs=600),
        *_few_of_rows(),
        *_few_by_group(),
    ]


def _few_of_rows() -> list[Truth]:
    """Gaps, d and means of losses, each row by itself."""
    return [
        replace(summed(20, 1.1, (0.8, 0.2, 0.0, 0.0)), runs=200),
        replace(summed(1_000, 1.1, (0.7, 0.06, 0.04, 0.2)), runs=100),
        changed(30, 0.1),
        changed(1_000, 0.01),
        changed(1_000, 0.1, 0.1, 1.0),
        gap((30, 30), (0.8, 0.7)),
        replace(gap((300, 1_000), (0.99, 0.97), 0.5), runs=250),
        replace(gap((100, 100, 100), (0.9, 0.8, 0.8)), runs=150),
        *(
            probabilities(name, 1_000, prevalence, clip)
            for name, clip in (("brier", None), ("log_loss", 5.0))
            for prevalence in (0.01, 0.5)
        ),
        probabilities("log_loss", 30, 0.01, 5.0),
        errors("rmse", 1_000, 5.0),
        two_errors(1_000),
        few_errors(100, 0.01, 4.0),
        few_errors(100, 0.002, 4.0, gain=True),
    ]


def _few_by_group() -> list[Truth]:
    """The same, and ROC AUC and F1, where rows of a day belong together."""
    return [
        replace(changed_by_days(20, 50, 0.1, 0.05), runs=600),
        replace(changed_by_days(20, 50, 0.01, 0.05), runs=600),
        replace(gap_by_days(20, 50, (0.8, 0.7), 0.1), runs=80),
        replace(f1_by_days(20, 50, 0.5), runs=500),
        replace(f1_by_days(40, 500, 0.01), runs=500),
        replace(auc_by_days(20, 50, 0.5, 0.8), runs=300),
        replace(auc_by_days(20, 50, 0.5, 0.95), runs=500),
        replace(auc_by_days(40, 50, 0.1, 0.95), runs=300),
        replace(two_aucs_by_days(20, 50, 0.5), runs=300),
        errors_by_days(40, 50, 0.3),
    ]


def first_versions() -> list[Truth]:
    """Where the versions before missed the truth too often."""
    return [
        _before(replace(misplaced(0.001, 100, 1_000), runs=600)),
        _before(replace(harmed(0.036, 100, 500), runs=1_000)),
        _before(replace(harmed(0.01, 100, 500, gain=True), runs=300)),
        _before(replace(table("f1", 200, 0.05, "six in ten lost", (0.2, 0.6, 0.05, 0.0, 0.0, 0.0)), runs=150)),
        _before(replace(by_days(20, 0.95, 0.05), runs=1_000)),
        _before(replace(by_days(20, 0.95, 0.05), runs=4_000), version=2),
        _before(replace(auc_by_days(20, 50, 0.5, 0.98), runs=2_000), version=2),
        _before(replace(difference_by_bad_days(20, 0.2), runs=600)),
        _before(replace(paired(PairedProportion, 300, 0.02, 0.02, times=1.3), runs=20_000)),
        _before(few_errors(100, 0.002, 4.0, gain=True)),
    ]


def large() -> list[Truth]:
    """Rows from 30 to 100,000, prevalence from 1 % to 50 %, 20 to 180 groups: a quarter of an hour."""
    every_rows = (30, 100, 1_000, 10_000, 100_000)
    return [
        *_many_of_rows(),
        *_many_by_group(),
        *(proportion(rows, share) for rows in every_rows for share in (0.01, 0.1, 0.5, 0.9, 0.99)),
        *(f1(rows, share) for rows in every_rows for share in (0.1, 0.5, 0.9)),
        *(
            paired(PairedProportion, rows, difference, max(discordant, abs(difference)), times=1.5)
            for rows in every_rows
            for discordant in (0.006, 0.05, 0.2)
            for difference in (-0.02, -0.005, 0.0, 0.005, 0.02)
        ),
        *(
            replace(paired(BetOnProportion, rows, difference, 0.1), runs=2_000 if rows < 10_000 else 200)
            for rows in every_rows
            for difference in (-0.02, 0.0, 0.02)
        ),
        *(partly_paired(rows, 0.1, -0.01, rest) for rows in (300, 10_000) for rest in (-1.0, 0.0, 1.0)),
        *(one for rows in (100, 1_000, 10_000) for share in (0.01, 0.1, 0.5) for one in _tables(rows, share, 300)),
        *(auc(value, rows, 10 * rows) for rows in (10, 30, 100, 1_000) for value in (0.6, 0.8, 0.95, 0.99)),
        *(misplaced(share, rows, 10 * rows) for rows in (30, 100, 300) for share in (0.001, 0.01, 0.03, 0.1)),
        *(two_aucs(rows, 10 * rows) for rows in (30, 100, 1_000)),
        *(
            harmed(share, 100, 1_000, gain=gain)
            for share in (0.005, 0.01, 0.02, 0.033, 0.05, 0.1, 0.2)
            for gain in (False, True)
        ),
        *(harmed(share, 1_000, 100, positive=False) for share in (0.01, 0.033, 0.1)),
        *(
            by_days(number, share, correlation)
            for number in (20, 40, 180)
            for share in (0.5, 0.8, 0.95)
            for correlation in (0.01, 0.05)
        ),
        *(difference_by_days(number, lean) for number in (20, 40, 180) for lean in (0.0, 0.03, 0.06)),
        *(difference_by_bad_days(number, bad) for number in (20, 40, 180) for bad in (0.2, 0.5)),
        *(
            by_uneven_days(number, share, 0.05, _STATED_UNEVEN if share > 0.9 else 1.0)
            for number in (20, 40, 180)
            for share in (0.8, 0.95)
        ),
    ]


def _many_of_rows() -> list[Truth]:
    every_rows = (30, 100, 1_000, 10_000, 100_000)
    some = {30: 1_000, 100: 1_000, 1_000: 1_000, 10_000: 600, 100_000: 200}
    shares = (0.01, 0.1, 0.5)
    return [
        *(summed(rows, 1.1, shares) for rows in (30, 100, 1_000, 10_000) for shares in _SUMMED),
        *(replace(changed(rows, share), runs=some[rows]) for rows in every_rows for share in shares),
        *(changed(rows, 0.1, 0.1, rest) for rows in (100, 10_000) for rest in (0.0, 1.0)),
        *(
            replace(gap(rows, values, prevalence), runs=200)
            for rows in ((30, 30), (100, 1_000), (10_000, 10_000), (3_000, 100_000))
            for values in ((0.5, 0.5), (0.8, 0.7), (0.99, 0.97))
            for prevalence in (1.0, 0.5, 0.01)
        ),
        *(replace(gap((rows,) * 3, (0.9, 0.8, 0.8)), runs=200) for rows in (100, 1_000)),
        replace(gap((300,) * 10, (0.8,) * 10), runs=100),
        *(
            replace(probabilities(name, rows, prevalence, clip), runs=some[rows])
            for rows in every_rows
            for name, clip in (("brier", None), ("log_loss", 5.0))
            for prevalence in shares
        ),
        *(replace(errors(name, rows, 5.0), runs=some[rows]) for rows in every_rows for name in ("mae", "rmse")),
        *(replace(two_errors(rows), runs=some[rows]) for rows in every_rows),
        *(
            replace(few_errors(rows, share, 4.0, gain=gain), runs=some[rows])
            for rows in every_rows
            for share in (0.002, 0.01, 0.05)
            for gain in (False, True)
        ),
    ]


def _many_by_group() -> list[Truth]:
    days, shares = (20, 40, 180), (0.01, 0.1, 0.5)
    return [
        *(changed_by_days(number, 50, share, alike) for number in days for share in shares for alike in (0.01, 0.05)),
        *(gap_by_days(number, 50, values, 0.1) for number in days for values in ((0.8, 0.7), (0.9, 0.8, 0.7))),
        *(f1_by_days(number, size, share) for number in days for size in (50, 500) for share in shares),
        *(two_f1s_by_days(number, 50, share) for number in days for share in (0.05, 0.5)),
        *(
            auc_by_days(number, 50, share, value)
            for number in days
            for share in (0.02, 0.1, 0.5)
            for value in (0.8, 0.95, 0.98)
        ),
        *(replace(auc_by_days(180, 500, share, 0.8), runs=100) for share in (0.01, 0.5)),
        *(two_aucs_by_days(number, 50, share) for number in days for share in (0.02, 0.1, 0.5)),
        *(errors_by_days(number, 50, bad) for number in days for bad in (0.1, 0.3)),
        *(errors_by_unlike_days(number, 50, 0.5) for number in days),
        *(sum_by_days(number, 0.06) for number in days),
    ]


def _tables(rows: int, prevalence: float, runs: int) -> list[Truth]:
    return [
        replace(table(kind, rows, prevalence, case, shares), runs=runs)
        for kind, case, shares in (
            ("f1", "equal", _EQUAL),
            ("f1", "harm", _HARM),
            ("f1", "rare gain", _RARE_GAIN),
            ("precision", "equal", _EQUAL),
            ("precision", "rare harm", _RARE_HARM),
        )
    ]


def _before(truth: Truth, version: int = 1) -> Truth:
    """The same by an earlier version of the method."""
    return replace(
        truth,
        name=f"{truth.name}, version {version}",
        draw=lambda generator: _of_version(truth.draw(generator), version),
    )


def _of_version(estimate: Estimate, version: int) -> Estimate:
    return estimate if isinstance(estimate, Unbounded) else replace(estimate, version=version)  # type: ignore[type-var]
