"""reproduce: a release → its commit in a clean copy → its locked environment → train again → lay side by side."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.records.reproduced import Reproduced
from mlops_ci.steps import reproduction
from mlops_ci.steps.case import Asked, settle
from mlops_ci.steps.examine import look_at_data, make_model
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.workshop import Workshop


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """`lock`: another environment than the release's; `tolerance`: by how much a metric may move and count as equal."""

    release: str
    lock: Path | None = None
    tolerance: float = 0.001


def reproduce(start: Path, wish: Wish, progress: Progress) -> Reproduced:
    """Nothing of an earlier run is used, and nothing is left behind."""
    project, clock = open_project(start), Clock(progress)
    was = reproduction.recorded(project, wish.release)
    with reproduction.clean_copy(project, was, wish.lock) as copy:
        case = settle(copy, Asked())
        workshop = Workshop(copy, case.head, lambda text: clock.say("environment", text))
        found = make_model(case, look_at_data(case, workshop, clock), workshop, clock)
        return reproduction.side_by_side(was, found, workshop, wish.tolerance)
