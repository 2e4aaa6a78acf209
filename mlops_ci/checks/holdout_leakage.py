"""Nothing of the held-out rows is in training

A model that has seen a row, a copy of it, or another row of the same customer or day, is judged on what it remembers.
The numbers look better than production ever will.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.checks.answers import failed, passed, rows_text
from mlops_ci.checks.twins import twins
from mlops_ci.data.contract_text import share
from mlops_ci.data.repeats import member
from mlops_ci.data.rowkeys import mix, row_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "holdout_leakage"
COPIES = 0.01
"""Share of held-out rows that may be copies of training rows when the contract sets no `holdout_copies`."""
LEAST_COPIES = 20
NATURAL = 0.25
"""Twins that disagree at least this often, compared with any two rows, are coarse features and not copies."""


def run(facts: DataFacts) -> Iterable[Result]:
    findings = [*_ids(facts), *_groups(facts), *_copies(facts)]
    if not findings:
        about = ["id"] * bool(facts.id) + ["group"] * bool(facts.group) + ["content"]
        held = int(facts.holdout.sum())
        yield passed(_NAME, f"{held:,} held-out rows share no {' and no '.join(about)} with training rows", rows=held)
    yield from findings


def _ids(facts: DataFacts) -> Iterator[Result]:
    if not facts.id:
        return
    shared = _shared(facts.ids, facts.holdout)
    if count := int(shared.sum()):
        message = f"{rows_text(count, len(shared))} held out have an id that is in training too; none may"
        yield failed(_NAME, message, blocking=True, ids=count, rows=len(shared))


def _groups(facts: DataFacts) -> Iterator[Result]:
    if not facts.group:
        return
    shared = _shared(row_keys(facts.table, facts.group), facts.holdout)
    if count := int(shared.sum()):
        message = (
            f"{rows_text(count, len(shared))} held out belong to a group ({', '.join(facts.group)}) in training "
            "too: split by group"
        )
        yield failed(_NAME, message, blocking=True, groups=count, rows=len(shared))


def _copies(facts: DataFacts) -> Iterator[Result]:
    """Rows equal in features and target, beyond what coarse features give."""
    target_keys = row_keys(facts.table, (facts.target,))
    with_target = mix(facts.feature_keys * np.uint64(3) + target_keys)
    shared = _shared(with_target, facts.holdout)
    copies, held = int(shared.sum()), len(shared)
    owned = facts.contract.holdout_copies if facts.contract else None
    limit = COPIES if owned is None else owned
    if copies <= limit * held or (owned is None and (copies < LEAST_COPIES or _natural(facts))):
        return
    message = (
        f"{rows_text(copies, held)} held out are copies of training rows in every feature and {facts.target}; "
        f"up to {share(limit)} may be (contract: holdout_copies)"
    )
    yield failed(_NAME, message, blocking=True, copies=copies, rows=held, at_most=limit)


def _natural(facts: DataFacts) -> bool:
    """Whether rows with equal features disagree about as any two rows do: coarse features, and not copies."""
    if not facts.classification:
        return False
    found = twins(facts)
    return found.disagreement >= NATURAL * found.chance


def _shared(keys: NDArray[np.uint64], holdout: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the held-out rows, shape (held,): whose key is on a training row too."""
    return member(keys[holdout], np.sort(keys[~holdout]))
