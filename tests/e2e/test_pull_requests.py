"""What people see of pull requests on GitHub: the comment, the status of each commit, the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import helpers
from tests.e2e.bad_input import csv_text, rows
from tests.e2e.scene import BETTER, PROSE, WORSE, Scene, scene
from tests.github.site import LEDGER, git
from tests.unit.reports.test_report_markdown import ALLOWED, shown

PASSED = "rain: passed. Its one gate holds; accuracy fell from 0.74 to 0.72 (needs ≥ 0.6)"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


def test_a_first_pull_request_gets_a_comment_a_status_and_a_decision(here: Scene) -> None:
    head = here.pull(7, BETTER)
    here.through(7)
    assert here.told(head) == ("success", PASSED)
    assert here.recorded(head) == [("rain", "passed", "pull-request")]
    comment = here.comment(7)
    assert comment.login == "github-actions[bot]"
    assert here.status(head).target_url == f"https://github.com/acme/ml/pull/7#issuecomment-{comment.id}"
    assert "predictions as reported by this branch's code" in comment.body
    charts = set(re.findall(r"blob/([0-9a-f]{40})/(decisions/\S+\.svg)\?raw=true", comment.body))
    assert charts
    for commit, path in charts:
        assert git(here.site.remote, "show", f"{commit}:{path}").startswith("<svg")


def test_a_second_push_updates_the_comment_in_place(here: Scene) -> None:
    first = here.pull(7, BETTER)
    here.through(7)
    before = here.comment(7)
    second = here.push("side", {"params.yaml": "limit: 5.2\n"})
    here.through(7)
    after = here.comment(7)
    assert after.id == before.id
    assert "Earlier: </b>1 run of this pull request, the last one passed</summary>" in after.body
    assert re.search(rf"\n- passed at `{first[:7]}`, decision `[0-9a-f]{{12}}`\n", after.body)
    assert [here.told(sha)[0] for sha in (first, second)] == ["success", "success"]
    assert [here.recorded(sha) for sha in (first, second)] == [[("rain", "passed", "pull-request")]] * 2


def test_a_red_gate_then_its_fix(here: Scene) -> None:
    red = here.pull(7, WORSE)
    here.through(7)
    assert here.told(red)[0] == "failure"
    assert here.told(red)[1] == "rain: refused. Accuracy fell from 0.74 to 0.49, below 0.6"
    assert here.comment(7).body.splitlines()[1].startswith("### rain: **refused**")
    green = here.push("side", BETTER)
    here.through(7)
    assert here.told(green) == ("success", PASSED)
    assert f"- refused at `{red[:7]}`" in here.comment(7).body
    assert here.told(red)[0] == "failure"
    assert [here.recorded(sha)[0][1] for sha in (red, green)] == ["failed", "passed"]


def test_a_fork_is_judged_like_others_and_its_trust_is_another(here: Scene) -> None:
    head = here.fork(8, BETTER)
    assert "theirs" not in git(here.site.remote, "branch", "--list")
    here.record(here.run(8, token="fork-token"))
    assert here.told(head)[0] == "success"
    assert here.recorded(head) == [("rain", "passed", "fork")]
    assert "made on a fork" in here.comment(8).body
    asked = [each.path for each in here.site.github.requests if each.job and each.job.startswith("mlops-check")]
    assert asked
    assert all(path.endswith(("/info/refs", "/git-upload-pack")) for path in asked)


def test_a_fork_that_is_deleted_is_still_told(here: Scene) -> None:
    head = here.fork(8, WORSE)
    run = here.run(8, token="fork-token")
    here.site.state.pulls[8].head_repository = here.site.state.runs[run].head_repository = None
    here.record(run)
    assert here.told(head)[0] == "failure"
    assert here.recorded(head) == [("rain", "failed", "fork")]


def test_dependabot_whose_token_only_reads_is_judged_like_others(here: Scene) -> None:
    head = here.pull(9, {"requirements.in": "pandas\n"}, branch="dependabot/pip/pandas")
    here.site.state.pulls[9].login = "dependabot[bot]"
    here.record(here.run(9, token="fork-token"))
    assert here.told(head)[0] == "success"
    assert here.recorded(head) == [("rain", "passed", "pull-request")]


def test_the_merge_queue_waits_for_a_status_of_its_own_commit(here: Scene) -> None:
    branch = "gh-readonly-queue/main/pr-7-0123456"
    sha = here.push(branch, WORSE)
    here.record(here.jobs.check(here.site.on_merge_group(sha, branch)))
    assert here.told(sha)[0] == "failure"
    assert here.status(sha).target_url.startswith("https://github.com/acme/ml/blob/")  # type: ignore[union-attr]
    assert here.recorded(sha) == [("rain", "failed", "pull-request")]
    assert not here.site.state.comments


@pytest.mark.parametrize(("method", "path", "nth"), [("GET", "info/refs", 4), ("POST", "git-receive-pack", 1)])
def test_two_pull_requests_at_once_are_both_in_the_ledger(here: Scene, method: str, path: str, nth: int) -> None:
    """The other is pushed when git is about to look at the ledger to push on (checkouts and a fetch come before that),
    or has looked.
    """
    one, other = here.pull(7, BETTER), here.pull(8, WORSE, branch="other")
    before = here.site.tip(LEDGER)
    runs = here.run(7), here.run(8)
    here.record(runs[0])
    first = here.site.tip(LEDGER)
    git(here.site.remote, "update-ref", f"refs/heads/{LEDGER}", before)  # the second has not seen the first
    with here.jobs.judged(runs[1]) as (_, handed):
        late = here.site.github.fail(
            method,
            f"/git/acme/ml.git/{path}",
            nth=nth,
            meanwhile=lambda: git(here.site.remote, "update-ref", f"refs/heads/{LEDGER}", first),
        )
        assert here.jobs.recorded(runs[1], handed).code == 0
    assert late.seen > nth  # and then once more
    assert (here.recorded(one)[0][1], here.recorded(other)[0][1]) == ("passed", "failed")
    assert (here.told(one)[0], here.told(other)[0]) == ("success", "failure")
    assert {here.comment(7).id, here.comment(8).id} == {*here.site.state.comments}
    git(here.site.remote, "merge-base", "--is-ancestor", first, LEDGER)


def test_a_run_that_is_run_again_gives_the_same_decision_and_no_second_comment(here: Scene) -> None:
    head = here.pull(7, BETTER)
    run = here.run(7)
    here.record(run)
    comment, decisions = here.comment(7).body, here.site.decisions()
    artifacts = {each.name: each.content for each in here.site.state.artifacts.values() if each.run == run}
    here.site.state.runs[run].run_attempt = 2
    here.site.left(run, artifacts)
    here.record(run)
    assert here.site.decisions() == decisions
    assert here.comment(7).body == comment.replace('"attempt":1', '"attempt":2')
    assert "Earlier: </b>" not in comment
    assert [status.state for status in here.site.gates(head)] == ["success", "success"]
    newest = here.comment(7).body
    here.site.state.runs[run].run_attempt = 1
    here.record(run)
    assert here.comment(7).body == newest
    here.through(7)  # another run of the same commit
    assert here.site.decisions() == decisions
    assert "Earlier: </b>" not in here.comment(7).body


def test_a_run_recorded_late_gives_its_commit_a_status_and_leaves_the_comment(here: Scene) -> None:
    first = here.pull(7, WORSE)
    older = here.run(7)
    second = here.push("side", BETTER)
    here.through(7)
    newest = here.comment(7).body
    here.record(older)
    assert here.comment(7).body == newest
    assert (here.told(first)[0], here.told(second)[0]) == ("failure", "success")
    assert (here.recorded(first)[0][1], here.recorded(second)[0][1]) == ("failed", "passed")


def test_a_run_of_a_commit_that_was_pushed_over_is_recorded_too(here: Scene) -> None:
    first = here.pull(7, WORSE)
    older = here.run(7)
    helpers.git(here.desk, "reset", "--quiet", "--hard", "main")
    here.push("side", BETTER)
    here.record(older)
    assert here.told(first)[0] == "failure"
    assert "refused" in here.comment(7).body


@pytest.mark.parametrize(
    ("conclusion", "reason"),
    [
        ("cancelled", "The run was cancelled"),
        ("timed_out", "The run took longer than it may"),
        ("action_required", "The run waits until somebody who may write here approves it"),
        ("failure", "The run left nothing to judge"),
    ],
)
def test_a_run_without_evidence_is_an_error_with_its_reason(here: Scene, conclusion: str, reason: str) -> None:
    head = here.pull(7, BETTER)
    run = here.site.finished(here.site.on_pull_request(7), conclusion, {})
    here.record(run)
    assert here.told(head) == ("error", f"rain: could not be judged. {reason}")
    assert reason in here.comment(7).body
    assert here.recorded(head) == []
    here.through(7)
    assert here.told(head) == ("success", PASSED)


def test_a_run_that_a_newer_push_cancelled_says_nothing(here: Scene) -> None:
    first = here.pull(7, WORSE)
    run = here.site.finished(here.site.on_pull_request(7), "cancelled", {})
    here.push("side", BETTER)
    done = here.record(run)
    assert "a newer run is about it" in done.record.out
    assert (here.site.gates(first), here.site.comments(7)) == ([], [])


def test_a_closed_pull_request_is_told_nothing(here: Scene) -> None:
    head = here.pull(7, WORSE)
    run = here.run(7)
    here.site.state.pulls[7].state = "closed"
    assert "its pull request is closed" in here.record(run).record.out
    assert (here.site.gates(head), here.site.comments(7), here.recorded(head)) == ([], [], [])


def test_prose_alone_is_green_without_a_run(here: Scene) -> None:
    head = here.pull(7, PROSE)
    assert here.jobs.planned(here.site.on_pull_request(7)) == []
    here.through(7)
    assert max(here.site.state.runs) not in {artifact.run for artifact in here.site.state.artifacts.values()}
    assert here.told(head) == ("success", "nothing that is judged has changed")
    assert here.recorded(head) == []
    assert "Nothing that is judged has changed" in here.comment(7).body


def test_a_comment_that_a_person_deleted_comes_again(here: Scene) -> None:
    here.pull(7, BETTER)
    here.through(7)
    gone = here.comment(7).id
    del here.site.state.comments[gone]
    here.push("side", WORSE)
    here.through(7)
    assert here.comment(7).id != gone
    assert "refused" in here.comment(7).body


def test_what_a_person_copied_of_the_comment_is_left_alone(here: Scene) -> None:
    here.pull(7, BETTER)
    here.through(7)
    ours = here.comment(7)
    copied = type(ours)(id=5, number=7, body=ours.body, login="ada", created_at=ours.created_at)
    here.site.state.comments = {5: copied, **here.site.state.comments}
    here.push("side", WORSE)
    here.through(7)
    assert here.site.state.comments[5].body == copied.body
    assert "refused" in here.site.state.comments[ours.id].body


# The ledger


def test_a_ledger_that_is_gone_begins_anew(here: Scene) -> None:
    git(here.site.remote, "update-ref", "-d", f"refs/heads/{LEDGER}")
    head = here.pull(7, BETTER)
    here.through(7)
    assert here.told(head)[0] == "success"
    assert [one.commit for one in here.site.decisions()] == [head]


def test_a_protected_ledger_is_an_error_that_says_what_to_do(here: Scene) -> None:
    head = here.pull(7, BETTER)
    here.site.state.branches[LEDGER].protected = True
    ledger = here.site.tip(LEDGER)
    run = here.run(7)
    done = here.jobs.record(run)
    assert (done.judge.code, done.record.code) == (0, 3)
    assert "contents: write" in done.record.out
    assert "unprotected" in done.record.out
    state, sentence = here.told(head)
    assert (state, sentence[:32]) == ("error", "could not be judged: nothing was")
    assert "refused" in here.comment(7).body
    assert "Protected branch update failed" in here.comment(7).body
    assert here.site.tip(LEDGER) == ledger
    here.site.state.branches[LEDGER].protected = False
    here.record(run)
    assert here.told(head) == ("success", PASSED)
    assert "Protected" not in here.comment(7).body


# Names that want to be more than names

EVIL = ('<img src=x onerror="alert(1)">', "@octocat", "[a](https://evil.example)", "#1", "https://evil.example/x")


def test_hostile_names_are_texts_in_comment_and_status(here: Scene) -> None:
    columns = ("trip", "town", "rain", "wind", "late", *EVIL)
    table = csv_text([[*row, *("1" if index % 2 else "" for _ in EVIL)] for index, row in enumerate(rows())], columns)
    files = {"data/trains.csv": table, "params.yaml": "limit: 5.1\n", f"notes/{EVIL[1]} #1 <b>.txt": "x"}
    branch = "@octocat/<b>#1-${{github.token}}"
    here.commit(branch, files, message=f"{EVIL[0]} {EVIL[1]} {EVIL[2]} #1")
    helpers.git(here.desk, "push", "--quiet", "origin", branch)
    here.site.opened(7, branch, title=" ".join(EVIL))
    here.through(7)
    found = shown(here.comment(7).body.partition("\n")[2])
    assert "octocat" in found.text
    assert {tag for tag, _ in found.seen} <= ALLOWED | {"a", "sub"}
    for tag, attributes in found.seen:
        assert set(attributes) <= {"src", "alt", "style", "align", "href", "open"}, (tag, attributes)
        for address in (attributes.get("src"), attributes.get("href")):
            assert address is None or address.startswith("https://github.com/acme/ml/"), address
    assert not re.search(r"@\w|(?<!\w)#\d|GH-\d|://|www\.", found.codeless)
