"""Leaving: what is only for the tool goes, what people have stays and works without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlops_ci.errors import UsageError
from mlops_ci.flows.eject import eject
from mlops_ci.flows.workflows import workflows
from tests.helpers import commit, git
from tests.integration.test_promote import FLAT, go, project
from tests.released import released

TRAIN = "def train(frame, params, seed):\n    return sorted(frame)\n"
FILES = {
    "pipeline/train.py": TRAIN,
    "params.yaml": "depth: 3\n",
    ".gitignore": ".mlops-ci/store/\n.mlops-ci/cache/\n__pycache__/\n",
    "mlops.yaml": FLAT + "train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = project(tmp_path / "r", FLAT)
    commit(root, FILES, "A model")
    workflows(root, update=True)
    commit(root, {}, "Workflows")
    released(root, 1)
    go(root, "production")
    return root


def test_it_is_shown_first_and_nothing_is_touched(root: Path) -> None:
    found = eject(root, do=False)
    assert not found.done
    assert ".github/workflows/mlops-check.yml" in found.goes
    assert git(root, "status", "--porcelain") == ""
    assert [one.what for one in found.stays] == [
        "pipeline/train.py",
        "params.yaml",
        "mlops.yaml",
        "environments/",
        "branch mlops-reports",
        "store .mlops-ci/store",
    ]


def test_what_stays_works_without_the_tool(root: Path) -> None:
    found = eject(root, do=True)
    removed = [line.removeprefix(" D ") for line in git(root, "status", "--porcelain").splitlines()]
    assert sorted(removed) == sorted(found.goes)
    assert not list((root / ".github").rglob("mlops-*"))
    code = "from pipeline.train import train; print(train([2, 1], {}, 7))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {code}"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[1, 2]\n"
    page = git(root, "show", "mlops-reports:README.md")
    assert "v1 goes to production" in page.replace("\\", "")
    assert eject(root, do=True).goes == ()


def test_what_git_could_not_bring_back_stays(root: Path) -> None:
    path = root / ".github/workflows/mlops-check.yml"
    path.write_text(path.read_text() + "# mine\n")
    with pytest.raises(UsageError, match=r"mlops-check\.yml has changes that are not committed"):
        eject(root, do=True)
    assert (root / ".github/workflows/mlops-record.yml").exists()
