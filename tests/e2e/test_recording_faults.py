"""GitHub refuses, is slow or is gone at each call of the recording workflow in turn.

Whatever happens the job ends with a message that names the call, nothing is green that is not recorded, and running the
recording workflow again mends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.edge.github import transport
from mlops_ci.edge.patience import Time
from tests.e2e.scene import BETTER, WORSE, Scene, scene
from tests.github.jobs import Ran

_GIT = r"/git/acme/ml\.git"
JUDGE = [
    ("GET", ""),
    ("GET", r"/commits/[0-9a-f]{40}/pulls"),
    ("GET", r"/actions/runs/\d+/artifacts"),
    ("GET", r"/actions/artifacts/\d+/zip"),
    ("GET", r"/storage/\d+"),
]
RECORD = [
    ("GET", ""),
    ("GET", r"/commits/[0-9a-f]{40}/pulls"),
    ("GET", r"/issues/7/comments"),
    ("POST", r"/issues/7/comments"),
    ("POST", r"/statuses/[0-9a-f]{40}"),
]
GIT = [("GET", f"{_GIT}/info/refs"), ("POST", f"{_GIT}/git-(upload|receive)-pack")]
FAULTS: dict[str, dict[str, Any]] = {
    "403": {"status": 403, "message": "Resource not accessible by integration"},
    "404": {"status": 404, "message": "Not Found"},
    "422": {"status": 422, "message": "Validation Failed"},
    "429": {"status": 429, "message": "API rate limit exceeded", "headers": {"Retry-After": "3600"}},
    "500": {"status": 500, "times": 99},
    "no JSON": {"status": 200, "body": "<html>"},
    "closed": {"closed": True, "times": 99},
}
PASSING: dict[str, dict[str, Any]] = {
    "503 once": {"status": 503},
    "cut once": {"cut": True},
    "closed once": {"closed": True},
}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two tries."""
    monkeypatch.setattr(transport, "Time", lambda: Time(sleep=lambda seconds: None))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


def test_every_call_of_both_jobs_is_among_those_that_are_made_to_fail(here: Scene) -> None:
    here.pull(7, BETTER)
    run = here.run(7)
    here.site.github.requests.clear()
    here.record(run)
    for job, calls in (("judge", JUDGE), ("record", RECORD)):
        made = [each for each in here.site.github.requests if each.job in (None, f"mlops-record.yml: {job}")]
        for each in made:
            known = [*calls, *GIT, ("GET", r"/storage/\d+")]
            assert any(each.method == method and re.fullmatch(path, each.path) for method, path in known), each.path


@pytest.mark.parametrize(("method", "path"), JUDGE)
def test_a_call_of_the_judging_job_fails(here: Scene, method: str, path: str) -> None:
    head = here.pull(7, WORSE)
    run = here.run(7)
    for name, how in FAULTS.items():
        if (name, path[:8]) == ("no JSON", "/storage"):
            how = {"status": 200, "body": "no zip"}
        here.site.github.faults.clear()
        here.site.github.fail(method, path, **how)
        with here.jobs.judged(run) as (judge, handed):
            here.site.github.faults.clear()
            if judge.code == 3 and here.site.gate(head):
                _says(judge, name, path)
                continue  # what is recorded of a judge without an answer was seen with the first
            record = here.jobs.recorded(run, handed)
        assert judge.code in (0, 3), (name, judge.out)
        assert record.code == 0, (name, record.out)
        _says(judge if judge.code else record, name, path)
        assert here.told(head)[0] == "error", name
        assert here.recorded(head) == []
    here.record(run)
    assert here.told(head)[0] == "failure"
    assert "could not be judged" not in here.comment(7).body
    assert here.recorded(head) == [("rain", "failed", "pull-request")]


@pytest.mark.parametrize(("method", "path"), RECORD)
def test_a_call_of_the_recording_job_fails(here: Scene, method: str, path: str) -> None:
    head = here.pull(7, BETTER)
    run = here.run(7)
    with here.jobs.judged(run) as (_, handed):
        for name, how in FAULTS.items():
            here.site.state.comments.clear()
            here.site.state.statuses.clear()
            here.site.github.faults.clear()
            here.site.github.fail(method, path, **how)
            record = here.jobs.recorded(run, handed)
            assert record.code == 3, (name, record.out)
            _says(record, name, path)
            if here.site.gates(head):
                assert here.told(head)[0] == "success"
                assert here.recorded(head) == [("rain", "passed", "pull-request")]
        here.site.github.faults.clear()
        assert here.jobs.recorded(run, handed).code == 0
    assert here.told(head)[0] == "success"
    assert here.recorded(head) == [("rain", "passed", "pull-request")]
    assert "could not be" not in here.comment(7).body


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_not_even_noticed(here: Scene, name: str) -> None:
    head = here.pull(7, BETTER)
    run = here.run(7)
    for method, path in (*JUDGE, *RECORD):
        if method == "GET" or "statuses" in path:
            here.site.github.fail(method, path, **PASSING[name])
    here.record(run)
    assert here.told(head)[0] == "success"
    assert here.comment(7)


def test_a_comment_whose_answer_is_lost_is_not_written_twice(here: Scene) -> None:
    head = here.pull(7, BETTER)
    run = here.run(7)
    here.site.github.fail("POST", "/issues/7/comments", lost=True)
    done = here.jobs.record(run)
    assert done.record.code == 3
    assert "the comment could not be written" in done.record.out
    assert here.told(head)[0] == "success"
    here.record(run)
    assert here.comment(7)


@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.parametrize(
    ("method", "path", "nth"), [("GET", "info/refs", 3), ("GET", "info/refs", 4), ("POST", "git-receive-pack", 1)]
)
def test_git_is_refused(here: Scene, method: str, path: str, nth: int, status: int) -> None:
    """The first two of info/refs are those of the checkout; then the ledger is fetched, then pushed."""
    head = here.pull(7, BETTER)
    run = here.run(7)
    with here.jobs.judged(run) as (_, handed):
        here.site.github.fail(method, f"{_GIT}/{path}", nth=nth, status=status)
        record = here.jobs.recorded(run, handed)
        assert record.code == 3, record.out
        assert "Traceback" not in record.out
        assert "git" in record.out
        assert here.told(head)[0] == "error"
        assert here.recorded(head) == []
        here.site.github.faults.clear()
        assert here.jobs.recorded(run, handed).code == 0
    assert here.told(head)[0] == "success"
    assert here.recorded(head) == [("rain", "passed", "pull-request")]


def _says(job: Ran, name: str, path: str) -> None:
    assert "Traceback" not in job.out, job.out
    pieces = re.split(r"\\d\+|\[0-9a-f\]\{40\}|/storage/.*", path)
    if name == "no JSON" and path.endswith("/zip"):  # a file may come without a redirect: its digest tells
        pieces = ["The artifact 'mlops-run-rain' arrived with another digest"]
    assert all(piece in job.out for piece in pieces), (name, job.out)
