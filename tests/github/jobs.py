"""Jobs of the generated workflows without act: their commands of mlops-ci, in this process, with the variables of the
step and in a clone as the job's token has it. Which commands there are, and which have a token, says the workflow file.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from mlops_ci.cli import main
from tests.github import commands
from tests.github.events import Event
from tests.github.runner import CHECK, RECORD, RELEASE
from tests.github.site import Site
from tests.github.zips import zipped

_EVIDENCE: dict[tuple[object, ...], tuple[int, bytes]] = {}
"""What checks leave is a matter of the commit and the ledger: it is made once for all tests."""


class Ran(NamedTuple):
    """What one job came to. `code`: None where it was not started."""

    code: int | None
    out: str = ""
    summary: str = ""


class Recording(NamedTuple):
    """The two jobs of the recording workflow."""

    judge: Ran
    record: Ran


class Releasing(NamedTuple):
    """The two jobs of the releasing workflow that run nothing of the project."""

    rescore: Ran
    release: Ran


class Jobs:
    """The jobs of a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.ran: list[tuple[str, Ran]] = []
        self._count = 0

    def check(self, event: Event, *, token: str = "job-token", conclusion: str | None = None) -> int:
        """Plan, then check every project planned; the number of the run."""
        code, left = 0, dict[str, bytes]()
        for project, folder in self.planned(event, token=token):
            one, content = self._evidence(event, project, folder, token)
            code = code or one
            if content:
                left[f"mlops-run-{project}"] = content
        return self.site.finished(event, conclusion or ("failure" if code else "success"), left)

    def planned(self, event: Event, *, token: str = "job-token") -> list[tuple[str, str]]:
        """Name and folder of the projects that the job `plan` puts out."""
        with self._place() as place:
            ran = self._in(place, CHECK, "plan", event, token=token)
            assert ran.code == 0, ran.out
            return [(row["project"], row["folder"]) for row in json.loads(_put_out(place / "output", "projects"))]

    def record(self, run: int, *, token: str = "job-token") -> Recording:
        """The recording workflow for a run of the check."""
        with self.judged(run, token=token) as (judge, place):
            return Recording(judge, self.recorded(run, place, token=token))

    @contextmanager
    def judged(self, run: int, *, token: str = "job-token") -> Iterator[tuple[Ran, Path]]:
        """The job that judges, and the folder of what it hands over; what comes of that is up to the caller."""
        with self._place() as place:
            judge = self._in(place, RECORD, "judge", self.site.on_completed(run), token=token)
            handed = place / "handed"
            if judge.code == 0 and (place / "temp" / "judged").is_dir():
                shutil.copytree(place / "temp" / "judged", handed)
            yield judge, handed

    def recorded(self, run: int, handed: Path, *, token: str = "job-token") -> Ran:
        """The job that records what was handed over."""
        with self._place() as place:
            if handed.is_dir():
                shutil.copytree(handed, place / "temp" / "judged")
            return self._in(place, RECORD, "record", self.site.on_completed(run), token=token)

    def job(self, workflow: str, job: str, event: Event, *, token: str = "job-token") -> Ran:
        """One job alone."""
        with self._place() as place:
            return self._in(place, workflow, job, event, token=token)

    def checked(self, event: Event, project: str, folder: str, *, token: str = "job-token") -> tuple[Ran, bytes]:
        """The job that checks a project, and the artifact it leaves; empty: none."""
        with self._place() as place:
            ran = self._in(place, CHECK, "run", event, token=token, expressions={"matrix.folder": folder})
            left = place / "temp" / "mlops-run" / project
            return ran, self._kept(CHECK, "run", left)

    def _evidence(self, event: Event, project: str, folder: str, token: str) -> tuple[int, bytes]:
        key = (event.name, event.head, project, json.dumps(event.payload, sort_keys=True), *self.site.decisions())
        if key not in _EVIDENCE:
            ran, left = self.checked(event, project, folder, token=token)
            _EVIDENCE[key] = (ran.code or 0, left)
        return _EVIDENCE[key]

    def packaged(self, event: Event, row: dict[str, Any], *, token: str = "job-token") -> tuple[Ran, bytes]:
        """The job that packages a commit, and the artifact it leaves; empty: none."""
        with self._place() as place:
            known = {"matrix.folder": row["folder"]}
            ran = self._in(place, RELEASE, "package", event, token=token, expressions=known, commit=row["commit"])
            left = place / "temp" / "mlops-bundle" / row["project"]
            return ran, self._kept(RELEASE, "package", left)

    def due(self, event: Event, *, token: str = "job-token") -> list[dict[str, Any]]:
        """What the first job of the releasing workflow puts out."""
        with self._place() as place:
            ran = self._in(place, RELEASE, "plan", event, token=token)
            assert ran.code == 0, ran.out
            return list(json.loads(_put_out(place / "output", "projects")))

    def released(
        self,
        event: Event,
        rows: list[dict[str, Any]],
        left: dict[str, bytes],
        *,
        token: str = "job-token",
        meanwhile: Callable[[Path], object] = lambda handed: None,
    ) -> Releasing:
        """The last two jobs of the releasing workflow, of a run that left these artifacts.

        meanwhile: called with the folder that the first hands over, before the second gets it.
        """
        run = self.site.finished(event, "success", left)
        known = {"needs.plan.outputs.projects": json.dumps(rows)}
        with self._place() as place:
            rescore = self._in(place, RELEASE, "rescore", event, token=token, expressions=known, run=run)
            handed = self.site.folder / "jobs" / f"handed-{run}"
            if found := self._kept(RELEASE, "rescore", place / "temp" / "rescored"):
                with zipfile.ZipFile(io.BytesIO(found)) as opened:
                    opened.extractall(handed)
                meanwhile(handed)
        with self._place() as place:
            if handed.is_dir():
                shutil.copytree(handed, place / "temp" / "rescored")
            release = self._in(place, RELEASE, "release", event, token=token, expressions=known, run=run)
        return Releasing(rescore, release)

    def _kept(self, workflow: str, job: str, folder: Path) -> bytes:
        """The artifact that the job makes of a folder; empty: there is none."""
        steps = yaml.safe_load((self.site.workflows / workflow).read_text())["jobs"][job]["steps"]
        (asked,) = [step["with"] for step in steps if "/upload-artifact@" in step.get("uses", "")]
        return zipped(folder, hidden=asked.get("include-hidden-files", False)) if folder.is_dir() else b""

    @contextmanager
    def _place(self) -> Iterator[Path]:
        self._count += 1
        place = self.site.folder / "jobs" / str(self._count)
        (place / "temp").mkdir(parents=True)
        try:
            yield place
        finally:
            shutil.rmtree(place)

    def _in(
        self,
        place: Path,
        workflow: str,
        job: str,
        event: Event,
        *,
        token: str,
        expressions: dict[str, str] | None = None,
        commit: str = "",
        run: int = 1,
    ) -> Ran:
        written: dict[str, Any] = yaml.safe_load((self.site.workflows / workflow).read_text())["jobs"][job]
        known = {"github.token": token, "github.sha": event.head, **(expressions or {})}
        refused = self._check_out(workflow, job, commit or event.head, place / "clone", token)
        if refused:
            return Ran(None, refused)
        code, said = 0, ""
        for step in written["steps"]:
            if not code and (told := commands.words(step)):
                given = {**written.get("env", {}), **step.get("env", {})}
                values = {name: _expanded(str(value), known) for name, value in given.items()}
                variables = self._variables(workflow, job, event, place) | values | {"GITHUB_RUN_ID": str(run)}
                code, out = _run(place / "clone", [_valued(word, variables) for word in told], variables)
                said += out
        summary = place / "summary"
        ran = Ran(code, said, summary.read_text() if summary.exists() else "")
        self.ran.append((job, ran))
        return ran

    def _check_out(self, workflow: str, job: str, sha: str, clone: Path, token: str) -> str:
        """As actions/checkout does it, with what the job's token may read; what git said where it may not."""
        agent = f"checkout/7 ({workflow}; {job})"
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        settings = ("-c", f"http.userAgent={agent}", "-c", f"http.extraHeader=Authorization: basic {basic}")
        environment = os.environ | {"GIT_CONFIG_GLOBAL": str(self.site.git_config)}
        for words, folder in (
            (("clone", "--quiet", "--no-checkout", self.site.address, str(clone)), clone.parent),
            (("fetch", "--quiet", "origin", sha), clone),
            (("checkout", "--quiet", "--detach", sha), clone),
            (("branch", "--quiet", "--delete", "--force", "main"), clone),
        ):
            command = ["git", *settings, *words]
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                return done.stderr
        return ""

    def _variables(self, workflow: str, job: str, event: Event, place: Path) -> dict[str, str]:
        payload = place / "event.json"
        payload.write_text(json.dumps(event.payload))
        told = self.site.github.environment(workflow, job)
        del told["GITHUB_TOKEN"]
        return told | {
            "GITHUB_EVENT_NAME": event.name,
            "GITHUB_EVENT_PATH": str(payload),
            "GITHUB_SHA": event.head,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_OUTPUT": str(place / "output"),
            "GITHUB_STEP_SUMMARY": str(place / "summary"),
            "RUNNER_TEMP": str(place / "temp"),
            "GIT_CONFIG_GLOBAL": str(self.site.git_config),
        }


def _put_out(output: Path, name: str) -> str:
    """An output of a step."""
    told = re.search(rf"^{name}<<(.*)\n(.*)\n\1$", output.read_text(), re.MULTILINE)
    assert told, output.read_text()
    return told[2]


def _valued(word: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda found: variables[found[1]], word)


def _expanded(text: str, known: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda found: known[found[1]], text)


def _run(folder: Path, words: list[str], variables: dict[str, str]) -> tuple[int, str]:
    """`mlops-ci WORDS` in a folder with these variables, in this process; what it wrote on both streams."""
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        patch.setenv("VIRTUAL_ENV", sys.prefix)
        patch.setattr(tempfile, "tempdir", variables["RUNNER_TEMP"])
        try:
            with redirect_stdout(said), redirect_stderr(said):
                code = int(main(words))
        finally:
            signal.signal(signal.SIGTERM, before)
    return code, said.buffer.getvalue().decode()  # type: ignore[attr-defined]
