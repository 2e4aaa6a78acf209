"""Features are distributed as before

A feature that has moved away from what the base was trained on is where to look first when a metric falls. Small
samples move by chance, large ones show what does not matter: so a column is named only when it moved beyond chance
and by much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import capped, failed, passed, skipped
from mlops_ci.data.drift import Drift, holm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "drift"
LIMIT = 0.1
"""PSI beyond chance; 0.1 is the usual mark of a moderate shift, 0.25 of a large one."""
ALPHA = 0.01


def run(facts: DataFacts) -> Iterable[Result]:
    """Advisory; the largest PSI beyond chance is in `numbers` as max_psi, for gates."""
    if facts.base is None:
        yield skipped(_NAME, "there is no base to compare with")
        return
    found = [(name, drift) for name, drift in facts.drift if name in facts.features]
    chances = holm(tuple(drift.p for _, drift in found))
    beyond = {name: drift.excess if drift.above_noise else 0.0 for name, drift in found}
    largest = round(max(beyond.values(), default=0.0), 6)
    moved = [
        (name, drift)
        for (name, drift), chance in zip(found, chances, strict=True)
        if beyond[name] > LIMIT and _unlikely(drift, chance)
    ]
    if not moved:
        most = (
            f", the most {max(beyond, key=beyond.__getitem__)} with PSI {largest:.3f} beyond chance" if largest else ""
        )
        yield passed(_NAME, f"none of {len(found)} features moved by more than {LIMIT}{most}", max_psi=largest)
    yield from capped(_NAME, [_finding(name, drift, largest) for name, drift in sorted(moved, key=_largest_first)])


def _unlikely(drift: Drift, chance: float) -> bool:
    """200 permutations cannot show a p below 1/201, so there the floor itself is the test."""
    return drift.above_noise if drift.groups else chance < ALPHA


def _largest_first(found: tuple[str, Drift]) -> tuple[float, str]:
    return -found[1].excess, found[0]


def _finding(name: str, drift: Drift, largest: float) -> Result:
    groups = f" (by permuting {drift.groups} groups)" if drift.groups else ""
    message = (
        f"{name} moved by PSI {drift.psi:.3f}; chance stays below {drift.floor:.3f} 99 times in 100{groups}, "
        f"up to {LIMIT} beyond chance is usual"
    )
    return failed(
        _NAME,
        message,
        blocking=False,
        column=name,
        psi=drift.psi,
        floor=drift.floor,
        excess=drift.excess,
        bins=drift.bins,
        max_psi=largest,
    )
