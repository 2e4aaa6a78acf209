"""How long something takes, by a clock that other work on the machine can only make slower."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def least_seconds(work: Callable[[], object], *, below: float, turns: int = 10) -> float:
    """The fewest seconds of processor time, programs it starts included, that `work` took; asked until one is below.

    A core shared with other work makes the same instructions take up to twice as long, and nothing makes them
    take less: the least of several turns is nearest to what the work itself needs.
    """
    least = float("inf")
    for _ in range(turns):
        begin = _spent()
        work()
        least = min(least, _spent() - begin)
        if least < below:
            break
    return least


def _spent() -> float:
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)
