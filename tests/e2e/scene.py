"""A repository on the tests' GitHub whose main was judged and recorded, a desk to push from, and jobs in this process.

The project is that of bad_input: it is checked in a second. What is asserted is what GitHub holds afterwards.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import msgspec
import pytest

from tests import helpers
from tests.e2e.bad_input import GOOD, SETTINGS, run
from tests.github.jobs import Jobs, Recording
from tests.github.runner import Actions
from tests.github.site import Site, git
from tests.github.state import Comment, State, Status
from tests.wheels import offered, wheel

Files = Mapping[str, str | bytes | None]
WORSE = {"params.yaml": "limit: 99.0\n"}
"""Nothing is late any more: refused by the gate."""
BETTER = {"params.yaml": "limit: 5.1\n"}
PROSE = {"README.md": "# Trains\n"}
SETTINGS_OF = {name: SETTINGS.replace("project: rain", f"project: {name}") for name in ("bus", "rain", "tram")}


class Scene:
    """One scenario. `site` is what GitHub holds, `desk` the clone of a person who may push."""

    def __init__(self, site: Site, desk: Path) -> None:
        self.site, self.desk, self.jobs = site, desk, Jobs(site)

    # A person

    def commit(self, branch: str, files: Files, message: str = "a change", *, start: str = "main") -> str:
        """A commit on a branch, which begins at `start` where there is none of that name."""
        known = helpers.git(self.desk, "branch", "--list", branch)
        helpers.git(self.desk, "checkout", "--quiet", *([branch] if known else ["-b", branch, start]))
        return helpers.commit(self.desk, files, message)

    def push(self, branch: str, files: Files, *, start: str = "main", to: str = "") -> str:
        """The same, and pushed (`to`: to another ref)."""
        sha = self.commit(branch, files, start=start)
        helpers.git(self.desk, "push", "--quiet", "--force", "origin", f"{branch}:{to or f'refs/heads/{branch}'}")
        return sha

    # A pull request

    def pull(self, number: int, files: Files, *, branch: str = "side", title: str = "A change") -> str:
        """One is opened from a new branch; its head."""
        sha = self.push(branch, files)
        self.site.opened(number, branch, title=title)
        return sha

    def fork(self, number: int, files: Files, *, repository: str | None = "eve/ml") -> str:
        """One from a branch of another repository, which the remote has under refs/pull alone."""
        sha = self.push("theirs", files, to=f"refs/pull/{number}/head")
        self.site.opened(number, "theirs", repository=repository or "eve/ml")
        return sha

    def run(self, number: int, *, token: str = "job-token") -> int:
        """The check runs for the head of the pull request."""
        return self.jobs.check(self.site.on_pull_request(number), token=token)

    def through(self, number: int) -> Recording:
        """The check and the recording, of which both jobs are to succeed."""
        return self.record(self.run(number))

    def record(self, run: int) -> Recording:
        done = self.jobs.record(run)
        assert (done.judge.code, done.record.code) == (0, 0), done.judge.out + done.record.out
        return done

    # What is on show

    def told(self, sha: str) -> tuple[str, str]:
        """The status of a commit: GitHub's word and the sentence."""
        found = self.status(sha)
        return found.state, found.description or ""

    def status(self, sha: str) -> Status:
        found = self.site.gate(sha)
        assert found is not None, self.jobs.ran
        return found

    def comment(self, number: int) -> Comment:
        """The one comment."""
        (found,) = self.site.comments(number)
        return found

    def recorded(self, sha: str) -> list[tuple[str, str, str]]:
        """Project, outcome and trust of what the ledger has of a commit."""
        return [(one.project, one.outcome, one.trust) for one in self.site.decisions() if one.commit == sha]


@contextmanager
def scene(folder: Path, *, several: bool = False) -> Iterator[Scene]:
    """A scene whose main was judged; `several`: with three projects."""
    template = Path(_template(several).name)
    state = msgspec.json.decode((template / "state.json").read_bytes(), type=State)
    with Site(folder / "site", remote=template / "site" / "remote.git", state=state) as site:
        shutil.copytree(template / "site" / "workflows", site.workflows)
        shutil.copytree(template / "desk", folder / "desk", symlinks=True)
        git(folder / "desk", "remote", "set-url", "origin", site.persons_address)
        yield Scene(site, folder / "desk")


def runners(here: Scene, folder: Path) -> Actions:
    """The runners of a scene, with main as it is at the desk: it locks the mlops-ci of this checkout.

    The project's code runs in the environment of this process.
    """
    dist = folder / "dist"
    wheel(dist)
    variables = offered(dist)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        ran = run(here.desk, "workflows", "--update", temporary=folder / "tmp")
    assert ran.code == 0, ran.out + ran.err
    here.push("main", {})
    return Actions(here.site, variables | {"VIRTUAL_ENV": sys.prefix, "OMP_NUM_THREADS": "1"})


@cache
def _template(several: bool) -> tempfile.TemporaryDirectory[str]:
    """Made once: the first commit on main, checked and recorded by the jobs."""
    kept = tempfile.TemporaryDirectory(prefix="scene-")
    folder = Path(kept.name)
    with first(folder, _monorepo() if several else GOOD) as here:
        assert here.told(here.site.tip("main"))[0] == "success", here.jobs.ran
        (folder / "state.json").write_bytes(msgspec.json.encode(here.site.state))
    return kept


@contextmanager
def first(folder: Path, files: Files) -> Iterator[Scene]:
    """A scene with other files, whose first commit on main was judged, whatever came of it."""
    desk = helpers.repo(folder / "desk", {name: content for name, content in files.items() if content is not None})
    with Site(folder / "site") as site:
        git(desk, "remote", "add", "origin", site.persons_address)
        ran = run(desk, "workflows", "--update", temporary=folder / "tmp")
        assert ran.code == 0, ran.out + ran.err
        shutil.copytree(desk / ".github" / "workflows", site.workflows)
        here = Scene(site, desk)
        here.record(here.jobs.check(site.on_push(here.push("main", {}))))
        yield here


def _monorepo() -> dict[str, str | bytes]:
    return {
        f"{name}/{path}": settings if path == "mlops.yaml" else content
        for name, settings in SETTINGS_OF.items()
        for path, content in GOOD.items()
    }
