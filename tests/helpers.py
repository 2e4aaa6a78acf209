"""Real git repositories in temporary folders, and what a test may need of the machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uv

from mlops_ci.records.decisions import Change, Decision, DecisionKind, JudgeRef, ParamChange, RunInfo, Subject, Trust
from mlops_ci.records.evaluation import MetricValue
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part, Result, Where
from mlops_ci.records.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

DATE = "2024-05-01T12:00:00Z"
AUTHOR = ("Ada Example", "ada@example.org")
_CHECKOUT = Path(__file__).parents[1]
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")


def tree(files: Mapping[str, str | bytes], root: Path) -> Path:
    """Write files, path -> content, below `root`; folders are made."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def run_json(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    """What a command of this checkout answers with; AssertionError where it ends with another code."""
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci", *words, "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(_CHECKOUT)},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def git(root: Path, *arguments: str, stdin: bytes = b"", date: str = DATE) -> str:
    """Standard output of git without the last line end; AssertionError with its own words when it fails."""
    name, email = AUTHOR
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email, "GIT_AUTHOR_DATE": date}
    environment |= {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email, "GIT_COMMITTER_DATE": date}
    environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(["git", *arguments], cwd=root, env=environment, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def repo(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """A git repository at `root`, branch main, with one commit; without files, none."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    if files:
        commit(root, files, "first")
    return root


def commit(root: Path, files: Mapping[str, str | bytes | None], message: str, *, date: str = DATE) -> str:
    """Write files (None removes one), commit everything there is, and give the commit's id."""
    tree({name: content for name, content in files.items() if content is not None}, root)
    for name in (name for name, content in files.items() if content is None):
        (root / name).unlink()
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message, date=date)
    return git(root, "rev-parse", "HEAD")


def bare(root: Path, path: Path) -> Path:
    """A bare repository at `path` that becomes origin of the one at `root`, with its branches."""
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--bare", "--initial-branch=main")
    git(root, "remote", "add", "origin", str(path))
    git(root, "push", "--quiet", "origin", "--all")
    git(root, "fetch", "--quiet", "origin")
    return path


def decision(
    *, number: int = 1, commit: str = "", outcome: Outcome = Outcome.PASSED, time: str = DATE, project: str = "flights"
) -> Decision:
    """A check's decision with one gate and one metric; another `number` is another decision."""
    gate = Verdict(
        gate="roc_auc >= 0.72",
        name="roc_auc >= 0.72",
        verdict=Status(outcome),
        observed=0.75 if outcome is Outcome.PASSED else 0.7,
        low=0.7,
        high=0.8,
        threshold=0.72,
        rows=1000,
        method="point/1",
        where=Where("mlops.yaml", 22),
    )
    digest = f"{number:064x}"
    return Decision(
        kind=DecisionKind.CHECK,
        project=project,
        outcome=outcome,
        trust=Trust.DESK,
        subject=Subject(
            commit=commit or digest[-40:],
            tree=digest[-40:],
            data=digest[-32:],
            params=digest,
            environment="",
            commit_time=time,
            commit_title=f"change number {number}",
        ),
        base="",
        champion=None,
        change=Change(kinds=("params",), params=(ParamChange(file="params.yaml", key="depth", before="4", after="8"),)),
        judge=JudgeRef(commit=digest[-40:], digest=digest, version="0.1.0", source="head"),
        gates=(gate,),
        metrics=(MetricValue(metric="roc_auc", value=0.75, champion=None),),
        checks=(Result(check="nulls", part=Part.DATA, status=Status.PASSED, message="no column has new gaps"),),
        evidence={},
    )


def run_info(*, seconds: float = 1.5) -> RunInfo:
    """How a run went; other `seconds`, another run of the same decision."""
    return RunInfo(
        started=DATE,
        seconds=seconds,
        timings={"train": seconds},
        restored=(),
        host="desk",
        python="3.11.9",
        mlops_ci="0.1.0",
    )


@cache
def lacking(part: str) -> str:
    """Why a part of the machine cannot be used, "" when it can: dockerd, act, chromium, registry, or a program."""
    if part == "chromium":
        return "" if any(map(shutil.which, _CHROMIUM)) else "no Chromium on PATH"
    if part == "registry":
        return _fails(
            uv.find_uv_bin(), "pip", "compile", "--quiet", "--no-cache", "--no-header", "-", stdin=b"six==1.17.0\n"
        )
    if shutil.which(part) is None:
        return f"no {part} on PATH"
    return "only root may start it" if part == "dockerd" and os.geteuid() != 0 else ""


def must_not_skip() -> bool:
    """Whether a missing part fails a test: in CI, where a skipped test would pass unseen."""
    return os.environ.get("CI", "").lower() == "true" or os.environ.get("MLOPS_CI_REQUIRE_ALL") == "1"


def _fails(*command: str, stdin: bytes = b"") -> str:
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"`{' '.join(command[:2])}` does not run: {error}"
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return "" if done.returncode == 0 else f"`{' '.join(command[:2])}` fails: {said[-1] if said else done.returncode}"
