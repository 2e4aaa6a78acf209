"""A tiny project, one command on it as a user runs it, and what must hold whatever the command was given."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.cli import main
from tests.helpers import commit, git, repo, tree

Golden = Callable[[str, str | bytes], None]
Files = Mapping[str, str | bytes | None]

SETTINGS = """\
version: 1
project: rain
task: classification
data:
  sources: {trains: data/trains.csv}
  target: late
  id: [trip]
  split: {by: id, holdout: 30%}
train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}
slices: [town]
gates:
  - accuracy >= 0.6
"""
TRAIN = """\
class Rule:
    def __init__(self, limit):
        self.limit = limit
        self.classes_ = [0, 1]

    def predict(self, frame):
        return (frame["rain"] > self.limit).astype(int)

    def predict_proba(self, frame):
        import numpy as np

        score = np.clip(frame["rain"].to_numpy(dtype=float) / (2 * self.limit), 0, 1)
        return np.column_stack([1 - score, score])


def train(frame, params, seed):
    return Rule(params["limit"])
"""
TEST = """\
def test_more_rain_makes_no_train_earlier(predict, holdout):
    wetter = holdout.assign(rain=holdout["rain"] + 5)
    assert (predict(wetter) >= predict(holdout)).all()
"""
TOWNS = ("Aachen", "Bonn", "Celle")
IGNORED = "/.mlops-ci/cache/\n/.mlops-ci/env/\n/.mlops-ci/runs/\n/.mlops-ci/logs/\n/.mlops-ci/mlflow.db\n"
COLUMNS = ("trip", "town", "rain", "wind", "late")


def rows(count: int = 120) -> list[list[str]]:
    """Trains that are late when it rains, mostly."""
    made = []
    for trip in range(count):
        rain, wind = (trip * 37) % 100 / 10, (trip * 53) % 41
        late = int((rain > 5) != (trip % 7 == 0))
        made.append([str(trip), TOWNS[trip % 3], f"{rain:.1f}", str(wind), str(late)])
    return made


def csv_text(lines: list[list[str]], columns: tuple[str, ...] = COLUMNS) -> str:
    """The rows as a CSV file; values are quoted where they must be."""
    return "".join(",".join(map(_field, line)) + "\n" for line in [list(columns), *lines])


def _field(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if re.search('[",\n]', value) else value


GOOD: Mapping[str, str | bytes] = {
    "mlops.yaml": SETTINGS,
    "params.yaml": "limit: 5.0\n",
    "pipeline/train.py": TRAIN,
    "tests/model/test_behaviour.py": TEST,
    "data/trains.csv": csv_text(rows()),
    ".gitignore": IGNORED,
}


@dataclass(frozen=True)
class Ran:
    """What one command came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A project with one commit that passed, and a folder for temporary files that must be empty afterwards."""

    root: Path
    temporary: Path

    def run(self, *words: str) -> Ran:
        """`mlops-ci WORDS` in the project, in this process."""
        return run(self.root, *words, temporary=self.temporary)

    def start(
        self, *words: str, before: tuple[str, ...] = (), within: Callable[[], object] | None = None, **variables: str
    ) -> subprocess.Popen[str]:
        """The same as a process of its own; `before` runs it, `within` is called in it first."""
        return subprocess.Popen(
            [*before, sys.executable, "-m", "mlops_ci", *words],
            preexec_fn=within,
            cwd=self.root,
            env={**os.environ, "VIRTUAL_ENV": sys.prefix, "TMPDIR": str(self.temporary), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Ran:
        out, err = process.communicate(timeout=300)
        return Ran(process.returncode, out, err)

    def commit(self, files: Files) -> None:
        commit(self.root, files, "a change")

    def lay(self, files: Files) -> None:
        """Change files without a commit."""
        tree({name: content for name, content in files.items() if content is not None}, self.root)
        for name in (name for name, content in files.items() if content is None):
            (self.root / name).unlink()

    def report(self, ran: Ran, name: str = "report.md") -> str:
        """A file of the run that `check --json` wrote."""
        return (Path(ran.document["reports"]["folder"]) / name).read_text(encoding="utf-8")


def run(folder: Path, *words: str, temporary: Path) -> Ran:
    """`mlops-ci WORDS` in `folder`, in this process."""
    temporary.mkdir(exist_ok=True)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIRTUAL_ENV", sys.prefix)
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", str(temporary))
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = main(["-C", str(folder), *words])
        finally:
            signal.signal(signal.SIGTERM, before)
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return Ran(int(code), *said)


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """The good project, checked once, so that every case has a base, a champion and warm caches."""
    folder = tempfile.TemporaryDirectory(prefix="bad-input-")
    root = repo(Path(folder.name) / "project", GOOD)
    ran = run(root, "check", temporary=Path(folder.name) / "tmp")
    assert ran.code == 0, ran.out + ran.err
    git(root, "tag", "good")
    return folder


def project(folder: Path, *, checked: bool = True) -> Project:
    """A copy of the good project; `checked=False`: nothing of it was computed or decided yet."""
    (folder / "tmp").mkdir(parents=True)
    shutil.copytree(Path(_template().name) / "project", folder / "project", symlinks=True)
    made = Project(folder / "project", folder / "tmp")
    if not checked:
        shutil.rmtree(made.root / ".mlops-ci")
        git(made.root, "branch", "--quiet", "-D", "mlops-reports")
    return made


def text_of(project: Project, ran: Ran) -> str:
    """What a person read, without what differs between two runs or two machines."""
    text = f"exit code {ran.code}\n--- stderr\n{ran.err}--- stdout\n{ran.out}"
    for path, name in ((project.root, "PROJECT"), (project.temporary, "TMP"), (project.root.parent, "FOLDER")):
        text = text.replace(str(path), name)
    text = re.sub(r"TMP/mlops-ci\.[\w.]+", "TMP/mlops-ci", text)
    text = re.sub(r" +\d+\.\d s$| +\d+ s$", "  TIME", text, flags=re.MULTILINE)
    text = re.sub(r"\b(?=[a-f]*\d)[0-9a-f]{7,64}\b", "HASH", text)
    text = re.sub(r"\b[\d,]+ MB\b", "SOME MB", text)
    # Frames of libraries and the marks below lines differ between versions of Python and of pandas.
    text = re.sub(r'^( +)File "(?!pipeline/|tests/)[^"]+", line .*\n(?:\1  .*\n)*', "", text, flags=re.MULTILINE)
    text = re.sub(r"\d+ more times", "N more times", re.sub(r"^[ ~^]*[~^]+\n", "", text, flags=re.MULTILINE))
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def bad(project: Project, name: str, golden: Golden, *, code: int, words: tuple[str, ...] = ("check",)) -> Ran:
    """Run it with and without --json, compare what a person reads, look that nothing was half-written, recover.

    Given back is the run with --json.
    """
    before, index = files_of(project.root), _index(project.root)
    told = project.run(*words, "--json")
    assert told.code == code, told.out[-2000:] + told.err
    document = told.document
    if "error" in document:
        assert {"code", "message", "advice", "where"} <= document["error"].keys()
        shown = Ran(told.code, "", told.err)
    else:
        shown = project.run(*words)
        assert shown.code == code, "the answer restored leaves with another code"
    golden(f"bad-input/{name}.txt", text_of(project, shown))
    assert "Traceback" not in told.err or code == 11
    changed = dict(files_of(project.root).items() ^ before.items())
    assert not changed, f"the working tree changed: {list(changed)}"
    assert _index(project.root) == index, "git's index was written: a user's own git may be using it"
    assert_whole(project)
    return told


def _index(root: Path) -> bytes:
    path = root / ".git" / "index"
    return path.read_bytes() if path.is_file() else b""


def recovers(project: Project) -> None:
    """The good project checks again, every step computed or restored as it comes."""
    git(project.root, "reset", "--quiet", "--hard", "good")
    git(project.root, "clean", "--quiet", "--force", "-d")
    again = project.run("check", "--fresh")
    assert again.code == 0, again.out + again.err
    assert_whole(project)


def files_of(root: Path) -> dict[str, str]:
    """Every file outside .git and .mlops-ci with a digest of its content."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith((".git/", ".mlops-ci/")):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def assert_whole(project: Project, *, leftovers: bool = False) -> None:
    """The repository, the ledger and the state are whole; `leftovers` of a killed run are somebody else's question."""
    assert not git(project.root, "fsck", "--strict", "--no-dangling", "--no-progress")
    assert not list((project.root / ".git").rglob("*.lock"))
    assert_ledger(project.root)
    for run_folder in (project.root / ".mlops-ci" / "runs").glob("[!.]*"):
        for name in ("decision.json", "run.json", "report.md", "report.html", "evidence/evidence.json"):
            assert (run_folder / name).is_file(), f"{run_folder.name} has no {name}"
    left = [] if leftovers else left_behind(project)
    assert not left, f"left behind: {left}"


def left_behind(project: Project) -> list[str]:
    """Temporary files that are still there, and our folders for them."""
    parts = [path for path in (project.root / ".mlops-ci").rglob("*") if path.name.endswith((".part", ".log"))]
    files = [path for path in project.temporary.rglob("*") if path.is_file() or path.name.endswith(".part")]
    return [str(path) for path in parts + files]


def assert_ledger(root: Path) -> list[str]:
    """Every decision of the ledger is whole: its id is its digest, its evidence is there as pinned. Their ids."""
    if not git(root, "branch", "--list", "mlops-reports"):
        return []
    listed = git(root, "ls-tree", "-r", "--name-only", "mlops-reports").splitlines()
    decisions = [path for path in listed if path.endswith("/decision.json")]
    folders = {path.rpartition("/")[0] for path in decisions}
    for path in listed:
        in_decision = any(path.startswith(f"{folder}/") for folder in folders)
        assert in_decision or path == "README.md" or path.startswith("holdouts/"), path
    for path in decisions:
        folder = path.rpartition("/")[0]
        content = _blob(root, path)
        assert hashlib.sha256(content).hexdigest() == folder.rpartition("/")[2]
        for name in ("run.json", "report.md", "evidence/evidence.json"):
            assert f"{folder}/{name}" in listed
        for name, digest in json.loads(content)["predicate"]["evidence"].items():
            place = name if name.startswith("holdouts/") else f"{folder}/evidence/{name}"
            assert hashlib.sha256(_blob(root, place)).hexdigest() == digest, place
    return [path.split("/")[-2] for path in decisions]


def _blob(root: Path, path: str) -> bytes:
    return subprocess.run(
        ["git", "cat-file", "blob", f"mlops-reports:{path}"], cwd=root, capture_output=True, check=True
    ).stdout
