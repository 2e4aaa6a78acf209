"""Promotions and rollbacks with real git: here, to a remote, many at once, and whatever may come in between."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops_ci.config import environment_file
from mlops_ci.edge.git import Repository
from mlops_ci.errors import ConfigError, OutsideError, UsageError
from mlops_ci.flows.promote import Moved, promote
from mlops_ci.flows.status import status
from mlops_ci.promotion.rules import Way
from mlops_ci.records.environments import EnvironmentFile
from mlops_ci.records.outcomes import Outcome
from mlops_ci.steps import ledger
from mlops_ci.steps.progress import Silent
from mlops_ci.steps.promotion import Wish
from tests.helpers import bare, commit, git, repo
from tests.released import ENVIRONMENTS, SETTINGS, bundle_of, judged, released

FILE = "environments/production.yaml"
FLAT = SETTINGS + "environments: {dev: {}, production: {}}\n"


def project(path: Path, settings: str = SETTINGS + ENVIRONMENTS) -> Path:
    root = repo(path, {"mlops.yaml": settings, ".gitignore": ".mlops-ci/\n"})
    git(root, "config", "user.name", "Ada Example")
    git(root, "config", "user.email", "ada@example.org")
    return root


def go(root: Path, environment: str, release: str = "", *, way: Way = Way.COMMIT, **more: Any) -> Moved:
    return promote(root, Wish(environment=environment, release=release, way=way), Silent(), **more)


def back(root: Path, environment: str, release: str = "", *, way: Way = Way.COMMIT, reason: str = "too slow") -> Moved:
    # Bundles here are digests without files: what a rollback finds of them is asked elsewhere.
    wish = Wish(environment=environment, release=release, way=way, reason=reason, back=True, emergency=True)
    return promote(root, wish, Silent())


def running(root: Path, environment: str = "production") -> EnvironmentFile:
    path = root / f"environments/{environment}.yaml"
    return environment_file.parse(path.read_text(), file=path.name)


def test_a_release_goes_from_one_environment_to_the_next(tmp_path: Path) -> None:
    root = project(tmp_path / "r")
    releases = released(root, 1, 2)
    for name in ("dev", "staging", "production"):
        moved = go(root, name)
        assert (moved.outcome, moved.release) == (Outcome.PASSED, "v2")
        assert moved.story is not None
        assert moved.carried is not None
        assert git(root, "rev-parse", "main") == moved.carried.commit
        assert running(root, name).decision == moved.story.decision_id
        recorded = ledger.by_id(Repository.open(root), moved.story.decision_id)
        assert recorded is not None
        assert (recorded.decision.kind, recorded.decision.base) == ("promotion", git(root, "rev-parse", "main~1"))
    assert git(root, "status", "--porcelain") == ""
    runs = running(root).runs
    assert runs is not None
    assert (runs.release, runs.bundle) == ("v2", releases[2].bundle)
    assert git(root, "diff", "--name-only", "HEAD~3", "HEAD").splitlines() == [
        "environments/dev.yaml",
        "environments/production.yaml",
        "environments/staging.yaml",
    ]
    assert [(one.name, one.release, one.by) for one in status(root)] == [
        ("dev", "v2", "Ada Example"),
        ("staging", "v2", "Ada Example"),
        ("production", "v2", "Ada Example"),
    ]
    assert go(root, "production").already


def test_what_may_not_go_changes_nothing_and_is_recorded(tmp_path: Path) -> None:
    root = project(tmp_path / "r")
    released(root, 1, 2)
    before = git(root, "rev-parse", "main")
    moved = go(root, "production", "v1")
    assert moved.outcome is Outcome.FAILED
    assert moved.story is not None
    assert moved.story.decision.reason == "v1 does not go to production: order: v1 never ran in staging"
    assert git(root, "rev-parse", "main") == before
    assert ledger.history(Repository.open(root), limit=1)[0].id == moved.story.decision_id


def test_a_dry_run_shows_the_change_and_makes_none(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1)
    heads = git(root, "rev-parse", "main", "mlops-reports")
    moved = go(root, "production", dry_run=True)
    assert "+release: v1\n" in moved.change
    assert git(root, "rev-parse", "main", "mlops-reports") == heads
    assert not (root / FILE).exists()


def test_a_rollback_goes_to_what_ran_before_and_it_stays(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1, 2, 3)
    for release in ("v1", "v2", "v3"):
        go(root, "production", release)
    moved = back(root, "production")
    assert (moved.release, moved.outcome) == ("v2", Outcome.PASSED)
    assert [(one.release, one.reason, one.by) for one in running(root).quarantine] == [
        ("v3", "too slow", "Ada Example")
    ]
    again = go(root, "production")
    assert again.outcome is Outcome.FAILED
    assert again.story is not None
    assert "quarantine: v3 was rolled back by Ada Example: too slow" in again.story.decision.reason
    assert (back(root, "production").release, running(root).runs) == ("v1", running(root).runs)
    with pytest.raises(UsageError, match="nothing ran in production before v1 that may run there again"):
        back(root, "production")
    text = (root / FILE).read_text()
    entry = text.index("quarantine:")
    commit(root, {FILE: text[:entry]}, "Lift the quarantine: v3 is fast now")
    assert go(root, "production").outcome is Outcome.PASSED


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "x" * 1001])
def test_a_reason_is_a_line(tmp_path: Path, reason: str) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1, 2)
    for release in ("v1", "v2"):
        go(root, "production", release)
    heads = git(root, "rev-parse", "main", "mlops-reports")
    with pytest.raises(UsageError, match="the reason is no line of text"):
        back(root, "production", reason=reason)
    assert git(root, "rev-parse", "main", "mlops-reports") == heads


def test_no_sequence_of_promotions_brings_back_what_was_rolled_back(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1, 2, 3)
    steps = [go, go, back, go, go, back, go, go, go, back, go]
    asked = ["v1", "v2", "", "v2", "v3", "", "", "v2", "v3", "v1", "v1"]
    kept_out: set[str] = set()
    for step, release in zip(steps, asked, strict=True):
        try:
            step(root, "production", release)
        except UsageError:
            continue
        state = running(root)
        assert state.runs is not None
        assert state.runs.bundle not in kept_out
        kept_out |= {one.bundle for one in state.quarantine}
    assert kept_out == {bundle_of(2), bundle_of(3)}


def test_a_later_no_for_the_same_commit_revokes_the_pass(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1)
    judged(root, 9, outcome=Outcome.FAILED)
    moved = go(root, "production", "v1")
    assert moved.story is not None
    assert "evidence: decision" in moved.story.decision.reason
    assert "recorded later, did not pass" in moved.story.decision.reason


def test_by_a_push_main_and_ledger_of_the_remote_move_together(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    remote = bare(root, tmp_path / "origin.git")
    released(root, 1)
    moved = go(root, "production", way=Way.PUSH)
    assert moved.carried is not None
    assert git(remote, "rev-parse", "main") == moved.carried.commit
    assert git(remote, "rev-parse", "mlops-reports") == git(root, "rev-parse", "mlops-reports")
    assert git(root, "rev-parse", "main") != moved.carried.commit  # what is checked out is left alone
    assert [one.release for one in status(root)] == [None, "v1"]
    assert go(root, "production", way=Way.PUSH).already


def test_where_main_is_protected_neither_moves(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    remote = bare(root, tmp_path / "origin.git")
    released(root, 1)
    git(root, "push", "--quiet", "origin", "mlops-reports")
    hook = remote / "hooks/update"
    hook.write_text('#!/bin/sh\n[ "$1" != refs/heads/main ] || { echo "main is protected" >&2; exit 1; }\n')
    hook.chmod(0o755)
    heads = git(remote, "rev-parse", "main", "mlops-reports")
    with pytest.raises(OutsideError, match="main is protected"):
        go(root, "production", way=Way.PUSH)
    assert git(remote, "rev-parse", "main", "mlops-reports") == heads
    assert git(root, "rev-parse", "mlops-reports") == heads.splitlines()[1]


class _Together(Silent):
    """Rules are asked when all know where the environment is: one who comes when all is over would win as well."""

    def __init__(self, barrier: Any) -> None:
        self._barrier = barrier

    def started(self, step: str, doing: str) -> None:
        if step == "rules" and self._barrier is not None:
            barrier, self._barrier = self._barrier, None
            barrier.wait(120)


def _race(root: Path, release: str, way: Way, answers: Any, barrier: Any) -> None:
    wish = Wish(environment="production", release=release, way=way)
    try:
        moved = promote(root, wish, _Together(barrier))
        answers.put((release, "there" if moved.already else str(moved.outcome)))
    except OutsideError as error:
        answers.put((release, error.message))


@pytest.mark.parametrize("way", [Way.PUSH, Way.COMMIT])
def test_of_twenty_at_once_one_wins_and_the_others_say_why(tmp_path: Path, way: Way) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, *range(1, 21))
    remote = bare(root, tmp_path / "origin.git")
    roots = [root] * 20
    if way is Way.PUSH:
        roots = [tmp_path / f"clone{number}" for number in range(1, 21)]
        for each in roots:
            git(tmp_path, "clone", "--quiet", str(remote), str(each))
    else:
        git(root, "remote", "remove", "origin")
    context = multiprocessing.get_context("fork")
    answers, barrier = context.Queue(), context.Barrier(20)
    racing = [
        context.Process(target=_race, args=(each, f"v{number}", way, answers, barrier))
        for number, each in enumerate(roots, 1)
    ]
    for process in racing:
        process.start()
    told = dict(answers.get(timeout=180) for _ in racing)
    for process in racing:
        process.join(60)
    won = [release for release, answer in told.items() if answer == "passed"]
    assert len(won) == 1, told
    others = {answer for release, answer in told.items() if release not in won}
    assert all(answer.startswith(f"production was changed while this ran: it is {won[0]} now") for answer in others)
    place = remote if way is Way.PUSH else root
    assert git(place, "log", "--format=%s", "main").splitlines() == [f"Promote {won[0]} to production", "first"]
    decided = git(place, "ls-tree", "-r", "--name-only", "mlops-reports").splitlines()
    kinds = [git(place, "show", f"mlops-reports:{path}") for path in decided if path.endswith("/decision.json")]
    assert sum('"kind":"promotion"' in one for one in kinds) == 1
    assert sum('"kind":"release"' in one for one in kinds) == 20


def test_others_commits_on_the_way_are_kept(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1)
    remote = bare(root, tmp_path / "origin.git")
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(remote), str(other))
    commit(other, {"notes.md": "meanwhile\n"}, "A note")
    git(other, "push", "--quiet", "origin", "main")
    moved = go(root, "production", way=Way.PUSH)
    assert moved.carried is not None
    assert git(remote, "log", "--format=%s", "main").splitlines() == ["Promote v1 to production", "A note", "first"]


def test_a_file_of_the_environment_that_was_changed_and_not_committed_is_left_alone(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1, 2)
    go(root, "production", "v1")
    (root / FILE).write_text("# mine\n")
    heads = git(root, "rev-parse", "main", "mlops-reports")
    with pytest.raises(OutsideError, match=f"{FILE} has changes that are not committed"):
        go(root, "production", "v2")
    assert (root / FILE).read_text() == "# mine\n"
    assert git(root, "rev-parse", "main", "mlops-reports") == heads


def test_other_work_that_is_not_committed_stays_as_it_is(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1)
    (root / "notes.md").write_text("work\n")
    (root / "mlops.yaml").write_text(FLAT + "# more\n")
    git(root, "add", "notes.md")
    go(root, "production")
    assert git(root, "status", "--porcelain").splitlines() == [" M mlops.yaml", "A  notes.md"]


def test_dates_of_commits_that_run_backwards_make_nothing_older(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT.replace("production: {}", "production: {after: dev, soak: 1h}"))
    released(root, 1)
    go(root, "dev")
    text = (root / "environments/dev.yaml").read_text()
    git(root, "reset", "--quiet", "--soft", "HEAD~1")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "An hour in", date="2026-11-25T10:00:00Z")
    git(root, "reset", "--quiet", "--hard", "HEAD~1")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "Now", date="2026-11-25T12:00:00Z")
    commit(root, {"environments/dev.yaml": text}, "Promote v1 to dev", date="2020-01-01T00:00:00Z")
    found = next(one for one in status(root) if one.name == "dev")
    assert found.since == "2026-11-25T12:00:00Z"


@pytest.mark.parametrize(
    ("environment", "release", "error", "told"),
    [
        ("prod", "", UsageError, "there is no environment prod"),
        ("production", "v9", UsageError, "there is no release v9"),
        ("production", "../v1", UsageError, "'../v1' is no release"),
        ("dev", "v1", ConfigError, "found the text 'latest'"),
    ],
)
def test_what_cannot_be_meant_is_said(
    tmp_path: Path, environment: str, release: str, error: type[Exception], told: str
) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1)
    commit(root, {"environments/dev.yaml": "release: latest\n"}, "By hand")
    with pytest.raises(error, match=told):
        go(root, environment, release)


def test_a_file_that_was_broken_once_and_restored_is_in_nobodys_way(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1, 2)
    go(root, "production", "v1")
    text = (root / FILE).read_text()
    commit(root, {FILE: "release: latest\n"}, "By hand")
    commit(root, {FILE: text}, "Restored")
    assert go(root, "production", "v2").outcome is Outcome.PASSED
    assert back(root, "production").release == "v1"


def test_a_release_of_another_project_and_one_whose_number_was_used_again_do_not_go(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    mine = released(root, 1)[1]
    path = "releases/flights/v1.json"
    other = msgspec.structs.replace(mine, project="other", release="v1")
    head = git(root, "rev-parse", "mlops-reports")
    git(root, "worktree", "add", "--quiet", str(tmp_path / "l"), "mlops-reports")
    commit(tmp_path / "l", {path: msgspec.json.encode(other)}, "forged")
    moved = go(root, "production")
    assert moved.story is not None
    assert "release: v1 is a release of other, not of flights" in moved.story.decision.reason
    git(tmp_path / "l", "reset", "--quiet", "--hard", head)
    swapped = msgspec.structs.replace(mine, bundle="f" * 64)
    commit(tmp_path / "l", {path: msgspec.json.encode(swapped)}, "forged")
    moved = go(root, "production")
    assert moved.story is not None
    assert "made another bundle than v1 names" in moved.story.decision.reason
