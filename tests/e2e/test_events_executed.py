"""A repository of three projects, its workflows executed by act: a pull request, a fork's, and the merge queue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.scene import BETTER, WORSE, Files, Scene, runners, scene
from tests.github.runner import CHECK, RECORD, Actions
from tests.github.site import git

pytestmark = [pytest.mark.needs("registry"), pytest.mark.timeout(900)]
WORKFLOW = f".github/workflows/{CHECK}"
SECRET = "DATA_KEY"
KEY = "key-of-the-data"
RUNNER = f"runner: {{secrets: [{SECRET}], setup: ['echo the key has ${{#{SECRET}}} characters']}}\ngates:"
MAY = "      contents: read # check out the commit; this job runs the branch's code and may write nothing\n"
STEAL = """
      - name: Take what there is
        if: always()
        env:
          TOKEN: ${{ github.token }}
          KEY: ${{ secrets.DATA_KEY }}
        run: |
          echo "a step of the fork sees a key of ${#KEY} characters"
          agent="fork ($GITHUB_WORKFLOW_REF; $GITHUB_JOB)"
          told='{"state": "success", "context": "mlops / gate"}'
          curl --silent --user-agent "$agent" --header "Authorization: Bearer $TOKEN" --json "$told" \\
            "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/statuses/$GITHUB_SHA"
          basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap 0)
          git -c http.userAgent="$agent" -c http.extraHeader="Authorization: basic $basic" \\
            push "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY.git" HEAD:refs/heads/theirs || echo "and nothing is pushed"
"""


class Place(Scene):
    """A scene whose jobs act runs."""

    actions: Actions

    def judged(self, run: int) -> None:
        """The recording workflow for a run of the check: both jobs succeed."""
        done = self.actions.record(run)
        assert done.code == 0, done.log


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("events")
    with scene(folder, several=True) as made:
        place = Place(made.site, made.desk)
        settings = (made.desk / "bus/mlops.yaml").read_text()
        made.commit("main", {"bus/mlops.yaml": settings.replace("gates:", RUNNER)})
        place.actions = runners(made, folder)
        place.actions.secrets[SECRET] = KEY
        yield place


def _in(folder: str, files: Files) -> Files:
    return {f"{folder}/{name}": content for name, content in files.items()}


def test_of_three_projects_that_change_each_has_a_job_and_all_have_one_comment(here: Place) -> None:
    head = here.pull(7, {**_in("bus", BETTER), **_in("rain", WORSE), **_in("tram", BETTER)})
    run = here.actions.check(here.site.on_pull_request(7))
    log = here.actions.ran[-1].log
    assert here.site.state.runs[run].conclusion == "failure", "rain is refused"
    assert {one.name for one in here.site.state.artifacts.values() if one.run == run} == {
        f"mlops-run-{name}" for name in ("bus", "rain", "tram")
    }
    assert f"the key has {len(KEY)} characters" in log
    assert KEY not in log
    here.judged(run)
    assert here.told(head)[0] == "failure"
    assert here.told(head)[1].startswith("2 of 3 projects passed. rain: refused")
    outcomes = [("bus", "passed"), ("rain", "failed"), ("tram", "passed")]
    assert here.recorded(head) == [(*each, "pull-request") for each in outcomes]
    assert "### **refused**: 2 of 3 projects passed" in here.comment(7).body


def test_a_fork_is_judged_and_can_neither_write_nor_see_a_secret_whatever_its_workflow_asks_for(here: Place) -> None:
    text = (here.desk / WORKFLOW).read_text()
    assert text.count(MAY) == 1
    asks = text.replace(MAY, f"{MAY}      statuses: write # to say passed\n".replace("read #", "write #"))
    head = here.fork(8, {**_in("bus", WORSE), WORKFLOW: f"{asks.rstrip()}\n{STEAL}"})
    here.site.github.requests.clear()
    run = here.actions.check(here.site.on_pull_request(8))
    log = here.actions.ran[-1].log
    assert "the key has 0 characters" in log
    assert "a step of the fork sees a key of 0 characters" in log
    assert "and nothing is pushed" in log
    refused = [(one.method, one.path.rpartition("/")[2]) for one in here.site.github.requests if one.status == 403]
    assert {one.job for one in here.site.github.requests if one.status == 403} == {f"{CHECK}: run"}
    assert [("POST", head), ("GET", "refs")] == refused
    assert here.site.gate(head) is None
    assert "theirs" not in git(here.site.remote, "branch", "--list")
    here.judged(run)
    assert here.told(head)[0] == "failure"
    assert [(project, trust) for project, _, trust in here.recorded(head)] == [("bus", "fork")]
    assert "made on a fork" in here.comment(8).body


def test_the_commit_of_a_merge_queue_gets_a_status_of_its_own(here: Place) -> None:
    branch = "gh-readonly-queue/main/pr-7-0123456"
    sha = here.push(branch, _in("tram", BETTER))
    here.site.github.requests.clear()
    run = here.actions.check(here.site.on_merge_group(sha, branch))
    here.judged(run)
    assert here.told(sha)[0] == "success"
    assert here.told(sha)[1].startswith("tram: passed")
    assert here.recorded(sha) == [("tram", "passed", "pull-request")]
    assert not here.site.comments(9)
    assert {one.status for one in here.site.github.requests} <= {200, 201, 302, 401}  # 401: git asks first
    jobs = {one.job for one in here.site.github.requests if one.job}
    assert jobs == {f"{CHECK}: plan", f"{CHECK}: run", f"{RECORD}: judge", f"{RECORD}: record"}
