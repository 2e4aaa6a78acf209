"""The generated workflows executed by act, unchanged: the story of `make story`, and a fork."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.github.site import git
from tests.github.story import NUMBER, Story, shown, tell, unchanged

pytestmark = [pytest.mark.needs("registry"), pytest.mark.timeout(1500)]  # environments are made from hash locks


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return tell(tmp_path_factory.mktemp("story"), lambda line: None)


def test_every_commit_has_the_status_it_deserves(story: Story) -> None:
    told = [(chapter.title, *_gates(story, chapter.head)) for chapter in story.chapters]
    assert told == [
        ("A first model", "success"),
        ("A much smaller model", "failure"),
        ("Parameters that hold", "success", "success"),
        ("The same again", "success", "success"),
        ("Merge the other parameters", "success"),
    ]


def test_the_pull_request_has_one_comment_with_all_its_runs(story: Story) -> None:
    (comment,) = story.site.comments(NUMBER)
    red, green = (story.chapters[index].head for index in (1, 2))
    assert f"`{green[:7]}` “Parameters that hold”" in comment.body
    assert f"- refused at `{red[:7]}`, decision" in comment.body


def test_the_ledger_has_each_decision_once(story: Story) -> None:
    heads = [story.chapters[index].head for index in (0, 1, 2, 4)]
    found = {one.commit: (one.outcome, one.trust) for one in story.site.decisions()}
    assert len(story.site.decisions()) == 5, "the last commit has that of its release, too"
    assert [found[head] for head in heads] == [
        ("passed", "default-branch"),
        ("failed", "pull-request"),
        ("passed", "pull-request"),
        ("passed", "default-branch"),
    ]
    assert git(story.site.remote, "log", "--format=%an", "mlops-reports")


def test_only_a_red_gate_makes_a_run_red(story: Story) -> None:
    runs = [story.site.state.runs[chapter.run] for chapter in story.chapters]
    assert [run.conclusion for run in runs] == ["success", "failure", "success", "success", "success"]
    recordings = story.actions.ran[1:10:2]
    assert [ran.code for ran in recordings] == [0] * 5
    assert all(any("mlops-ci:report" in summary for summary in ran.summaries) for ran in recordings)


def test_nothing_is_refused_and_the_job_that_runs_code_has_no_token(story: Story) -> None:
    asked = story.site.github.requests
    refused = {(request.job, request.path) for request in asked if request.status not in (200, 201, 302, 401)}
    (told,) = story.releases.values()
    tags = [f"/releases/tags/mlops-ci-{kind}-{told[kind]}" for kind in ("bundle", "predictions")]
    assert refused == {("mlops-release.yml: release", tag) for tag in tags}, "it asks whether they are there"
    wrote = {request.job for request in asked if request.method != "GET" and not _reads(request.path)}
    assert wrote - {None} == {"mlops-record.yml: record", "mlops-release.yml: release"}
    assert "job-token" not in "".join(ran.log for ran in story.actions.ran)


def test_the_merge_is_released_by_a_workflow_that_leaves_bundle_image_and_decision(story: Story) -> None:
    merged = story.chapters[-1].head
    assert story.actions.ran[-1].code == 0, story.actions.ran[-1].log
    (name, told), *more = story.releases.items()
    assert (name, more, told["commit"]) == ("releases/desk/v1.json", [], merged)
    there = {each.tag: [asset.name for asset in each.assets] for each in story.site.state.releases.values()}
    names = [f"{kind}-{told[kind]}" for kind in ("bundle", "predictions")]
    assert there == {f"mlops-ci-{name}": [f"{name}.zip"] for name in names}
    assert bool(story.images) == ("image" in told), "asked for in the registry when it was made"
    (page,) = [page for page in story.actions.ran[-1].summaries if page]
    assert "desk: **released**" in page
    assert "gives the judged answers on 107 held-out rows: every label equal" in page


def test_what_is_shown_in_the_end_names_every_commit(story: Story) -> None:
    text = shown(story)
    assert all(chapter.head[:7] in text for chapter in story.chapters)
    assert re.search(r"[0-9a-f]{7} passed: desk", text)


def test_what_has_not_changed_takes_less_than_half_a_minute(tmp_path: Path) -> None:
    """From the push to the status, the work of all jobs together, on the example project whose inputs are as they were.

    What they install comes from caches and is apart. The processor's time is counted: machines are busy.
    """
    story = unchanged(tmp_path, lambda line: None)
    first, stricter, again = story.chapters
    assert story.site.gate(again.head).state == "success"  # type: ignore[union-attr]
    assert "train     restored" in story.actions.ran[2].log
    assert "restored  nothing it reads has changed" in story.actions.ran[4].log
    assert first.processor.work > again.processor.work > 1, "nothing is counted"
    assert again.processor.installs > 0
    assert stricter.processor.work < 30
    assert again.processor.work < 30


def _gates(story: Story, head: str) -> list[str]:
    return [status.state for status in story.site.gates(head)]


def _reads(path: str) -> bool:
    return path.endswith("git-upload-pack")
