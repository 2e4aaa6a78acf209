"""What CI hands on from commit to commit does not grow with every one: what nobody asked for in a fortnight goes."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from mlops_ci.steps.cache import Cache
from mlops_ci.steps.leftovers import forget

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.steps.project import Project


def test_an_answer_that_is_asked_for_stays_and_one_that_is_not_goes_after_a_fortnight(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    asked, _ = cache.folder("fit", "asked", lambda fresh: (fresh / "model").touch())
    unasked, _ = cache.folder("fit", "unasked", lambda fresh: (fresh / "model").touch())
    run = tmp_path / "runs" / "abc"
    run.mkdir(parents=True)
    environment = tmp_path / "env" / "abc"
    environment.mkdir(parents=True)
    for folder in (asked, unasked, run, environment):
        os.utime(folder, (time.time() - 15 * 24 * 3600,) * 2)
    assert cache.folder("fit", "asked", lambda _: None) == (asked, True)
    forget(cast("Project", SimpleNamespace(state=tmp_path)))
    assert [asked.exists(), unasked.exists(), run.exists(), environment.exists()] == [True, False, False, True]
