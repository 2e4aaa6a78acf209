"""Promotions and rollbacks by pull requests, on the tests' GitHub: opened, found again, given way, closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.flows.promote import Moved, promote
from mlops_ci.promotion.rules import Way
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports import promotion_pull
from mlops_ci.reports.markdown import LIMIT
from mlops_ci.steps.progress import Silent
from mlops_ci.steps.promotion import Wish
from tests.github.fake import FakeGitHub
from tests.github.judging import workflows
from tests.github.state import Pull
from tests.helpers import bare, commit, git, repo
from tests.released import SETTINGS, released

FILE = "environments/production.yaml"
FLAT = SETTINGS + "environments: {dev: {}, production: {}}\n"


class Place:
    """A desk with three releases, and its remote behind GitHub."""

    def __init__(self, root: Path, remote: Path, github: FakeGitHub) -> None:
        self.root, self.remote, self.github = root, remote, github

    def go(self, release: str = "", *, way: Way = Way.PULL_REQUEST, environment: str = "production") -> Moved:
        return promote(self.root, Wish(environment=environment, release=release, way=way), Silent())

    def back(self, release: str = "", *, way: Way = Way.PULL_REQUEST, reason: str = "too slow") -> Moved:
        # Bundles here are digests without files: what a rollback finds of them is asked elsewhere.
        wish = Wish(environment="production", release=release, way=way, reason=reason, back=True, emergency=True)
        return promote(self.root, wish, Silent())

    def merge(self, number: int) -> None:
        """A person merges it, by a squash."""
        pull = self.github.state.pulls[number]
        git(self.root, "fetch", "--quiet", "origin")
        git(self.root, "reset", "--quiet", "--hard", "origin/main")
        git(self.root, "merge", "--quiet", "--squash", f"origin/{pull.head_ref}")
        commit(self.root, {}, pull.title)
        git(self.root, "push", "--quiet", "origin", "main")
        pull.state, pull.merged_at = "closed", "2026-01-01T00:00:00Z"

    @property
    def open(self) -> list[int]:
        return [number for number, pull in self.github.state.pulls.items() if pull.state == "open"]

    def pull(self, number: int) -> Pull:
        return self.github.state.pulls[number]

    def said(self, number: int) -> list[str]:
        return [one.body for one in self.github.state.comments.values() if one.number == number]

    def branches(self) -> list[str]:
        return git(self.remote, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/mlops-ci").splitlines()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    root = repo(tmp_path / "desk", {"mlops.yaml": FLAT, ".gitignore": ".mlops-ci/\n"})
    git(root, "config", "user.name", "Ada Example")
    git(root, "config", "user.email", "ada@example.org")
    remote = bare(root, tmp_path / "remote.git")
    released(root, 1, 2, 3)
    git(root, "push", "--quiet", "origin", "mlops-reports")
    with FakeGitHub(workflows(tmp_path / "workflows"), git=remote) as github:
        git(root, "remote", "set-url", "origin", github.git_url.replace("://", "://ada:person-token@"))
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/ml")
        monkeypatch.setenv("GH_TOKEN", "person-token")
        yield Place(root, remote, github)


def number(moved: Moved) -> int:
    pull = moved.document()["pull_request"]
    assert pull is not None
    return int(pull["number"])


def test_one_is_opened_with_the_report_and_main_stays_until_it_is_merged(place: Place) -> None:
    main = git(place.remote, "rev-parse", "main")
    moved = place.go("v1")
    assert moved.outcome is Outcome.PASSED
    assert moved.document()["pull_request"] == {"number": 1, "address": "https://github.com/acme/ml/pull/1"}
    pull = place.pull(1)
    assert (pull.title, pull.base_ref, pull.head_ref) == ("Promote v1 to production", "main", place.branches()[0])
    assert "flights: **promoted**. v1 goes to production" in pull.body
    assert f"| {FILE} | before | after |" in pull.body
    assert f"it changes `{FILE}` and nothing else" in pull.body
    assert git(place.remote, "rev-parse", "main") == main
    assert git(place.remote, "diff", "--name-only", f"main...{pull.head_ref}") == FILE
    assert f"decision: {moved.decision}" in git(place.remote, "show", f"{pull.head_ref}:{FILE}").replace('"', "")
    assert git(place.remote, "rev-parse", "mlops-reports") == git(place.root, "rev-parse", "mlops-reports")
    place.merge(1)
    assert place.go("v1").already


def test_the_same_again_finds_the_one_that_is_open(place: Place) -> None:
    first = place.go("v1")
    heads = git(place.remote, "for-each-ref")
    again = place.go("v1")
    assert (again.proposed_before, again.already, again.outcome) == (True, False, Outcome.PASSED)
    shown, before = again.document(), first.document()
    for key in ("pull_request", "decision", "commit", "branch", "release"):
        assert shown[key] == before[key], key
    assert git(place.remote, "for-each-ref") == heads
    commit(place.root, {"notes.md": "meanwhile\n"}, "A note")
    git(place.root, "push", "--quiet", "origin", "main")
    assert place.go("v1").proposed_before, "what it was planned on is what main has"


def test_another_release_waits_until_the_first_is_merged_or_closed(place: Place) -> None:
    place.go("v1")
    heads = git(place.remote, "for-each-ref")
    with pytest.raises(OutsideError, match="a pull request for v1 is open already: #1"):
        place.go("v2")
    assert git(place.remote, "for-each-ref") == heads
    assert place.go("v2", environment="dev").carried is not None, "another environment is not in the way"
    place.pull(1).state = "closed"
    assert number(place.go("v2")) == 3
    assert place.open == [2, 3]
    assert place.said(1) == []


def test_one_that_a_person_closed_is_no_answer_for_ever(place: Place) -> None:
    place.go("v1")
    place.pull(1).state = "closed"
    again = place.go("v1")
    assert (number(again), again.proposed_before) == (2, False)
    assert len(place.branches()) == 2


def test_a_rollback_closes_the_promotion_that_is_open_and_says_why(place: Place) -> None:
    place.go("v1", way=Way.PUSH)
    place.go("v2", way=Way.PUSH)
    place.go("v3")
    moved = place.back(reason="too slow [for](http://evil) @everyone")
    assert place.open == [number(moved)] == [2]
    assert place.pull(2).title == "Roll back production to v1"
    assert place.pull(2).head_ref.startswith("mlops-ci/rollback/flights/production-v1-")
    [said] = place.said(1)
    assert said.startswith("production goes back to v1 instead: too slow")
    assert "\\[for\\](http:\u200b//evil) @\u200beveryone" in said
    assert place.back().proposed_before
    with pytest.raises(OutsideError, match="a pull request for v1 is open already: #2"):
        place.go("v3")


def test_one_that_main_has_overtaken_is_closed_and_opened_anew(place: Place) -> None:
    first = place.go("v2")
    place.go("v1", way=Way.PUSH)
    moved = place.go("v2")
    assert (moved.proposed_before, place.open) == (False, [2])
    [said] = place.said(1)
    assert said.startswith("A new one is opened: production runs v1 now, and this one was planned on another file")
    assert moved.decision != first.decision
    pull = place.pull(2)
    assert git(place.remote, "merge-tree", "--write-tree", "main", pull.head_ref) == git(
        place.remote, "rev-parse", f"{pull.head_ref}^{{tree}}"
    )


def test_one_that_somebody_edited_by_hand_is_not_taken_for_ours(place: Place) -> None:
    place.go("v1")
    branch = place.pull(1).head_ref
    git(place.root, "fetch", "--quiet", "origin")
    git(place.root, "switch", "--quiet", "--detach", f"origin/{branch}")
    text = (place.root / FILE).read_text()
    commit(place.root, {FILE: text.replace("release: v1", "release: v3")}, "By hand")
    git(place.root, "push", "--quiet", "origin", f"HEAD:{branch}")
    git(place.root, "switch", "--quiet", "main")
    moved = place.go("v1")
    assert not moved.proposed_before
    assert place.open == [2]


@pytest.mark.parametrize("fault", [{"closed": True, "times": 9}, {"status": 500, "times": 9}])
def test_a_run_that_was_killed_before_it_opened_is_gone_on_with(place: Place, fault: dict[str, Any]) -> None:
    failing = place.github.fail("POST", "/pulls", **fault)
    with pytest.raises(OutsideError):
        place.go("v1")
    assert len(place.branches()) == 1
    place.github.faults.remove(failing)
    moved = place.go("v1")
    assert (number(moved), moved.proposed_before) == (1, True)
    assert place.pull(1).head_ref == place.branches()[0] == moved.document()["branch"]
    assert "flights: **promoted**. v1 goes to production" in place.pull(1).body
    assert len(place.branches()) == 1


def test_an_answer_that_was_lost_is_looked_for(place: Place) -> None:
    place.github.fail("POST", "/pulls", lost=True)
    assert number(place.go("v1")) == 1
    assert place.open == [1]


def test_of_two_at_the_same_moment_the_elder_stays(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(place.remote), str(other))
    git(other, "remote", "set-url", "origin", git(place.root, "remote", "get-url", "origin"))
    theirs = Place(other, place.remote, place.github)
    place.github.fail("POST", "/pulls", meanwhile=lambda: theirs.go("v2"))
    with pytest.raises(OutsideError, match="a pull request for v2 was opened at the same moment: #1"):
        place.go("v1")
    assert place.open == [1]
    assert place.said(2) == ["#1 was opened at the same moment, and production takes one at a time."]


def test_of_a_promotion_and_a_rollback_at_the_same_moment_the_rollback_stays(place: Place, tmp_path: Path) -> None:
    place.go("v1", way=Way.PUSH)
    place.go("v2", way=Way.PUSH)
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(place.remote), str(other))
    git(other, "remote", "set-url", "origin", git(place.root, "remote", "get-url", "origin"))
    theirs = Place(other, place.remote, place.github)
    place.github.fail("POST", "/pulls", meanwhile=lambda: theirs.go("v3"))
    assert number(place.back()) == 2
    assert place.open == [2]


@pytest.mark.parametrize(
    ("variables", "message", "advice"),
    [
        ({"GH_TOKEN": ""}, "there is no token for GitHub", "GH_TOKEN"),
        ({"GITHUB_REPOSITORY": ""}, "is no repository on 127.0.0.1", "GITHUB_REPOSITORY"),
        ({"GH_TOKEN": "expired"}, "", ""),
    ],
)
def test_without_access_to_github_nothing_is_pushed(
    place: Place, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str, advice: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    heads = git(place.remote, "for-each-ref"), git(place.root, "rev-parse", "mlops-reports")
    with pytest.raises((UsageError, OutsideError)) as told:
        place.go("v1")
    assert message in told.value.message
    assert advice in told.value.advice
    assert not message or "--push" in told.value.advice
    assert "person-token" not in told.value.message + told.value.advice
    assert (git(place.remote, "for-each-ref"), git(place.root, "rev-parse", "mlops-reports")) == heads
    git(place.root, "remote", "remove", "origin")
    with pytest.raises(UsageError, match="there is no remote where a pull request could be opened"):
        place.go("v1")


def test_a_dry_run_asks_no_github(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "")
    wish = Wish(environment="production", release="v1", way=Way.PULL_REQUEST)
    moved = promote(place.root, wish, Silent(), dry_run=True)
    assert "+release: v1\n" in moved.change
    assert (moved.carried, place.open) == (None, [])


def test_what_a_rule_refuses_is_not_proposed(place: Place) -> None:
    commit(place.root, {"mlops.yaml": FLAT.replace("production: {}", "production: {after: dev}")}, "Order")
    git(place.root, "push", "--quiet", "origin", "main")
    place.go("v2", environment="dev", way=Way.PUSH)
    assert place.go("v1").outcome is Outcome.FAILED
    assert (place.branches(), place.open) == ([], [])


def test_a_report_that_is_too_long_for_a_pull_request_is_named_instead() -> None:
    text = promotion_pull.body("x" * LIMIT, path=FILE, environment="production", decision="ab" * 32, waits=True)
    assert text.startswith("The report: `mlops-ci report abababababab`.")
    assert "GitHub holds the checks" in text
    assert len(text) < 1_000
