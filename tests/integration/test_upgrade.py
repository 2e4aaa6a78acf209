"""`mlops-ci upgrade`, with wheels of other versions made from this checkout: what they say is asked of themselves."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from mlops_ci import __version__
from tests.helpers import commit, git, repo
from tests.wheels import ROOT, wheel

pytestmark = pytest.mark.needs("registry")  # what the other version needs is installed

LATER, OTHER_JUDGE, OTHER_SETTINGS = "8.0.0", "8.1.0", "8.2.0"
SETTINGS = """\
version: 1
project: churn
task: classification
data: {sources: {rows: data/rows.csv}, target: y, id: id}
train: {predictions: predictions.csv}
gates: [accuracy >= 0.5, "recall >= 0.5 @ 95%"]
"""
CLICK = "click==8.2.1 --hash=sha256:61a3265b914e850b85317d0b3109c7f8cd35a670f963866005d6ef1d5175a12b\n"
LOCK = f"mlops-ci=={__version__} --hash=sha256:{'0' * 64}\n{CLICK}"
WORKFLOW = ".github/workflows/mlops-upgrade.yml"
TOOL_LOCK = ".mlops-ci/tool.lock"


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each other version: one of other workflows, one that judges otherwise, one of other settings."""
    place = tmp_path_factory.mktemp("wheels")
    cron = ("templates/workflows/mlops-upgrade.yml", "47 4 * * 1", "13 4 * * 1")
    wheel(place / LATER, LATER, cron)
    wheel(place / OTHER_JUDGE, OTHER_JUDGE, ("mlops_ci/gates/point.py", '">=": operator.ge', '">=": operator.lt'))
    wheel(place / OTHER_SETTINGS, OTHER_SETTINGS, ("mlops_ci/config/settings.py", "\nVERSION = 1\n", "\nVERSION = 0\n"))
    return place


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two decisions in its ledger."""
    rows = [(f"r{n}", n % 7, n % 2) for n in range(400)]
    answers = "".join(f"{name},{y if n % 10 else 1 - y}\n" for n, (name, _, y) in enumerate(rows))
    files = {
        "mlops.yaml": SETTINGS,
        "data/rows.csv": "id,x,y\n" + "".join(f"{name},{x},{y}\n" for name, x, y in rows),
        "predictions.csv": "id,label\n" + answers,
        ".gitignore": "/.mlops-ci/cache/\n/.mlops-ci/env/\n/.mlops-ci/runs/\n/.mlops-ci/mlflow.db\n",
        TOOL_LOCK: LOCK,
    }
    root = repo(tmp_path_factory.mktemp("judged") / "churn", files)
    said = mlops_ci(root, "data", "contract", "--help")
    assert said.code == 0
    for title in ("first", "second"):
        (root / "predictions.csv").write_text(f"id,label\n{answers}".replace("r2,0", f"r2,{title == 'second':d}"))
        mlops_ci(root, "workflows", "--update")
        commit(root, {}, title)
        done = mlops_ci(root, "check")
        assert done.code in (0, 10), done.err
    assert len(json.loads(mlops_ci(root, "history", "--json").out)["decisions"]) == 2
    return root


@pytest.fixture
def churn(judged: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(judged, tmp_path / "churn"))


def mlops_ci(root: Path, *words: str, links: Path | None = None, **more: str) -> Done:
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | more
    environment |= {"UV_FIND_LINKS": str(links)} if links else {}
    command = [sys.executable, "-m", "mlops_ci", *words]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def changed(root: Path) -> list[str]:
    return [line[3:] for line in git(root, "status", "--porcelain", "--untracked-files=all").splitlines()]


def test_lock_and_workflows_are_written_in_one_change_and_the_verdicts_stay(churn: Path, wheels: Path) -> None:
    before = git(churn, "rev-parse", "HEAD")
    asked = mlops_ci(churn, "upgrade", "--check", links=wheels / LATER)
    assert (asked.code, asked.out) == (10, f"mlops-ci {LATER} is there, {__version__} is locked: mlops-ci upgrade\n")
    assert changed(churn) == []
    done = mlops_ci(churn, "upgrade", links=wheels / LATER)
    assert done.code == 0, done.err
    assert f"mlops-ci {__version__} → {LATER}\n4 of 4 verdicts of the last 2 decisions stay.\n" in done.out
    assert sorted(changed(churn)) == [WORKFLOW, ".mlops-ci/generated.lock", TOOL_LOCK]
    assert '"13 4 * * 1"' in (churn / WORKFLOW).read_text()
    lock = (churn / TOOL_LOCK).read_text()
    assert f"mlops-ci=={LATER} \\\n" in lock
    assert "click==8.2.1 \\\n" in lock, "what fits stays as it was locked"
    assert lock.count("--hash=sha256:") > 10
    assert git(churn, "rev-parse", "HEAD") == before, "a person commits"


def test_a_commit_takes_these_files_alone_and_none_of_a_persons_changes(churn: Path, wheels: Path) -> None:
    (churn / "notes.md").write_text("mine")
    git(churn, "add", "notes.md")
    done = mlops_ci(churn, "upgrade", "--commit", "--json", links=wheels / LATER)
    assert done.code == 0, done.err
    assert json.loads(done.out)["commit"] == git(churn, "rev-parse", "HEAD")
    assert git(churn, "log", "-1", "--format=%s%n%b") == (
        f"Upgrade mlops-ci to {LATER}\n4 of 4 verdicts of the last 2 decisions stay.\n"
    )
    held = git(churn, "show", "--format=", "--name-only", "HEAD").splitlines()
    assert held == [WORKFLOW, ".mlops-ci/generated.lock", TOOL_LOCK]
    assert changed(churn) == ["notes.md"]
    again = mlops_ci(churn, "upgrade", links=wheels / LATER)
    assert (again.code, again.out) == (0, f"mlops-ci {LATER} is the newest there is\n")
    (churn / TOOL_LOCK).write_text(LOCK)
    refused = mlops_ci(churn, "upgrade", links=wheels / LATER)
    assert refused.code == 2
    assert "not committed" in refused.err


def test_a_version_that_judges_otherwise_is_told_verdict_by_verdict(churn: Path, wheels: Path) -> None:
    done = mlops_ci(churn, "upgrade", links=wheels / OTHER_JUDGE)
    assert done.code == 0, done.err
    assert "2 of 4 verdicts of the last 2 decisions stay." in done.out
    told = [line for line in done.out.splitlines() if "the evidence says" in line]
    assert len(told) == 2
    assert re.fullmatch(
        r"  [0-9a-f]{12} \(churn, commit [0-9a-f]{7}\): accuracy >= 0.5: recorded passed, the evidence says failed",
        told[0],
    )


def test_settings_that_the_newer_version_cannot_read_stop_it_and_nothing_is_written(churn: Path, wheels: Path) -> None:
    done = mlops_ci(churn, "upgrade", links=wheels / OTHER_SETTINGS)
    assert done.code == 2
    assert f"mlops-ci {OTHER_SETTINGS} cannot take over: mlops.yaml:1" in done.err
    assert changed(churn) == []


def test_edits_of_people_stay_and_where_they_conflict_the_file_is_left(churn: Path, wheels: Path) -> None:
    mine = (churn / WORKFLOW).read_text().replace("47 4 * * 1", "5 5 * * 5")
    commit(churn, {WORKFLOW: mine}, "Friday")
    mlops_ci(churn, "workflows", "--update")
    commit(churn, {}, "It is meant")
    done = mlops_ci(churn, "upgrade", links=wheels / LATER)
    assert done.code == 0, done.err
    assert (churn / WORKFLOW).read_text() == mine
    assert f"{WORKFLOW}: left, edited by a person where it changes now: mlops-ci workflows --update\n" in done.out
    assert TOOL_LOCK in changed(churn)


def test_without_an_index_nothing_is_decided(churn: Path) -> None:
    nowhere = {"UV_INDEX_URL": "http://127.0.0.1:9/simple", "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}
    done = mlops_ci(churn, "upgrade", "--check", UV_HTTP_RETRIES="0", UV_NO_CACHE="1", **nowhere)
    assert done.code == 3
    assert "uv cannot look for a newer mlops-ci" in done.err
    assert "UV_INDEX_URL" in done.err
    assert changed(churn) == []
