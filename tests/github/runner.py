"""Workflows executed by act in host mode, as GitHub would: events in, runs, artifacts, comments and statuses out.

The files are those of the commit that the event is about, for workflow_run those of the default branch. Of what act
does not know (`queue: max`, `deployment: false`) it is given a copy without; `uses:` lines are the pinned ones,
answered by small stand-ins that copy folders.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import uv

from tests.github.fake import FakeGitHub
from tests.github.state import Artifact, Pull, Review, Run

_UNKNOWN_TO_ACT = re.compile(r"^ +(queue: max|deployment: false)$\n", re.MULTILINE)
_USES = re.compile(r"uses: (?P<action>[\w.-]+/[\w./-]+)@(?P<commit>[0-9a-f]{40})")
_COPY_TO = """
name: stand-in
description: keeps a folder
inputs:
  name: {description: n, default: artifact}
  path: {description: p, required: true}
  key: {description: k, default: ""}
  retention-days: {description: r, default: "1"}
  if-no-files-found: {description: i, default: warn}
  include-hidden-files: {description: h, default: "false"}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", PATHS: "${{ inputs.path }}"}
      run: |
        [ -e "$PATHS" ] || exit 0
        rm -rf "$STANDIN_ARTIFACTS/$NAME"
        mkdir -p "$STANDIN_ARTIFACTS/$NAME"
        cp -r "$PATHS/." "$STANDIN_ARTIFACTS/$NAME/"
"""
_COPY_FROM = """
name: stand-in
description: brings a folder
inputs:
  name: {description: n, required: true}
  path: {description: p, required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", INTO: "${{ inputs.path }}"}
      run: |
        mkdir -p "$INTO"
        cp -r "$STANDIN_ARTIFACTS/$NAME/." "$INTO/"
"""
_CACHE = """
name: stand-in
description: a cache
inputs:
  path: {description: p, required: true}
  key: {description: k, required: true}
  restore-keys: {description: r, default: ""}
runs:
  using: composite
  steps:
    - shell: bash
      env: {PATHS: "${{ inputs.path }}", KEYS: "${{ inputs.key }}\\n${{ inputs.restore-keys }}", VERB: "%s"}
      run: python3 "$STANDIN_CACHE_PROGRAM" "$VERB"
"""
_CACHE_PROGRAM = """
import os, pathlib, shutil, sys
store = pathlib.Path(os.environ["STANDIN_CACHE"])
keys = [key.strip() for key in os.environ["KEYS"].replace("\\\\n", "\\n").splitlines() if key.strip()]
paths = [path.strip() for path in os.environ["PATHS"].splitlines() if path.strip()]
store.mkdir(parents=True, exist_ok=True)
log = store.parent / "cache.log"
if sys.argv[1] == "save":
    place = store / keys[0]
    if not place.exists():
        for path in paths:
            if pathlib.Path(path).exists():
                shutil.copytree(path, place / path.strip("/"), symlinks=True, dirs_exist_ok=True)
    log.open("a").write(f"save {keys[0]}\\n")
else:
    found = next((store / key for key in keys[:1] if (store / key).exists()), None)
    for key in keys[1:]:
        fitting = sorted(store.glob(key + "*"), key=lambda path: path.stat().st_mtime)
        found = found or (fitting[-1] if fitting else None)
    log.open("a").write(f"restore {keys} -> {found}\\n")
    if found:
        for path in paths:
            if (found / path.strip("/")).exists():
                shutil.copytree(found / path.strip("/"), path, symlinks=True, dirs_exist_ok=True)
"""
_CHECKOUT = """
name: stand-in
description: brings a commit with all branches
inputs:
  ref: {description: r, default: ""}
  fetch-depth: {description: f, default: "1"}
  persist-credentials: {description: p, default: "true"}
runs:
  using: composite
  steps:
    - shell: bash
      env: {REF: "${{ inputs.ref }}", DEPTH: "${{ inputs.fetch-depth }}", KEEP: "${{ inputs.persist-credentials }}"}
      run: |
        [ "$DEPTH" = 0 ] && [ "$KEEP" = false ]
        find . -mindepth 1 -delete
        git clone --quiet --no-checkout "$STANDIN_REMOTE" .
        git fetch --quiet origin "${REF:-$GITHUB_SHA}"
        git checkout --quiet --detach "${REF:-$GITHUB_SHA}"
        git branch --quiet --delete --force main
        git remote set-url origin "$STANDIN_ADDRESS"
"""
_NOTHING = """
name: stand-in
description: nothing to do
inputs:
  enable-cache: {description: e, default: "true"}
  cache-suffix: {description: s, default: ""}
  cache-dependency-glob: {description: g, default: ""}
runs:
  using: composite
  steps: [{shell: bash, run: "true"}]
"""
STAND_INS = {
    "actions/checkout": _CHECKOUT,
    "astral-sh/setup-uv": _NOTHING,
    "actions/upload-artifact": _COPY_TO,
    "actions/download-artifact": _COPY_FROM,
    "actions/cache/restore": _CACHE % "restore",
    "actions/cache/save": _CACHE % "save",
}


class Ran(NamedTuple):
    """What act said of one run."""

    code: int
    log: str
    summaries: list[str]


class Actions:
    """One repository with its remote, its GitHub, and the runners."""

    def __init__(self, folder: Path, github: FakeGitHub, *, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.github = github
        self.remote = folder / "remote.git"
        self.artifacts = folder / "artifacts"
        self.environment = environment or {}
        self.ran: list[Ran] = []
        self._git_config = folder / "gitconfig"
        self._stand_ins = folder / "actions"
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", self.remote)
        for option in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowReachableSHA1InWant"):
            git(self.remote, "config", option, "true")
        # Paths of the remote only: what the tool asks of GitHub goes through the API.
        self._git_config.write_text(
            f'[url "file://{self.remote}"]\n\tinsteadOf = {self.address}\n'
            "[user]\n\tname = runner\n\temail = runner@localhost\n[safe]\n\tdirectory = *\n"
        )
        (folder / "cache.py").write_text(_CACHE_PROGRAM)
        (folder / "bin").mkdir()
        (folder / "bin" / "uv").symlink_to(uv.find_uv_bin())

    @property
    def address(self) -> str:
        return f"https://github.com/{self.github.state.repository}.git"

    def pushed(self, sha: str, *, branch: str = "main") -> int:
        """A push to the default branch was made; the run of the check."""
        self.github.state.branches.setdefault(branch, self._branch()).sha = sha
        payload = {"ref": f"refs/heads/{branch}", "after": sha, "repository": self._repository()}
        return self._check("push", payload, sha, branch=branch)

    def pull_request(self, number: int, *, action: str = "synchronize") -> int:
        """The head of a pull request is new."""
        pull = self.github.state.pulls[number]
        return self._check("pull_request", self._payload(pull) | {"action": action}, pull.head_sha, pull=pull)

    def approved(self, number: int, login: str) -> int:
        """Somebody approves the head of a pull request."""
        state = self.github.state
        pull = state.pulls[number]
        state.reviews.append(
            Review(id=state.new_id(), number=number, login=login, state="APPROVED", commit_id=pull.head_sha)
        )
        payload = self._payload(pull) | {"action": "submitted", "review": {"state": "approved"}}
        return self._check("pull_request_review", payload, pull.head_sha, pull=pull)

    def merge_group(self, sha: str, *, branch: str) -> int:
        """The merge queue made a commit."""
        payload = {
            "merge_group": {"head_sha": sha, "head_ref": f"refs/heads/{branch}", "base_sha": self._tip("main")},
            "repository": self._repository(),
        }
        return self._check("merge_group", payload, sha, branch=branch)

    def record(self, run: int, *, token: str = "job-token") -> Ran:
        """The run of the check is complete: the recording workflow of the default branch."""
        told = self.github.state.runs[run]
        head = {"full_name": told.head_repository} if told.head_repository else None
        payload = {
            "action": "completed",
            "repository": self._repository(),
            "workflow_run": {
                "id": told.id,
                "run_number": told.run_number,
                "run_attempt": told.run_attempt,
                "event": told.event,
                "conclusion": told.conclusion,
                "head_sha": told.head_sha,
                "head_branch": told.head_branch,
                "head_repository": head,
                "path": told.path,
                "html_url": f"https://github.com/{self.github.state.repository}/actions/runs/{told.id}",
            },
        }
        shutil.rmtree(self.artifacts, ignore_errors=True)
        return self.act("workflow_run", payload, self._tip("main"), "mlops-record.yml", token=token)

    def act(self, event: str, payload: dict[str, Any], sha: str, workflow: str, *, token: str = "job-token") -> Ran:
        """Run one workflow of a commit."""
        place = self._checked_out(sha)
        file = place / ".github" / "workflows" / workflow
        text = file.read_text()
        copy = self.folder / "for-act" / workflow
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(_UNKNOWN_TO_ACT.sub("", text))
        told = self.folder / "event.json"
        told.write_text(json.dumps(payload))
        command = [
            *(str(Path(sys.executable).parent / "act"), event, "--eventpath", told, "--workflows", copy, "--json"),
            *("--platform", "ubuntu-24.04=-self-hosted", "--secret", f"GITHUB_TOKEN={token}"),
            "--no-skip-checkout",
            *("--action-cache-path", self.folder / "act-cache", "--defaultbranch", "main"),
        ]
        for name, value in self._variables(sha).items():
            command += ["--env", f"{name}={value}"]
        for found in {match["action"]: match["commit"] for match in _USES.finditer(text)}.items():
            command += self._stand_in(*found)
        done = subprocess.run(
            [str(word) for word in command], cwd=place, env=self._runner(), capture_output=True, text=True, check=False
        )
        shutil.rmtree(place)
        ran = Ran(done.returncode, done.stdout + done.stderr, _summaries(done.stdout))
        self.ran.append(ran)
        return ran

    def _check(
        self, event: str, payload: dict[str, Any], sha: str, *, pull: Pull | None = None, branch: str = ""
    ) -> int:
        shutil.rmtree(self.artifacts, ignore_errors=True)
        state = self.github.state
        ran = self.act(event, payload, sha, "mlops-check.yml")
        run = state.new_id()
        state.runs[run] = Run(
            id=run,
            head_sha=sha,
            head_branch=pull.head_ref if pull else branch,
            head_repository=pull.head_repository if pull else state.repository,
            event=event,
            conclusion="failure" if ran.code else "success",
            run_number=run,
        )
        for place in sorted(self.artifacts.glob("*")):
            artifact = state.new_id()
            state.artifacts[artifact] = Artifact(id=artifact, run=run, name=place.name, content=zipped(place))
        return run

    def _checked_out(self, sha: str) -> Path:
        place = self.folder / "checkout"
        shutil.rmtree(place, ignore_errors=True)
        git(self.folder, "clone", "--quiet", "--no-checkout", self.remote, place)
        git(place, "checkout", "--quiet", "--detach", sha)
        git(place, "remote", "set-url", "origin", self.address)
        return place

    def _variables(self, sha: str) -> dict[str, str]:
        return {
            **self.environment,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": self.github.state.repository,
            "GITHUB_SHA": sha,
            "STANDIN_REMOTE": str(self.remote),
            "STANDIN_ADDRESS": self.address,
            "STANDIN_ARTIFACTS": str(self.artifacts),
            "STANDIN_CACHE": str(self.folder / "cache"),
            "STANDIN_CACHE_PROGRAM": str(self.folder / "cache.py"),
            "GIT_CONFIG_GLOBAL": str(self._git_config),
        }

    def _runner(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "VIRTUAL_ENV"))}
        kept["PATH"] = f"{self.folder / 'bin'}{os.pathsep}{_without_ours(kept['PATH'])}"
        return kept | {"GIT_CONFIG_GLOBAL": str(self._git_config), "HOME": str(self.folder / "home")}

    def _stand_in(self, action: str, commit: str) -> list[str]:
        owner, name, *_ = action.split("/")
        place = self._stand_ins / owner / name
        for other, text in STAND_INS.items():
            if other == action or other.startswith(f"{owner}/{name}/"):
                inside = place.joinpath(*other.split("/")[2:])
                inside.mkdir(parents=True, exist_ok=True)
                (inside / "action.yml").write_text(text.lstrip())
        return ["--local-repository", f"{owner}/{name}@{commit}={place}"]

    def _payload(self, pull: Pull) -> dict[str, Any]:
        head = {"ref": pull.head_ref, "sha": pull.head_sha, "repo": {"full_name": pull.head_repository}}
        base = {"ref": pull.base_ref, "sha": self._tip(pull.base_ref), "repo": self._repository()}
        told = {"number": pull.number, "title": pull.title, "head": head, "base": base}
        return {"number": pull.number, "pull_request": told, "repository": self._repository()}

    def _repository(self) -> dict[str, Any]:
        return {"full_name": self.github.state.repository, "default_branch": "main"}

    def _tip(self, branch: str) -> str:
        return git(self.remote, "rev-parse", f"refs/heads/{branch}")

    @staticmethod
    def _branch() -> Any:
        from tests.github.state import Branch

        return Branch()


def _without_ours(path: str) -> str:
    """What a runner finds: not the mlops-ci of this checkout."""
    ours = str(Path(sys.executable).parent)
    return os.pathsep.join(part for part in path.split(os.pathsep) if part != ours)


def zipped(folder: Path) -> bytes:
    """A folder as the zip that upload-artifact makes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return content.getvalue()


def git(folder: Path, *words: str | Path) -> str:
    done = subprocess.run(
        ["git", *(str(word) for word in words)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


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
