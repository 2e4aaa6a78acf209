"""The life of a pull request, executed: `python -m tests.github.story [FOLDER]`, or `make story`.

A fresh folder, `mlops-ci init`, a push, a pull request whose gate is red, its fix, the merge, its release: act runs the
generated workflows unchanged, against the tests' GitHub. In the end it prints what that GitHub and the remote hold.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mlops_ci.steps import lock
from tests.github import timing
from tests.github.events import Event
from tests.github.images import Images, images, in_registry
from tests.github.runner import Actions, Ran
from tests.github.site import LEDGER, Site, git
from tests.github.timing import Seconds, sum_of
from tests.wheels import ROOT, offered, wheel

TABLE = ROOT / "tests" / "data" / "tables" / "breast_cancer.csv"
GATE = "roc_auc >= 0.95"
NUMBER = 7
BRANCH = "other-parameters"
_WORSE = {"max_iter: 100": "max_iter: 1", "max_leaf_nodes: 8": "max_leaf_nodes: 2", "rate: 0.1": "rate: 0.01"}
_BETTER = {"max_iter: 1": "max_iter: 90", "max_leaf_nodes: 2": "max_leaf_nodes: 8", "rate: 0.01": "rate: 0.1"}


class Chapter(NamedTuple):
    """A push and what came of it. `run`: of the check; `clock`, `processor`: seconds of all its jobs.

    Those of the processor are hardly changed by a machine that is busy with something else.
    """

    title: str
    head: str
    run: int
    clock: Seconds
    processor: Seconds


class Story:
    """Told chapter by chapter, in a folder of its own."""

    def __init__(self, site: Site, desk: Path, say: Callable[[str], object], images: Images | None = None) -> None:
        self.site, self.desk, self.say, self.images = site, desk, say, images
        wheel(site.folder / "dist")
        given = images.environment if images else {}
        self.actions = Actions(site, offered(site.folder / "dist") | {"OMP_NUM_THREADS": "1"} | given)
        self.chapters: list[Chapter] = []
        self.releases: dict[str, Any] = {}
        """File in the ledger -> what it says."""

    def begin(self, lay: Callable[[Path, Mapping[str, str]], None]) -> None:
        """A repository on a desk with what `lay` puts there; its second argument are variables for uv."""
        self.desk.mkdir()
        git(self.desk, "init", "--quiet", "--initial-branch=main")
        for name, value in (("name", "Ada Example"), ("email", "ada@example.org")):
            git(self.desk, "config", f"user.{name}", value)
        git(self.desk, "remote", "add", "origin", self.site.persons_address)
        lay(self.desk, self.actions.environment)

    def push_main(self, title: str) -> Chapter:
        """Commit what there is to main."""
        head = self._commit(title, "main")
        return self._through(title, self.site.on_push(head))

    def propose(self, title: str, file: str, changes: Mapping[str, str]) -> Chapter:
        """A commit that replaces texts of a file, on the branch of the pull request, which is opened with the first."""
        is_first = NUMBER not in self.site.state.pulls
        if is_first:
            git(self.desk, "switch", "--quiet", "--create", BRANCH)
        edit(self.desk / file, changes)
        self._commit(title, BRANCH)
        if is_first:
            self.site.opened(NUMBER, BRANCH, title=title)
        return self._through(title, self.site.on_pull_request(NUMBER))

    def again(self, title: str) -> Chapter:
        """Nothing has changed: the runs of the head of the pull request are run again."""
        return self._through(title, self.site.on_pull_request(NUMBER))

    def merge(self, title: str) -> Chapter:
        """The pull request is merged, as its status allows."""
        git(self.desk, "switch", "--quiet", "main")
        git(self.desk, "merge", "--quiet", "--no-ff", "--message", title, BRANCH)
        git(self.desk, "push", "--quiet", "origin", "main")
        pull = self.site.state.pulls[NUMBER]
        pull.state, pull.merged_at = "closed", "2026-01-01T00:00:00Z"
        return self._through(title, self.site.on_push(git(self.desk, "rev-parse", "HEAD")))

    def release(self, title: str) -> Ran:
        """The recording workflow has ended: the releasing one runs."""
        began = time.monotonic()
        ran = self.actions.release(self.site.on_recorded())
        listed = git(self.site.remote, "ls-tree", "-r", "--name-only", LEDGER, "releases").splitlines()
        self.releases = {name: json.loads(git(self.site.remote, "show", f"{LEDGER}:{name}")) for name in listed}
        for one in self.releases.values():
            assert "image" not in one or in_registry(one["image"]), one
        self.say(f"{title}: {'done' if ran.code == 0 else 'failed'}, {time.monotonic() - began:.0f} s")
        return ran

    def _commit(self, title: str, branch: str) -> str:
        git(self.desk, "add", "--all")
        git(self.desk, "commit", "--quiet", "--message", title)
        git(self.desk, "push", "--quiet", "origin", branch)
        return git(self.desk, "rev-parse", "HEAD")

    def _through(self, title: str, event: Event) -> Chapter:
        """Both workflows for one event."""
        before = len(self.actions.ran)
        run = self.actions.check(event)
        self.actions.record(run)
        ran = self.actions.ran[before:]
        clock = sum_of(timing.clock(each.log, self.site.workflows) for each in ran)
        processor = sum_of(timing.processor(each.times) for each in ran)
        chapter = Chapter(title, event.head, run, clock, processor)
        self.chapters.append(chapter)
        gate = self.site.gate(event.head)
        state = gate.state if gate else "no status"
        self.say(f"{title} ({event.name}, {event.head[:7]}): {state}, {sum(chapter.clock):.0f} s")
        return chapter


def tell(folder: Path, say: Callable[[str], object] = print) -> Story:
    """The whole story in a fresh folder. What is on show stays readable: see `shown`.

    The release has an image where this machine can build one.
    """
    with Site(folder / "site") as site, images(folder / "site" / "registry") as there:
        if there is None:
            say("no Docker Engine and registry here: the release of this story has no image")
        story = Story(site, folder / "desk", say, there)
        story.begin(partial(_initialised, there=there))
        story.push_main("A first model")
        story.propose("A much smaller model", "params.yaml", _WORSE)
        story.propose("Parameters that hold", "params.yaml", _BETTER)
        story.again("The same again")
        story.merge("Merge the other parameters")
        story.release("The release of the merge")
    return story


def unchanged(folder: Path, say: Callable[[str], object] = print) -> Story:
    """The example project, and a pull request that leaves data and training as they are: what do its jobs cost?"""
    with Site(folder / "site") as site:
        story = Story(site, folder / "desk", say)
        story.begin(_example)
        story.push_main("Flight delays")
        story.propose("A stricter gate", "mlops.yaml", {"roc_auc >= 0.69": "roc_auc >= 0.70"})
        story.again("The same again")
    return story


def _initialised(desk: Path, given: Mapping[str, str], *, there: Images | None) -> None:
    """The answers of `init` to a table, and a gate somebody thought about; an image, where there can be one.

    The engine of these tests has no network but the machine's, so that one line of the workflow is edited.
    """
    shutil.copy(TABLE, desk / "data.csv")
    _run("init", "--data", "data.csv", "--target", "target", "--yes", cwd=desk, given=given)
    edit(desk / "mlops.yaml", {"roc_auc >= 0.775 @ 95%": GATE})
    if there is not None:
        with (desk / "mlops.yaml").open("a") as settings:
            settings.write(f"\n{there.settings}")
        edit(desk / ".github/workflows/mlops-release.yml", {"ci release": "ci release --network host"})
        _run("workflows", "--update", cwd=desk, given=given)


def _example(desk: Path, given: Mapping[str, str]) -> None:
    """The example project without deepchecks, which would cost an environment of its own."""
    shutil.copytree(ROOT / "example_project", desk, ignore=shutil.ignore_patterns("later"), dirs_exist_ok=True)
    git(desk, "apply", ROOT / "example_project" / "later" / "without-deepchecks.patch")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        text = lock.tool_lock(lock.locked(lock.TOOL))
    (desk / lock.TOOL_LOCK).parent.mkdir()
    (desk / lock.TOOL_LOCK).write_text(text)
    _run("workflows", "--update", cwd=desk)


def edit(file: Path, changes: Mapping[str, str]) -> None:
    """Replace texts, each of which has to be there once."""
    text = file.read_text()
    for before, after in changes.items():
        assert text.count(before) == 1, f"{file.name} has {before} {text.count(before)} times"
        text = text.replace(before, after)
    file.write_text(text)


def shown(story: Story) -> str:
    """What GitHub and the remote hold in the end."""
    site = story.site
    statuses = [f"  {one.sha[:7]}  {one.state:8} {one.description}" for one in reversed(site.state.statuses)]
    lines = ["", "Statuses `mlops / gate`, the oldest first", *statuses]
    lines += ["", f"Decisions: git -C {site.remote} log {LEDGER}"]
    lines += [f"  {line}" for line in git(site.remote, "log", "--format=%h %s", LEDGER).splitlines()]
    lines += ["", "Releases, and where their bundles are kept"]
    lines += [f"  {name}: {told}" for name, told in story.releases.items()]
    lines += [f"  {one.tag}: {len(one.assets)} file" for one in site.state.releases.values()]
    lines += ["", "Seconds of all jobs by the clock and of the processor: of their work; to install, restore and keep"]
    for one in story.chapters:
        lines.append(f"  {one.title:28}" + "".join(f" {taken:6.1f}" for taken in (*one.clock, *one.processor)))
    (comment,) = site.comments(NUMBER)
    lines += ["", f"The comment on pull request {NUMBER}", "", comment.body]
    return "\n".join(lines)


def _run(*words: str, cwd: Path, given: Mapping[str, str] | None = None) -> None:
    """`mlops-ci WORDS` in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GIT_"))}
    environment = kept | {"PYTHONPATH": str(ROOT)} | (given or {})
    command = [sys.executable, "-m", "mlops_ci", *words]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "story").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    foreign = {path.name for path in folder.iterdir()} - {"site", "desk", "story.md"}
    if foreign:
        sys.exit(f"{folder} holds {min(foreign)}, which is no part of a story: name another folder")
    for name in ("site", "desk"):
        shutil.rmtree(folder / name, ignore_errors=True)
    began = time.monotonic()
    story = tell(folder)
    text = shown(story)
    print(text)
    (folder / "story.md").write_text(text)
    print(
        f"{time.monotonic() - began:.0f} s. To read on: {folder}/story.md, {story.actions.folder}/*.log, {story.desk}"
    )


if __name__ == "__main__":
    main()
