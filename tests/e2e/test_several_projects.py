"""A repository of three projects: which are checked, one comment for all, and a status that is the worst of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bad_input import GOOD
from tests.e2e.scene import BETTER, WORSE, Scene, scene


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, several=True) as made:
        yield made


def _in(folder: str, files: dict[str, str]) -> dict[str, str | bytes | None]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def test_of_three_projects_one_gets_better_and_one_worse(here: Scene) -> None:
    red = here.pull(7, _in("bus", BETTER) | _in("rain", WORSE))
    assert here.jobs.planned(here.site.on_pull_request(7)) == [("bus", "bus"), ("rain", "rain")]
    here.through(7)
    state, sentence = here.told(red)
    assert state == "failure"
    assert sentence.startswith("1 of 2 projects passed. rain: refused")
    assert here.recorded(red) == [("bus", "passed", "pull-request"), ("rain", "failed", "pull-request")]
    body = here.comment(7).body
    assert body.splitlines()[1] == "### **refused**: 1 of 2 projects passed"
    assert body.index("rain: **refused**") < body.index("bus: **passed**") < body.index("<details open><summary>")
    assert "Nothing that is judged has changed in tram." in body
    green = here.push("side", _in("rain", BETTER))
    here.through(7)
    assert here.told(green)[0] == "success"
    assert here.told(green)[1].startswith("2 of 2 projects passed.")
    assert "### **passed**: all 2 projects" in here.comment(7).body
    assert f"- refused at `{red[:7]}`, decision" in here.comment(7).body


def test_two_of_three_projects_are_not_affected(here: Scene) -> None:
    head = here.pull(7, _in("tram", BETTER))
    assert here.jobs.planned(here.site.on_pull_request(7)) == [("tram", "tram")]
    here.through(7)
    assert here.told(head)[1].startswith("tram: passed")
    assert here.recorded(head) == [("tram", "passed", "pull-request")]
    assert "Nothing that is judged has changed in bus, rain." in here.comment(7).body


def test_of_two_projects_one_leaves_nothing(here: Scene) -> None:
    head = here.pull(7, _in("bus", BETTER) | _in("rain", BETTER))
    run = here.run(7)
    (lost,) = [
        each.id for each in here.site.state.artifacts.values() if (each.run, each.name) == (run, "mlops-run-bus")
    ]
    del here.site.state.artifacts[lost]
    here.record(run)
    state, sentence = here.told(head)
    assert (state, sentence) == (
        "error",
        "1 of 2 projects passed. bus: could not be judged. The run left nothing to judge",
    )
    assert here.recorded(head) == [("rain", "passed", "pull-request")]


def test_a_project_that_is_taken_away_waits_for_a_person(here: Scene) -> None:
    head = here.pull(7, {f"bus/{path}": None for path in GOOD})
    assert here.jobs.planned(here.site.on_pull_request(7)) == []
    here.through(7)
    assert here.told(head)[0] == "failure"
    assert "Its mlops.yaml is taken away" in here.comment(7).body


def test_after_the_merge_only_what_changed_is_judged_again(here: Scene) -> None:
    sha = here.push("main", _in("bus", BETTER))
    event = here.site.on_push(sha)
    assert here.jobs.planned(event) == [("bus", "bus")]
    here.record(here.jobs.check(event))
    assert here.recorded(sha) == [("bus", "passed", "default-branch")]
    assert here.told(sha)[0] == "success"
    assert not here.site.state.comments
