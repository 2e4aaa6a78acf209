"""Every permission that a job of the generated workflows asks for is used: without it something is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.scene import BETTER, Scene, scene
from tests.github.permissions import lowered
from tests.github.runner import CHECK, RECORD
from tests.workflow_renders import Case, rendered

FILES: dict[str, Any] = {
    name: yaml.safe_load(text)
    for path, text in rendered(Case()).items()
    if (name := Path(path).name)
    in (CHECK, RECORD)  # of the others: test_release_on_github.py, integration/test_upgrade.py
}
ASKED = [
    (file, job, name, level)
    for file, written in FILES.items()
    for job, told in written["jobs"].items()
    for name, level in told["permissions"].items()
]
LESS = [(*entry[:3], None) for entry in ASKED] + [(*entry[:3], "read") for entry in ASKED if entry[3] == "write"]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.pull(7, BETTER)
        yield made


def test_what_they_ask_for() -> None:
    assert all(written["permissions"] == {} for written in FILES.values())
    assert [entry[:2] for entry in ASKED if entry[3] == "write"] == [(RECORD, "record")] * 3


def test_with_what_they_ask_for_nothing_is_refused(here: Scene) -> None:
    for project, folder in here.jobs.planned(here.site.on_pull_request(7)):
        assert here.jobs.checked(here.site.on_pull_request(7), project, folder)[0].code == 0
    here.through(7)
    assert {request.status for request in here.site.github.requests} <= {200, 201, 302, 401}  # 401: git asks first
    used = {request.job for request in here.site.github.requests if request.job}
    assert used == {f"{file}: {job}" for file, job, *_ in ASKED}


@pytest.mark.parametrize(("file", "job", "name", "level"), LESS)
def test_without_it_something_is_refused(here: Scene, file: str, job: str, name: str, level: str | None) -> None:
    event, run = here.site.on_pull_request(7), here.run(7)
    here.site.github.requests.clear()
    with lowered(here.site.workflows / file, job, name, level):
        if file == CHECK and job == "plan":
            told = here.jobs.job(CHECK, "plan", event)
        elif file == CHECK:
            told = here.jobs.checked(event, "rain", ".")[0]
        else:
            told = getattr(here.jobs.record(run), job)
    assert told.code in (None, 3), told.out
    refused = [request for request in here.site.github.requests if request.status in (403, 404)]
    assert {request.job for request in refused} == {f"{file}: {job}"}
    if told.code == 3:
        assert f"{name}: " in told.out, "what is missing is not named"
    gate = here.site.gate(event.head)
    if job == "judge":
        assert gate is not None
        assert gate.state == "error"
    elif name in ("contents", "statuses"):
        assert gate is None or gate.state == "error"
