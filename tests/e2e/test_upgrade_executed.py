"""The workflow that looks for a newer mlops-ci, executed by act: the index gets one version, and then another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from mlops_ci import __version__
from tests.e2e.scene import Scene, runners, scene
from tests.github.runner import UPGRADE, Actions, Ran
from tests.github.site import git
from tests.github.state import Pull
from tests.wheels import wheel

pytestmark = [pytest.mark.needs("registry"), pytest.mark.timeout(900)]  # the newer version is installed
FIRST, SECOND = "8.0.0", "8.1.0"
BRANCH = "mlops-ci/upgrade"
WORKFLOW, TOOL_LOCK = f".github/workflows/{UPGRADE}", ".mlops-ci/tool.lock"


class Week(NamedTuple):
    """What one run came to: the state of the pull request after it, and the commit it proposes."""

    ran: Ran
    pull: Pull | None
    tip: str
    changes: list[str]


class Place:
    """A repository with a decision on main, its runners, and the package index they ask."""

    def __init__(self, here: Scene, actions: Actions, dist: Path) -> None:
        self.here, self.actions, self.dist = here, actions, dist

    def publish(self, version: str, hour: int) -> None:
        """The index has another version, whose generated workflow runs at another hour."""
        wheel(self.dist, version, (f"templates/workflows/{UPGRADE}", '"47 4 * * 1"', f'"47 {hour} * * 1"'))

    def week(self, *, by_hand: bool = False) -> Week:
        site = self.here.site
        ran = self.actions.upgrade(site.on_dispatch() if by_hand else site.on_schedule())
        pulls = [*site.state.pulls.values()]
        assert len(pulls) < 2
        there = BRANCH in site.state.branches
        changes = git(site.remote, "diff", "--name-only", f"main...{BRANCH}").splitlines() if there else []
        pull = Pull(**{name: getattr(pulls[0], name) for name in Pull.__struct_fields__}) if pulls else None
        return Week(ran, pull, site.tip(BRANCH) if there else "", changes)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("upgrade")
    with scene(folder) as here:
        made = Place(here, runners(here, folder), folder / "dist")
        made.publish(FIRST, 5)
        here.site.state.actions_may_open_pulls = True
        yield made


@pytest.mark.parametrize(
    ("name", "level"),
    [("contents", "none"), ("contents", "read"), ("pull-requests", "none"), ("pull-requests", "read")],
)
def test_each_permission_is_missed(place: Place, name: str, level: str) -> None:
    site = place.here.site
    text = (place.here.desk / WORKFLOW).read_text()
    (job,) = yaml.safe_load(text)["jobs"].values()
    assert job["permissions"] == {"contents": "write", "pull-requests": "write"}
    place.here.push("main", {WORKFLOW: text.replace(f" {name}: write", f" {name}: {level}")})
    site.github.requests.clear()
    week = place.week()
    place.here.push("main", {WORKFLOW: text})
    assert week.ran.code
    assert week.pull is None
    refused = {request.job for request in site.github.requests if request.status in (403, 404)}
    assert refused == {f"{UPGRADE}: upgrade"}
    if (name, level) != ("contents", "none"):  # else nothing of it could be checked out
        assert f"{name}: " in week.ran.log, "what is missing is not named"


def test_a_pull_request_is_opened_and_becomes_that_of_the_next_version(
    place: Place, golden: Callable[[str, str], None]
) -> None:
    site = place.here.site
    site.github.requests.clear()
    opened = place.week()
    assert opened.ran.code == 0, opened.ran.log
    assert opened.pull is not None
    assert (opened.pull.head_ref, opened.pull.base_ref) == (BRANCH, "main")
    assert opened.pull.title == f"Upgrade mlops-ci to {FIRST}"
    assert opened.pull.login == "github-actions[bot]"
    assert opened.changes == [TOOL_LOCK], "a job's token changes no workflows"
    assert f"mlops-ci=={FIRST} \\\n    --hash=sha256:" in git(site.remote, "show", f"{BRANCH}:{TOOL_LOCK}")
    golden("upgrade-pull-request.md", opened.pull.body.replace(__version__, "X.Y.Z"))

    place.publish(SECOND, 6)
    place.actions.secrets["MLOPS_CI_TOKEN"] = "person-token"
    updated = place.week(by_hand=True)
    assert updated.ran.code == 0, updated.ran.log
    assert updated.pull is not None
    assert (updated.pull.number, updated.pull.title) == (opened.pull.number, f"Upgrade mlops-ci to {SECOND}")
    assert updated.changes == [WORKFLOW, ".mlops-ci/generated.lock", TOOL_LOCK]
    assert '"47 6 * * 1"' in git(site.remote, "show", f"{BRANCH}:{WORKFLOW}")
    golden("upgrade-pull-request-whole.md", updated.pull.body.replace(__version__, "X.Y.Z"))
    git(site.remote, "merge-base", "--is-ancestor", opened.tip, updated.tip)
    assert {request.status for request in site.github.requests} <= {200, 201, 401}  # 401: git asks first
    assert not any(token in ran.log for ran in place.actions.ran for token in ("job-token", "person-token"))
