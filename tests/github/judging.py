"""The jobs of the generated workflows on a real project, in this process: evidence is made once, then tampered with.

What act would add (runners, steps, conditions) is tested with the executed workflows; here many forgeries are judged.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from mlops_ci import __version__
from mlops_ci.ledger import entries
from mlops_ci.ledger.statements import decision_id
from mlops_ci.steps import runs
from mlops_ci.steps.runs import Kept
from mlops_ci.steps.write import write_folder
from mlops_ci.workflows.generate import Inputs, ProjectInputs, generate
from tests.e2e.bad_input import GOOD, Files, Ran
from tests.e2e.bad_input import run as run_command
from tests.github.fake import FakeGitHub
from tests.github.state import Artifact, Pull, Review, Run
from tests.helpers import bare, commit, git, repo

DOCS = Path(__file__).parents[2] / "docs" / "security.md"
NUMBER = 7
ORDINARY = {"params.yaml": "limit: 5.1\n"}
"""A change of parameters with which the good project still passes."""


class Told(NamedTuple):
    """What a pull request shows in the end, and what the jobs said."""

    state: str
    status: str
    comment: str
    decision: Any
    """The predicate of decision.json in the ledger; None where nothing was decided."""
    ran: tuple[Ran, ...]


class Judging:
    """One repository: a desk where commits are made, its remote, its GitHub, and a clone in which jobs run."""

    def __init__(self, folder: Path, github: FakeGitHub) -> None:
        self.folder = folder
        self.github = github
        self.desk = folder / "desk"
        self.remote = folder / "remote.git"
        self._runs = 0

    def push(self, files: Files) -> int:
        """A commit on the default branch, checked, judged and recorded."""
        git(self.desk, "switch", "--quiet", "main")
        sha = commit(self.desk, files, "On the default branch")
        git(self.desk, "push", "--quiet", "origin", "main")
        run = self.left(self.checked("push"), sha, event="push", branch="main")
        told = self.judged(run)
        assert told.state == "success", told
        return run

    def branch(self, files: Files, *, name: str = "change", start: str = "main") -> str:
        """A pull request with one commit; its head."""
        git(self.desk, "switch", "--quiet", "--create", name, start)
        sha = commit(self.desk, files, "A change")
        git(self.desk, "push", "--quiet", "origin", name)
        self.github.state.pulls[NUMBER] = Pull(
            number=NUMBER, head_ref=name, head_sha=sha, base_sha=git(self.desk, "rev-parse", "main")
        )
        return sha

    def checked(self, event: str = "pull_request", *, project: str = "rain", folder: str = "") -> Path:
        """The folder that `ci check` leaves of what is checked out at the desk."""
        head = git(self.desk, "rev-parse", "HEAD")
        base = {"ref": "main", "sha": git(self.desk, "rev-parse", "main")}
        pull = {"number": NUMBER, "head": {"ref": "change", "sha": head}, "base": base}
        with self._job("mlops-check.yml", "run", event, {"pull_request": pull}, head) as temporary:
            ran = run_command(self.desk / folder, "ci", "check", temporary=self.folder / "tmp")
        assert ran.code in (0, 10, 11), ran
        return temporary / "mlops-run" / project

    def left(
        self, evidence: Path | bytes | None, sha: str, *, event: str = "pull_request", branch: str = "change"
    ) -> int:
        """A run of the check that left this evidence: a folder, or the bytes of an artifact."""
        state = self.github.state
        run = state.new_id()
        state.runs[run] = Run(id=run, head_sha=sha, head_branch=branch, event=event, run_number=run)
        if evidence is not None:
            self.add(run, evidence)
        return run

    def add(self, run: int, evidence: Path | bytes, *, project: str = "rain") -> None:
        """An artifact of a run."""
        content = evidence if isinstance(evidence, bytes) else zipped(evidence)
        artifact = self.github.state.new_id()
        self.github.state.artifacts[artifact] = Artifact(
            id=artifact, run=run, name=f"mlops-run-{project}", content=content
        )

    def approved(self, login: str, *, state: str = "APPROVED", commit: str | None = None) -> int:
        """Somebody reviews the pull request; the run of the check that the review started."""
        known, pull = self.github.state, self.github.state.pulls[NUMBER]
        known.reviews.append(
            Review(id=known.new_id(), number=NUMBER, login=login, state=state, commit_id=commit or pull.head_sha)
        )
        return self.left(None, pull.head_sha, event="pull_request_review", branch=pull.head_ref)

    def judged(self, run: int, between: Callable[[Path], object] = lambda _: None) -> Told:
        """The recording workflow of a run: both jobs, in a fresh clone of the default branch; `between` them something
        may be done to what is handed over.
        """
        self._runs += 1
        place, judged = self.folder / f"jobs-{self._runs}", self.folder / f"judged-{self._runs}"
        git(self.folder, "clone", "--quiet", str(self.remote), str(place))
        told = self.github.state.runs[run]
        payload = {
            "workflow_run": {
                "id": told.id,
                "run_number": told.run_number,
                "run_attempt": told.run_attempt,
                "event": told.event,
                "head_sha": told.head_sha,
                "head_branch": told.head_branch,
                "head_repository": {"full_name": told.head_repository},
                "path": told.path,
            }
        }
        ran = []
        for job in ("judge", "record"):
            with self._job("mlops-record.yml", job, "workflow_run", payload, told.head_sha):
                ran.append(run_command(place, "ci", job, str(judged), "--json", temporary=self.folder / "tmp"))
            if job == "judge":
                between(judged)
        return self._told(told.head_sha, tuple(ran))

    def ledgered(self, told: Told, name: str) -> Any:
        """A JSON file of the decision that was recorded, as the remote's ledger has it."""
        return self._ledgered(told.ran[-1].document["decisions"][0], name)

    def _ledgered(self, decision: str, name: str) -> Any:
        listed = git(self.remote, "ls-tree", "-r", "--name-only", "mlops-reports").splitlines()
        [path] = [each for each in listed if each.endswith(f"{decision}/{name}")]
        return json.loads(git(self.remote, "show", f"mlops-reports:{path}"))

    def _told(self, sha: str, ran: tuple[Ran, ...]) -> Told:
        state = self.github.state
        status = next((each for each in state.statuses if each.sha == sha), None)
        comments = [each.body for each in state.comments.values() if each.number == NUMBER]
        made = ran[-1].document.get("decisions") if ran[-1].out else []
        decision = None
        if made:
            decision = self._ledgered(made[0], "decision.json")["predicate"]
        return Told(
            state=status.state if status else "",
            status=(status.description or "") if status else "",
            comment=comments[-1] if comments else "",
            decision=decision,
            ran=ran,
        )

    @contextmanager
    def _job(self, workflow: str, job: str, event: str, payload: dict[str, Any], sha: str) -> Iterator[Path]:
        self._runs += 1
        temporary = self.folder / f"runner-{self._runs}"
        temporary.mkdir()
        told = temporary / "event.json"
        told.write_text(json.dumps(payload))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.github.environment(workflow, job).items():
                patch.setenv(name, value)
            for name, value in {
                "GITHUB_EVENT_NAME": event,
                "GITHUB_EVENT_PATH": str(told),
                "GITHUB_SHA": sha,
                "GITHUB_RUN_ID": str(self._runs),
                "GITHUB_SERVER_URL": "https://github.com",
                "RUNNER_TEMP": str(temporary),
            }.items():
                patch.setenv(name, value)
            yield temporary


@contextmanager
def repository(
    folder: Path, files: Files = GOOD, ready: Callable[[Judging], object] = lambda _: None
) -> Iterator[Judging]:
    """The good project on the default branch, judged and recorded: a base, a champion, a ledger. First `ready`."""
    with FakeGitHub(workflows(folder / "workflows"), git=None) as github:
        made = Judging(folder, github)
        repo(made.desk, {})
        commit(made.desk, {}, "Empty")
        bare(made.desk, made.remote)
        for option in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowReachableSHA1InWant"):
            git(made.remote, "config", option, "true")
        ready(made)
        made.push(files)
        yield made


def forged(evidence: Path, into: Path, change: Callable[[Kept], Kept]) -> Path:
    """A copy of a run's folder with something else in it, every digest made right again."""
    kept = change(runs.read_run(evidence))
    decision = entries.with_evidence(kept.decision, kept.evidence, kept.arrays, kept.holdout)
    kept = replace(kept, decision=decision, id=decision_id(decision))
    shutil.rmtree(into, ignore_errors=True)
    return write_folder(into, runs.entry(kept, "# Passed, says the branch\n", {}))


class Sent(NamedTuple):
    """One repository with a pull request, the evidence that its run left, and what is told where that is left alone."""

    judging: Judging
    commit: str
    evidence: Path
    honest: Told

    def told(self, folder: Path, change: Callable[[Kept], Kept]) -> Told:
        """And what with something else in it; both jobs go through. `folder`: for what is made up."""
        evidence = forged(self.evidence, folder / "forged", change)
        told = self.judging.judged(self.judging.left(evidence, self.commit))
        assert [ran.code for ran in told.ran] == [0, 0], told.ran
        return told


def zipped(folder: Path) -> bytes:
    """A folder as the artifact GitHub makes of it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return out.getvalue()


def workflows(into: Path, *, name: str = "rain") -> Path:
    """The generated workflows, as the fake GitHub reads what jobs may do."""
    project = ProjectInputs(name=name, folder="", labels=("ubuntu-24.04",), timeout=3600)
    for path, text in generate(Inputs(version=__version__, default_branch="main", projects=(project,))).items():
        file = into / Path(path).name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return into


def row(name: str, told: Told) -> str:
    """What a branch tries and what is shown then, as a line of the tables of docs/security.md."""
    return f"| {name} | {told.state} | {told.status} |"


def table() -> list[str]:
    """The lines of docs/security.md."""
    return DOCS.read_text(encoding="utf-8").splitlines()
