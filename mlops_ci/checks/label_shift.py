"""The target is distributed as before

When the share of a class or the mean of the target jumps, either the world has changed or the labels have: a model
trained on them will be wrong about the other one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_ci.checks.answers import advisory, capped, contract_results, failed, passed, skipped
from mlops_ci.data.classes import target_centre, target_shares
from mlops_ci.data.contract_answer import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import BaseFacts, DataFacts
    from mlops_ci.records.results import Result

_NAME = "label_shift"
POINTS = 0.05
"""A class may move by this difference of shares before the check speaks up."""
DEVIATIONS = 0.2
"""The mean of a regression's target may move by this many standard deviations."""
Z_99 = 2.5758


def run(facts: DataFacts) -> Iterable[Result]:
    """Advisory against the base; blocking where the contract states shares."""
    yield from contract_results(facts, _NAME, "every class has the share the contract expects")
    if facts.base is None or not facts.base.target_shares:
        if not (facts.contract and facts.contract.target):
            yield skipped(_NAME, "there is no base to compare with")
    elif facts.classification:
        yield from _classes(facts, facts.base)
    else:
        yield _mean(facts, facts.base)


def _classes(facts: DataFacts, base: BaseFacts) -> Iterable[Result]:
    before, now = dict(base.target_shares), dict(target_shares(facts.table.column(facts.target)))
    names = sorted(before.keys() | now.keys())
    unit = 1 / max(base.rows, 1) + 1 / max(facts.table.rows, 1)
    findings, widest = [], 0.0
    for name in names:
        then, here = before.get(name, 0.0), now.get(name, 0.0)
        middle = (then + here) / 2
        floor = _z(len(names)) * math.sqrt(middle * (1 - middle) * unit)
        widest = max(widest, abs(here - then))
        if abs(here - then) > max(floor, POINTS):
            message = (
                f"{facts.target} = {quoted(name)} in {here:.1%} of rows, {then:.1%} at the base; "
                f"chance gives ±{floor:.2%}, up to {POINTS:.0%} is usual"
            )
            findings.append(
                failed(_NAME, message, blocking=False, share=round(here, 6), base=then, floor=round(floor, 6))
            )
    if not findings:
        message = f"no class of {facts.target} moved by more than {widest:.2%}; up to {POINTS:.0%} is usual"
        yield passed(_NAME, message, moved=round(widest, 6))
    yield from capped(_NAME, findings)


def _mean(facts: DataFacts, base: BaseFacts) -> Result:
    then = dict(base.target_shares)["mean"]
    now = dict(target_centre(facts.table.column(facts.target)))["mean"]
    spread = next((column.deviation for column in base.profile.columns if column.name == facts.target), None) or 0.0
    floor = Z_99 * spread * math.sqrt(1 / max(base.rows, 1) + 1 / max(facts.table.rows, 1))
    limit = max(floor, DEVIATIONS * spread)
    here, before, usual = (_like(limit, value) for value in (now, then, limit))
    message = f"the mean of {facts.target} is {here}, {before} at the base; up to ±{usual} is usual"
    fine = not spread or abs(now - then) <= limit
    return advisory(_NAME, message, fine=fine, mean=now, base=then, floor=round(floor, 9))


def _like(limit: float, value: float) -> str:
    """As many digits as tell a distance of a hundredth of `limit`, the same for every number of one message."""
    places = 4 if limit <= 0 else min(max(2 - math.floor(math.log10(limit)), 0), 9)
    return f"{value:,.{places}f}"


def _z(classes: int) -> float:
    """The two-sided 99 % quantile shared among the classes: a bound that is never too small (sqrt(2 ln(2k/0.01)))."""
    return max(Z_99, math.sqrt(2 * math.log(2 * classes / 0.01))) if classes > 2 else Z_99
