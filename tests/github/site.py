"""One repository as people and jobs see it: a bare remote behind the fake GitHub, and what is on show there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from tests.github import events
from tests.github.events import Event
from tests.github.fake import FakeGitHub
from tests.github.state import Artifact, Comment, Pull, Review, Run, State, Status
from tests.github.zips import zipped

LEDGER = "mlops-reports"
GATE = "mlops / gate"


class Recorded(NamedTuple):
    """One decision in the ledger of the remote, as it stands there."""

    commit: str
    project: str
    outcome: str
    trust: str


class Site:
    """A context: GitHub answers while it lasts. `workflows` says what jobs may do: the files under test."""

    def __init__(self, folder: Path, *, remote: Path | None = None, state: State | None = None) -> None:
        self.folder = folder
        self.remote = folder / "remote.git"
        self.workflows = folder / "workflows"
        self.git_config = folder / "gitconfig"
        folder.mkdir(parents=True, exist_ok=True)
        if remote is not None:
            shutil.copytree(remote, self.remote, symlinks=True)
        else:
            git(folder, "init", "--quiet", "--bare", "--initial-branch=main", self.remote)
            git(self.remote, "config", "uploadpack.allowAnySHA1InWant", "true")
        self.github = FakeGitHub(self.workflows, state, git=self.remote)

    def __enter__(self) -> Site:
        self.github.__enter__()
        self.git_config.write_text(
            f'[url "{self.github.git_url}"]\n\tinsteadOf = {self.address}\n'
            "[user]\n\tname = runner\n\temail = runner@localhost\n[safe]\n\tdirectory = *\n"
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.github.__exit__(kind, error, at)

    @property
    def state(self) -> State:
        return self.github.state

    @property
    def address(self) -> str:
        """Where jobs find it; `git_config` leads that to the fake."""
        return f"https://github.com/{self.state.repository}.git"

    @property
    def persons_address(self) -> str:
        """The same for somebody at a desk, who may push."""
        return self.github.git_url.replace("http://", "http://ada:person-token@")

    # What people do

    def opened(self, number: int, branch: str, *, title: str = "A change", repository: str | None = None) -> Pull:
        """A pull request from a branch that was pushed; `repository`: the fork it comes from (see `fork_pushed`)."""
        ref = f"refs/pull/{number}/head" if repository else f"refs/heads/{branch}"
        pull = Pull(
            number=number,
            head_ref=branch,
            head_sha=self.tip(ref),
            head_repository=repository or self.state.repository,
            base_sha=self.tip("main"),
            title=title,
        )
        self.state.pulls[number] = pull
        return pull

    def approved(self, number: int, login: str) -> None:
        """Somebody approves the head of a pull request."""
        head = self.state.pulls[number].head_sha
        review = Review(id=self.state.new_id(), number=number, login=login, state="APPROVED", commit_id=head)
        self.state.reviews.append(review)

    # What GitHub does

    def on_push(self, sha: str) -> Event:
        return events.push(self.state, sha)

    def on_pull_request(self, number: int) -> Event:
        pull = self.state.pulls[number]
        return events.pull_request(self.state, pull, base_sha=self.tip(pull.base_ref))

    def on_approval(self, number: int) -> Event:
        pull = self.state.pulls[number]
        return events.approval(self.state, pull, base_sha=self.tip(pull.base_ref))

    def on_merge_group(self, sha: str, branch: str) -> Event:
        return events.merge_group(self.state, sha, branch=branch, base_sha=self.tip("main"))

    def on_completed(self, run: int) -> Event:
        return events.completed(self.state, self.state.runs[run], sha=self.tip("main"))

    def on_recorded(self) -> Event:
        """A run of the recording workflow is complete."""
        run = Run(id=self.state.new_id(), head_sha=self.tip("main"), head_branch="main", event="workflow_run")
        run.path, run.name = ".github/workflows/mlops-record.yml", "mlops record"
        return events.completed(self.state, run, sha=self.tip("main"))

    def on_schedule(self) -> Event:
        return events.schedule(self.state, self.tip("main"))

    def on_dispatch(self) -> Event:
        return events.workflow_dispatch(self.state, self.tip("main"))

    def started(self, event: Event, workflow: str, keeping: Path) -> int:
        """A run goes on; its number. What lies below `keeping` are the artifacts it has left so far."""
        run = self._run(event, path=f".github/workflows/{workflow}", status="in_progress", conclusion=None)
        self.state.keeping[run] = keeping
        return run

    def ended(self, run: int, conclusion: str) -> None:
        """A run that went on is over, and what it left stays."""
        there = {each.name for each in self.state.artifacts.values() if each.run == run}
        left = {place.name: zipped(place, hidden=True) for place in sorted(self.state.keeping.pop(run).glob("*"))}
        self.left(run, {name: content for name, content in left.items() if name not in there})
        self.state.runs[run].status, self.state.runs[run].conclusion = "completed", conclusion

    def finished(self, event: Event, conclusion: str, artifacts: dict[str, bytes]) -> int:
        """A run of the check is over; its number."""
        run = self._run(event, conclusion=conclusion)
        self.left(run, artifacts)
        return run

    def _run(self, event: Event, **more: Any) -> int:
        run = self.state.new_id()
        self.state.runs[run] = Run(
            id=run,
            head_sha=event.head,
            head_branch=event.branch,
            head_repository=event.repository,
            event=event.name,
            run_number=run,
            **more,
        )
        return run

    def left(self, run: int, artifacts: dict[str, bytes]) -> None:
        """A run uploads; a second attempt leaves artifacts of the same names beside the first ones."""
        for name, content in artifacts.items():
            number = self.state.new_id()
            self.state.artifacts[number] = Artifact(id=number, run=run, name=name, content=content)

    # What is on show

    def tip(self, ref: str) -> str:
        return git(self.remote, "rev-parse", "--verify", f"{ref}^{{commit}}")

    def gates(self, sha: str) -> list[Status]:
        """What was said of a commit under the name that a merge waits for, the newest first."""
        return [status for status in self.state.statuses if (status.sha, status.context) == (sha, GATE)]

    def gate(self, sha: str) -> Status | None:
        return next(iter(self.gates(sha)), None)

    def comments(self, number: int) -> list[Comment]:
        return [comment for comment in self.state.comments.values() if comment.number == number]

    def decisions(self) -> list[Recorded]:
        """The ledger of the remote, by commit and project."""
        if LEDGER not in git(self.remote, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split():
            return []
        names = git(self.remote, "ls-tree", "-r", "--name-only", LEDGER).split("\n")
        found = []
        for name in (name for name in names if name.endswith("/decision.json")):
            told: dict[str, Any] = json.loads(git(self.remote, "show", f"{LEDGER}:{name}"))["predicate"]
            found.append(Recorded(told["subject"]["commit"], told["project"], told["outcome"], told["trust"]))
        return sorted(found)


def git(folder: Path, *words: str | Path) -> str:
    done = subprocess.run(
        ["git", *(str(word) for word in words)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
