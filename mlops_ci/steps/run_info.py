"""How a decision came to be: when, how long, where. It stands beside the decision and is no part of it."""

from __future__ import annotations

import platform
from datetime import UTC, datetime

from mlops_ci import __version__
from mlops_ci.records.decisions import RunInfo
from mlops_ci.steps.progress import Clock


def run_info(clock: Clock) -> RunInfo:
    """Of the run that `clock` has timed up to now."""
    return RunInfo(
        started=clock.began.strftime("%Y-%m-%dT%H:%M:%SZ"),
        seconds=round((datetime.now(UTC) - clock.began).total_seconds(), 3),
        timings=clock.timings,
        restored=tuple(clock.restored),
        host=platform.node(),
        python=platform.python_version(),
        mlops_ci=__version__,
    )
