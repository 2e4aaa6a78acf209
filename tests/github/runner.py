"""Workflows executed by act in host mode, as GitHub would: events in, runs, artifacts, comments and statuses out.

The files are those of the commit that the event is about, for workflow_run those of the default branch. Of what act
does not know (`queue: max`, `deployment: false`) it is given a copy without; `uses:` lines are the pinned ones,
answered by stand-ins. Git goes to the fake as well, with the token and the permissions that the executed file gives
the job. A run for a fork's commit is executed as the fork wrote it, with a token that reads and without secrets.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import uv

from tests.github.events import Event
from tests.github.site import Site, git
from tests.github.stand_ins import CACHE_PROGRAM, STAND_INS
from tests.github.timing import TOLD_AT_THE_END
from tests.github.zips import zipped

_UNKNOWN_TO_ACT = re.compile(r"^ +(queue: max|deployment: false)$\n", re.MULTILINE)
_USES = re.compile(r"uses: (?P<action>[\w.-]+/[\w./-]+)@(?P<commit>[0-9a-f]{40})")
_FOREIGN = ("GITHUB_", "GIT_", "VIRTUAL_ENV", "PYTHONPATH")
CHECK, RECORD, RELEASE, UPGRADE = "mlops-check.yml", "mlops-record.yml", "mlops-release.yml", "mlops-upgrade.yml"


class Ran(NamedTuple):
    """What act said of one run of a workflow."""

    code: int
    log: str
    summaries: list[str]
    times: str
    """Of the processor, as tests/github/timing.py reads them."""


class Actions:
    """The runners of a site.

    `environment`: variables that every job has, beside GitHub's. `secrets`: of the repository.
    """

    def __init__(self, site: Site, environment: dict[str, str]) -> None:
        self.site = site
        self.folder = site.folder / "runner"
        self.artifacts = self.folder / "artifacts"
        self.environment = environment
        self.secrets: dict[str, str] = {}
        self.ran: list[Ran] = []
        (self.folder / "bin").mkdir(parents=True)
        (self.folder / "bin" / "uv").symlink_to(uv.find_uv_bin())
        (self.folder / "cache.py").write_text(CACHE_PROGRAM)
        (self.folder / "times.sh").write_text(TOLD_AT_THE_END)
        self.times = self.folder / "times"

    def check(self, event: Event) -> int:
        """A run of the checking workflow; its number on GitHub."""
        shutil.rmtree(self.artifacts, ignore_errors=True)
        ran = self.act(event, CHECK)
        left = {place.name: zipped(place, hidden=True) for place in sorted(self.artifacts.glob("*"))}
        return self.site.finished(event, "failure" if ran.code else "success", left)

    def record(self, run: int) -> Ran:
        """The run of the check is complete: the recording workflow of the default branch."""
        shutil.rmtree(self.artifacts, ignore_errors=True)
        return self.act(self.site.on_completed(run), RECORD)

    def release(self, event: Event) -> Ran:
        """A run of the releasing workflow: what one of its jobs keeps, the next may fetch while it goes on."""
        shutil.rmtree(self.artifacts, ignore_errors=True)
        run = self.site.started(event, RELEASE, self.artifacts)
        ran = self.act(event, RELEASE, run=run)
        self.site.ended(run, "failure" if ran.code else "success")
        return ran

    def upgrade(self, event: Event) -> Ran:
        """A run of the workflow that looks for a newer mlops-ci."""
        return self.act(event, UPGRADE)

    def act(self, event: Event, workflow: str, *, run: int = 1) -> Ran:
        """Run one workflow of a commit; `run`: its number, where GitHub is asked about it."""
        place = self._checked_out(event.head)
        shutil.rmtree(self.site.workflows, ignore_errors=True)
        shutil.copytree(place / ".github" / "workflows", self.site.workflows)
        text = (place / ".github" / "workflows" / workflow).read_text()
        copy = self.folder / "for-act" / workflow
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(_UNKNOWN_TO_ACT.sub("", text))
        self.times.unlink(missing_ok=True)
        told = self.folder / "event.json"
        told.write_text(json.dumps(event.payload))
        command = [
            *(Path(sys.executable).parent / "act", event.name, "--eventpath", told, "--workflows", copy, "--json"),
            *("--platform", "ubuntu-24.04=-self-hosted"),
            *("--no-skip-checkout", "--action-cache-path", self.folder / "act-cache", "--defaultbranch", "main"),
        ]
        for name, value in self._given(event).items():
            command += ["--secret", f"{name}={value}"]
        for name, value in (self._variables(event, workflow) | {"GITHUB_RUN_ID": str(run)}).items():
            command += ["--env", f"{name}={value}"]
        for found in {match["action"]: match["commit"] for match in _USES.finditer(text)}.items():
            command += self._stand_in(*found)
        done = subprocess.run(
            [str(word) for word in command], cwd=place, env=self._runner(), capture_output=True, text=True, check=False
        )
        shutil.rmtree(place)
        times = self.times.read_text() if self.times.exists() else ""
        ran = Ran(done.returncode, done.stdout + done.stderr, _summaries(done.stdout), times)
        self.ran.append(ran)
        (self.folder / f"{len(self.ran)}-{workflow}.log").write_text(ran.log)
        return ran

    def _checked_out(self, sha: str) -> Path:
        """The commit, for act to find the workflow in; jobs check out for themselves."""
        place = self.folder / "checkout"
        shutil.rmtree(place, ignore_errors=True)
        git(self.folder, "clone", "--quiet", "--no-checkout", self.site.remote, place)
        git(place, "fetch", "--quiet", "origin", sha)
        git(place, "checkout", "--quiet", "--detach", sha)
        git(place, "remote", "set-url", "origin", self.site.address)
        return place

    def _given(self, event: Event) -> dict[str, str]:
        """The secrets of a run, its token among them."""
        if event.repository != self.site.state.repository:
            return {"GITHUB_TOKEN": "fork-token"}
        return self.secrets | {"GITHUB_TOKEN": "job-token"}

    def _variables(self, event: Event, workflow: str) -> dict[str, str]:
        repository = self.site.state.repository
        return {
            **self.environment,
            "GITHUB_API_URL": self.site.github.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": repository,
            "GITHUB_SHA": event.head,
            "GITHUB_WORKFLOW_REF": f"{repository}/.github/workflows/{workflow}@refs/heads/main",
            "STANDIN_ARTIFACTS": str(self.artifacts),
            "STANDIN_TIMES": str(self.times),
            "BASH_ENV": str(self.folder / "times.sh"),
            "STANDIN_CACHE": str(self.folder / "cache"),
            "STANDIN_CACHE_PROGRAM": str(self.folder / "cache.py"),
            "GIT_CONFIG_GLOBAL": str(self.site.git_config),
        }

    def _runner(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        kept["PATH"] = f"{self.folder / 'bin'}{os.pathsep}{_without_ours(kept['PATH'])}"
        return kept | {"GIT_CONFIG_GLOBAL": str(self.site.git_config), "HOME": str(self.folder / "home")}

    def _stand_in(self, action: str, commit: str) -> list[str]:
        owner, name, *_ = action.split("/")
        place = self.folder / "actions" / owner / name
        for other, text in STAND_INS.items():
            if other == action or other.startswith(f"{owner}/{name}/"):
                inside = place.joinpath(*other.split("/")[2:])
                inside.mkdir(parents=True, exist_ok=True)
                (inside / "action.yml").write_text(text.lstrip())
        return ["--local-repository", f"{owner}/{name}@{commit}={place}"]


def _without_ours(path: str) -> str:
    """What a runner finds: not the mlops-ci of this checkout."""
    ours = str(Path(sys.executable).parent)
    return os.pathsep.join(part for part in path.split(os.pathsep) if part != ours)


def _summaries(log: str) -> list[str]:
    found = []
    for line in log.splitlines():
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(told, dict) and told.get("command") == "summary":
            found.append(str(told.get("content", "")))
    return found
