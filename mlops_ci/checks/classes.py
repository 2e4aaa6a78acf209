"""Every class on both sides of the split

A class that only one side holds cannot be learned, or cannot be judged: every metric of it is a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.checks.answers import capped, failed, passed, skipped
from mlops_ci.data.contract_answer import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "classes"
RARE = 20
"""A class with fewer rows in all may miss one side by chance: advisory then, unless only one class is left."""


def run(facts: DataFacts) -> Iterable[Result]:
    if not facts.classification:
        yield skipped(_NAME, "asked of classes only")
        return
    codes, names = facts.classes
    train = np.bincount(codes[~facts.holdout], minlength=len(names))
    holdout = np.bincount(codes[facts.holdout], minlength=len(names))
    findings = list(_findings(names, train.tolist(), holdout.tolist()))
    if not findings:
        least = int(np.minimum(train, holdout).min()) if names else 0
        yield passed(_NAME, f"{len(names)} classes, each with {least:,} rows or more on either side", least=least)
    yield from capped(_NAME, findings)


def _findings(names: tuple[str, ...], train: list[int], holdout: list[int]) -> Iterator[Result]:
    for side, counts in (("training", train), ("held-out", holdout)):
        present = [name for name, count in zip(names, counts, strict=True) if count]
        if len(present) < 2:
            only = quoted(present[0]) if present else "none"
            yield failed(_NAME, f"the {side} rows hold one class only ({only}); two are needed", blocking=True)
    for name, learned, judged in zip(names, train, holdout, strict=True):
        if 0 in (learned, judged) and len(names) > 2:
            message = f"class {quoted(name)} has {learned:,} training rows and {judged:,} held-out rows"
            yield failed(_NAME, message, blocking=learned + judged >= RARE, train=learned, holdout=judged)
