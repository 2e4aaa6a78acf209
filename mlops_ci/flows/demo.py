"""demo: the example project in a throw-away repository, four commits, four decisions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from mlops_ci.flows.check import check
from mlops_ci.steps.case import Asked
from mlops_ci.steps.example import ACTS, Act, lay_out, perform, settle
from mlops_ci.steps.progress import Progress
from mlops_ci.steps.write import Checked


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """One act and what came of it."""

    act: Act
    checked: Checked


def demo(
    into: Path | None, progress: Progress, *, before: Callable[[Act], None], after: Callable[[Played], None]
) -> tuple[Path, tuple[Played, ...]]:
    """Play every act and check it; `before` and `after` are told as it goes. The folder stays."""
    folder = into or Path(tempfile.mkdtemp(prefix="mlops-ci-demo-"))
    repository = lay_out(folder)
    played = []
    for act in ACTS:
        before(act)
        perform(repository, act)
        played.append(Played(act=act, checked=check(folder, Asked(), progress)))
        after(played[-1])
        settle(repository, act)
    return folder, tuple(played)
