"""One pull request for whatever version is the newest: what becomes of it from week to week, on the tests' GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from mlops_ci.edge.git import Repository
from mlops_ci.errors import MlopsCiError
from mlops_ci.records.upgrades import JudgedAgain, TakenOver
from mlops_ci.steps import upgrade
from mlops_ci.steps.newer import Newer
from mlops_ci.steps.upgrade import Proposed
from tests.github.fake import FakeGitHub
from tests.github.judging import workflows
from tests.github.state import Pull
from tests.helpers import bare, commit, git, repo

BRANCH = "mlops-ci/upgrade"
TOOL_LOCK, GENERATED = ".mlops-ci/tool.lock", ".mlops-ci/generated.lock"
WORKFLOW = ".github/workflows/mlops-check.yml"
BEFORE = {TOOL_LOCK: "mlops-ci==1.0\n", WORKFLOW: "name: 1.0\n", GENERATED: "1.0\n", "notes.md": "a\n"}


class Weeks:
    """A repository, its remote behind GitHub, and the job that runs every week in a fresh clone."""

    def __init__(self, folder: Path, github: FakeGitHub, desk: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.github, self.desk, self.patch = folder, github, desk, patch
        self.remote = folder / "remote.git"
        self._week = 0

    def run(self, version: str, *, files: tuple[str, ...] = (), token: str = "") -> Proposed:
        """One week in which `version` is the newest, and `files` become others by it."""
        self._week += 1
        clone = self.folder / f"clone-{self._week}"
        git(self.folder, "clone", "--quiet", str(self.remote), str(clone))
        git(clone, "remote", "set-url", "origin", self.github.git_url)
        for name, value in self._variables(token).items():
            self.patch.setenv(name, value)
        newer = Newer(current="1.0", newest=version, lock=f"mlops-ci=={version}\n")
        texts = {path: f"name: {version}\n".encode() for path in files}
        judged = JudgedAgain(decisions=2, verdicts=self._week + 5, stay=self._week + 5)
        taken = TakenOver(version=version, files=texts, judged=judged)
        repository = Repository(clone)
        found = upgrade.answered(newer) or upgrade.propose(repository, newer, taken)
        assert git(clone, "status", "--porcelain") == "", "the checkout is not touched"
        return found

    def push(self, branch: str, files: dict[str, str]) -> str:
        """A person adds a commit to a branch."""
        git(self.desk, "fetch", "--quiet", "origin")
        git(self.desk, "checkout", "--quiet", "-B", branch, f"origin/{branch}")
        sha = commit(self.desk, files, "mine")
        git(self.desk, "push", "--quiet", "origin", branch)
        return sha

    def merge(self, *how: str) -> None:
        """A person merges the pull request."""
        git(self.desk, "fetch", "--quiet", "origin")
        git(self.desk, "merge", "--quiet", *how, f"origin/{BRANCH}")
        commit(self.desk, {}, "merged")
        git(self.desk, "push", "--quiet", "origin", "main")
        self.pull.merged_at, self.pull.state = "2026-01-01T00:00:00Z", "closed"

    @property
    def pull(self) -> Pull:
        (found,) = [pull for pull in self.github.state.pulls.values() if pull.state == "open"]
        return found

    def changes(self) -> dict[str, str]:
        """What the pull request would bring into main: path -> content."""
        names = git(self.remote, "diff", "--name-only", f"main...{BRANCH}").splitlines()
        return {name: git(self.remote, "show", f"{BRANCH}:{name}") for name in names}

    def holds(self, sha: str) -> bool:
        return sha in git(self.remote, "rev-list", BRANCH).splitlines()

    def tip(self) -> str:
        return git(self.remote, "rev-parse", BRANCH)

    def _variables(self, token: str) -> dict[str, str]:
        return self.github.environment("mlops-upgrade.yml", "upgrade") | {
            "MLOPS_CI_TOKEN": token,
            "GITHUB_EVENT_NAME": "schedule",
            "GITHUB_SHA": "0" * 40,
            "GITHUB_RUN_ID": "1",
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "RUNNER_TEMP": str(self.folder),
        }


@pytest.fixture
def weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Weeks]:
    desk = repo(tmp_path / "desk", BEFORE)
    remote = bare(desk, tmp_path / "remote.git")
    with FakeGitHub(workflows(tmp_path / "workflows"), git=remote) as github:
        github.state.actions_may_open_pulls = True
        yield Weeks(tmp_path, github, desk, monkeypatch)


def test_one_that_is_open_gets_the_new_text_and_its_branch_stays_where_nothing_else_is_new(weeks: Weeks) -> None:
    opened = weeks.run("2.0")
    assert (opened.state, weeks.pull.title) == ("opened", "Upgrade mlops-ci to 2.0")
    assert "6 of 6 verdicts" in weeks.pull.body
    tip = weeks.tip()
    again = weeks.run("2.0")
    assert (again.state, again.address) == ("updated", opened.address)
    assert "7 of 7 verdicts" in weeks.pull.body
    assert weeks.tip() == tip
    weeks.github.state.pulls[weeks.pull.number].body = weeks.pull.body.replace("7 of 7", "8 of 8").strip()
    before = len(weeks.github.requests)
    assert weeks.run("2.0").state == "open already"
    assert {one.method for one in weeks.github.requests[before:]} == {"GET", "POST"}, "git alone posts"
    assert all(one.path.endswith("/git-upload-pack") for one in weeks.github.requests[before:] if one.method == "POST")


def test_a_newer_version_takes_the_pull_request_over_and_nothing_of_the_older_one_is_left(weeks: Weeks) -> None:
    weeks.run("2.0", files=(WORKFLOW, GENERATED), token="person-token")
    number, first = weeks.pull.number, weeks.tip()
    assert weeks.changes() == {TOOL_LOCK: "mlops-ci==2.0", WORKFLOW: "name: 2.0", GENERATED: "name: 2.0"}
    weeks.push("main", {"notes.md": "b\n"})
    assert weeks.run("3.0", token="person-token").state == "updated"
    assert (weeks.pull.number, weeks.pull.title) == (number, "Upgrade mlops-ci to 3.0")
    assert "1.0 → 3.0" in weeks.pull.body
    assert "2.0" not in weeks.pull.body
    assert weeks.changes() == {TOOL_LOCK: "mlops-ci==3.0"}
    assert weeks.holds(first), "never by force"
    assert git(weeks.remote, "show", f"{BRANCH}:notes.md") == "b", "begun anew from main"


def test_what_people_did_to_it_stays_as_long_as_the_version_does(weeks: Weeks) -> None:
    assert weeks.run("2.0", files=(WORKFLOW, GENERATED)).left_out == (WORKFLOW, GENERATED)
    mine = weeks.push(BRANCH, {WORKFLOW: "name: 2.0\n", GENERATED: "name: 2.0\n"})
    weeks.pull.title = "chore: upgrade"
    weeks.run("2.0", files=(WORKFLOW, GENERATED))
    assert weeks.tip() == mine
    assert weeks.pull.title == "chore: upgrade"
    weeks.run("3.0", files=(WORKFLOW, GENERATED))
    assert weeks.pull.title == "Upgrade mlops-ci to 3.0"
    assert weeks.changes() == {TOOL_LOCK: "mlops-ci==3.0"}
    assert weeks.holds(mine)


def test_a_token_of_its_own_brings_what_was_left_out(weeks: Weeks) -> None:
    weeks.run("2.0", files=(WORKFLOW, GENERATED))
    first = weeks.tip()
    assert "**Left out**" in weeks.pull.body
    assert "holds the checks" in weeks.pull.body
    updated = weeks.run("2.0", files=(WORKFLOW, GENERATED), token="person-token")
    assert (updated.state, updated.left_out) == ("updated", ())
    assert weeks.changes() == {TOOL_LOCK: "mlops-ci==2.0", WORKFLOW: "name: 2.0", GENERATED: "name: 2.0"}
    assert weeks.holds(first)
    assert "Left out" not in weeks.pull.body
    assert "holds the checks" not in weeks.pull.body


def test_a_token_of_its_own_that_does_not_hold_is_told_by_its_name(weeks: Weeks) -> None:
    with pytest.raises(MlopsCiError) as told:
        weeks.run("2.0", token="expired")
    assert "MLOPS_CI_TOKEN" in told.value.advice
    assert not weeks.github.state.pulls


@pytest.mark.parametrize("merged", [False, True])
def test_one_that_was_closed_answers_for_its_version_and_for_no_other(weeks: Weeks, merged: bool) -> None:
    first = weeks.run("2.0")
    weeks.pull.merged_at = "2026-01-01T00:00:00Z" if merged else None
    weeks.pull.state = "closed"
    tip = weeks.tip()
    assert weeks.run("2.0") == msgspec.structs.replace(first, state="merged or closed before")
    assert weeks.tip() == tip
    second = weeks.run("3.0")
    assert second.state == "opened"
    assert second.address != first.address
    assert weeks.changes() == {TOOL_LOCK: "mlops-ci==3.0"}
    weeks.pull.state = "closed"
    assert weeks.run("2.0").address == first.address


@pytest.mark.parametrize("how", ["--no-ff", "--squash"])
def test_after_it_was_merged_the_branch_that_is_still_there_begins_anew(weeks: Weeks, how: str) -> None:
    weeks.run("2.0")
    weeks.merge(how)
    weeks.run("3.0")
    assert weeks.changes() == {TOOL_LOCK: "mlops-ci==3.0"}
    assert git(weeks.remote, "merge-tree", "--write-tree", "main", BRANCH) == git(
        weeks.remote, "rev-parse", f"{BRANCH}^{{tree}}"
    ), "it merges without a conflict"


def test_one_that_the_default_branch_has_overtaken_is_closed_with_a_sentence(weeks: Weeks) -> None:
    weeks.run("2.0")
    number, tip = weeks.pull.number, weeks.tip()
    newer = Newer(current="2.0", newest="2.0", lock="mlops-ci==2.0\n")
    closed = upgrade.close_overtaken(newer)
    assert closed is not None
    assert closed.state == "closed: the default branch has this version"
    assert weeks.github.state.pulls[number].state == "closed"
    (comment,) = weeks.github.state.comments.values()
    assert (comment.number, comment.login) == (number, "github-actions[bot]")
    assert "The default branch has mlops-ci 2.0, which is the newest there is" in comment.body
    assert weeks.tip() == tip
    assert upgrade.close_overtaken(newer) is None
    assert len(weeks.github.state.comments) == 1


def test_where_no_pull_request_may_be_opened_the_branch_does_not_grow_from_week_to_week(weeks: Weeks) -> None:
    weeks.github.state.actions_may_open_pulls = False
    for _ in range(2):
        with pytest.raises(MlopsCiError) as told:
            weeks.run("2.0")
        assert "Settings > Actions > General" in told.value.advice
    assert git(weeks.remote, "rev-list", "--count", f"main..{BRANCH}") == "1"
