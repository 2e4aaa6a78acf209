"""The life of a pull request, executed: `python -m tests.github.story [FOLDER]`, or `make story`.

A fresh folder, `mlops-ci init`, a push, a pull request whose gate is red, its fix, the merge: act runs the generated
workflows unchanged, against the tests' GitHub. In the end it prints what that GitHub and the remote hold.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import uv

from tests.github.events import Event
from tests.github.runner import Actions
from tests.github.site import LEDGER, Site, git
from tests.github.timing import Seconds, seconds, sum_of

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "tests" / "data" / "tables" / "breast_cancer.csv"
GATE = "roc_auc >= 0.95"
NUMBER = 7
_WORSE = {"max_iter": "1", "max_leaf_nodes": "2", "learning_rate": "0.01"}
_BETTER = {"max_iter": "90", "max_leaf_nodes": "8", "learning_rate": "0.1"}


class Chapter(NamedTuple):
    """A push and what came of it. `run`: of the check; `work`: seconds of all its jobs, without what they install."""

    title: str
    head: str
    run: int
    work: Seconds
    took: float


class Story:
    """Told chapter by chapter, in a folder of its own."""

    def __init__(self, site: Site, desk: Path, say: Callable[[str], object]) -> None:
        self.site, self.desk, self.say = site, desk, say
        self.actions = Actions(site, _shared(site.folder / "dist"))
        self.chapters: list[Chapter] = []

    def begin(self) -> None:
        """A repository with the answers of `init`, and a gate somebody thought about."""
        self.desk.mkdir()
        shutil.copy(TABLE, self.desk / "data.csv")
        git(self.desk, "init", "--quiet", "--initial-branch=main")
        for name, value in (("name", "Ada Example"), ("email", "ada@example.org")):
            git(self.desk, "config", f"user.{name}", value)
        git(self.desk, "remote", "add", "origin", self.site.persons_address)
        words = ("init", "--data", "data.csv", "--target", "target", "--yes")
        told = _run("mlops-ci", *words, cwd=self.desk, given=self.actions.environment)
        self.say("".join(f"  {line}\n" for line in told.splitlines() if line.startswith("wrote")).rstrip())
        settings = self.desk / "mlops.yaml"
        settings.write_text(re.sub(r"^  - roc_auc .*$", f"  - {GATE}", settings.read_text(), flags=re.MULTILINE))
        shutil.copytree(self.desk / ".github" / "workflows", self.site.workflows)

    def push_main(self, title: str) -> Chapter:
        """Commit what there is to main."""
        head = self._commit(title, "main")
        return self._through(title, self.site.on_push(head))

    def propose(self, title: str, parameters: dict[str, str]) -> Chapter:
        """A commit with other parameters on the branch of the pull request, which is opened with the first."""
        if NUMBER not in self.site.state.pulls:
            git(self.desk, "switch", "--quiet", "--create", "other-parameters")
        file = self.desk / "params.yaml"
        text = file.read_text()
        for name, value in parameters.items():
            text, found = re.subn(rf"^{name}: \S+", f"{name}: {value}", text, flags=re.MULTILINE)
            assert found == 1, f"params.yaml has no {name}"
        file.write_text(text)
        self._commit(title, "other-parameters")
        if NUMBER not in self.site.state.pulls:
            self.site.opened(NUMBER, "other-parameters", title="Other parameters")
        return self._through(title, self.site.on_pull_request(NUMBER))

    def again(self, title: str) -> Chapter:
        """Nothing has changed: the runs of the head of the pull request are run again."""
        return self._through(title, self.site.on_pull_request(NUMBER))

    def merge(self, title: str) -> Chapter:
        """The pull request is merged, as its status allows."""
        git(self.desk, "switch", "--quiet", "main")
        git(self.desk, "merge", "--quiet", "--no-ff", "--message", title, "other-parameters")
        git(self.desk, "push", "--quiet", "origin", "main")
        pull = self.site.state.pulls[NUMBER]
        pull.state, pull.merged_at = "closed", "2026-01-01T00:00:00Z"
        return self._through(title, self.site.on_push(git(self.desk, "rev-parse", "HEAD")))

    def _commit(self, title: str, branch: str) -> str:
        git(self.desk, "add", "--all")
        git(self.desk, "commit", "--quiet", "--message", title)
        git(self.desk, "push", "--quiet", "origin", branch)
        return git(self.desk, "rev-parse", "HEAD")

    def _through(self, title: str, event: Event) -> Chapter:
        """Both workflows for one event."""
        began, before = time.monotonic(), len(self.actions.ran)
        run = self.actions.check(event)
        self.actions.record(run)
        work = sum_of(seconds(ran.log, self.site.workflows) for ran in self.actions.ran[before:])
        chapter = Chapter(title, event.head, run, work, time.monotonic() - began)
        self.chapters.append(chapter)
        gate = self.site.gate(event.head)
        self.say(
            f"{title} ({event.name}, {event.head[:7]}): {gate.state if gate else 'no status'}, {chapter.took:.0f} s"
        )
        return chapter


def tell(folder: Path, say: Callable[[str], object] = print) -> Story:
    """The whole story in a fresh folder. What is on show stays readable: see `shown`."""
    site = Site(folder / "site")
    with site:
        story = Story(site, folder / "desk", say)
        story.begin()
        story.push_main("A first model")
        story.propose("A much smaller model", _WORSE)
        story.propose("Parameters that hold", _BETTER)
        story.again("The same again")
        story.merge("Merge the other parameters")
    return story


def shown(story: Story) -> str:
    """What GitHub and the remote hold in the end."""
    site = story.site
    statuses = [f"  {one.sha[:7]}  {one.state:8} {one.description}" for one in reversed(site.state.statuses)]
    lines = ["", "Statuses `mlops / gate`, the oldest first", *statuses]
    lines += ["", f"Decisions: git -C {site.remote} log {LEDGER}"]
    lines += [f"  {line}" for line in git(site.remote, "log", "--format=%h %s", LEDGER).splitlines()]
    lines += ["", "Seconds of work in all jobs, and of what they install, restore and keep"]
    for chapter in story.chapters:
        lines.append(f"  {chapter.title:28} {chapter.work.ours:6.1f} {chapter.work.around:6.1f}")
    (comment,) = site.comments(NUMBER)
    lines += ["", f"The comment on pull request {NUMBER}", "", comment.body]
    return "\n".join(lines)


def _shared(dist: Path) -> dict[str, str]:
    """Variables of every job: the wheel of this checkout, and packages from the cache of this machine."""
    _run("uv", "build", "--quiet", "--wheel", "--out-dir", str(dist), str(ROOT), cwd=ROOT)
    return {
        "UV_FIND_LINKS": str(dist),
        "UV_CACHE_DIR": _run("uv", "cache", "dir", cwd=ROOT).strip(),
        "UV_PYTHON": sys.executable,
        "OMP_NUM_THREADS": "1",
    }


def _run(program: str, *words: str, cwd: Path, given: dict[str, str] | None = None) -> str:
    command = {"uv": [uv.find_uv_bin()], "mlops-ci": [sys.executable, "-m", "mlops_ci"]}[program]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GIT_"))}
    environment = kept | {"PYTHONPATH": str(ROOT)} | (given or {})
    done = subprocess.run([*command, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
