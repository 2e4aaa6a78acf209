"""The hooks of `.pre-commit-hooks.yaml`, run by pre-commit when something is really committed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_ci.config import yaml
from tests.helpers import git, repo, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.load(MANIFEST.read_text(), file="hooks").value}
ROWS = "id,months,plan,late\n" + "".join(
    f"r{n},{n % 47},{('basic', 'plus')[n % 2]},{'yes' if n % 3 else 'no'}\n" for n in range(200)
)


def environment(folder: Path) -> dict[str, str]:
    """What pre-commit runs with: a store of its own, and the `mlops-ci` of this checkout on PATH."""
    script = f'#!/bin/sh\nexec "{sys.executable}" -m mlops_ci "$@"\n'
    command = tree({"bin/mlops-ci": script}, folder) / "bin/mlops-ci"
    command.chmod(0o755)
    path = os.pathsep.join((str(command.parent), os.environ["PATH"]))
    return os.environ | {
        "PATH": path,
        "PRE_COMMIT_HOME": str(folder / "store"),
        "PYTHONPATH": str(ROOT),
        "UV_OFFLINE": "1",
        "UV_NO_CACHE": "1",
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed project whose commits run the hooks; they are taken from the manifest, without their environment."""
    root = repo(tmp_path_factory.mktemp("made") / "own", {"data/rows.csv": ROWS})
    words = (sys.executable, "-m", "mlops_ci", "init", "--target", "late", "--id", "id")
    subprocess.run(words, cwd=root, env=environment(root.parent), capture_output=True, check=True)
    hooks = [hook | {"language": "system"} for hook in HOOKS.values()]
    tree({".pre-commit-config.yaml": json.dumps({"repos": [{"repo": "local", "hooks": hooks}]})}, root)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "a project")
    pre_commit(root, "install")
    return root


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it to commit to."""
    return Path(shutil.copytree(made, tmp_path / "own"))


def pre_commit(root: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = (Path(sys.executable).with_name("pre-commit"), *words)
    known = environment(root.parent) | variables
    return subprocess.run(command, cwd=root, env=known, capture_output=True, text=True, check=False, timeout=500)


def committed(root: Path, files: Mapping[str, str]) -> tuple[bool, dict[str, str]]:
    """Whether git takes a commit of these files, and what each hook said: Passed, Failed, Skipped."""
    tree(files, root)
    git(root, "add", *files)
    words = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--message", "a change")
    done = subprocess.run(
        words, cwd=root, env=environment(root.parent), capture_output=True, text=True, check=False, timeout=300
    )
    lines = (done.stdout + done.stderr).splitlines()
    said = {key: line for key, hook in HOOKS.items() for line in lines if line.startswith(hook["name"])}
    return done.returncode == 0, {key: line.rpartition(".")[2].rpartition(")")[2] for key, line in said.items()}


def test_a_commit_of_anything_else_runs_none_of_them(project: Path) -> None:
    assert committed(project, {"README.md": "x\n"}) == (True, dict.fromkeys(HOOKS, "Skipped"))


def test_settings_that_hold_pass_and_settings_that_do_not_stop_the_commit(project: Path) -> None:
    settings = (project / "mlops.yaml").read_text()
    passed = {"mlops-ci-config": "Passed", "mlops-ci-workflows": "Passed", "mlops-ci-data": "Passed"}
    assert committed(project, {"mlops.yaml": settings + "# a comment\n"}) == (True, passed)
    taken, said = committed(project, {"mlops.yaml": settings + "gatez: []\n"})
    assert not taken
    assert said["mlops-ci-config"] == "Failed"


def test_settings_that_ask_for_other_workflows_stop_the_commit(project: Path) -> None:
    settings = (project / "mlops.yaml").read_text() + "runner: {timeout: 10m}\n"
    taken, said = committed(project, {"mlops.yaml": settings})
    assert (taken, said["mlops-ci-config"], said["mlops-ci-workflows"]) == (False, "Passed", "Failed")
    words = (sys.executable, "-m", "mlops_ci", "workflows", "--update")
    subprocess.run(words, cwd=project, env=environment(project.parent), capture_output=True, check=True)
    git(project, "add", "--all")
    assert committed(project, {"mlops.yaml": settings})[0]


def test_data_is_judged_as_it_is_staged(project: Path) -> None:
    broken = ROWS.replace("basic", "basil")
    taken, said = committed(project, {"data/rows.csv": broken})
    assert (taken, said["mlops-ci-data"], said["mlops-ci-config"]) == (False, "Failed", "Skipped")
    tree({"data/rows.csv": ROWS + "r200,3,plus,no\n"}, project)
    git(project, "add", "data/rows.csv")
    tree({"data/rows.csv": broken}, project)
    taken, said = committed(project, {})
    assert (taken, said["mlops-ci-data"]) == (True, "Passed")
    assert (project / "data/rows.csv").read_text() == broken


@pytest.mark.needs("registry")
def test_a_repository_gets_a_hook_with_an_environment_of_its_own(tmp_path: Path) -> None:
    parts = ("mlops_ci", "templates", "example_project", "pyproject.toml", "README.md", "LICENSE")
    files = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "--", *parts, MANIFEST.name)
    ours = repo(tmp_path / "mlops-ci", {name: (ROOT / name).read_bytes() for name in files.splitlines()})
    own = repo(tmp_path / "own", {"mlops.yaml": "version: 1\n"})
    path = str(Path(shutil.which("git") or "git").parent)  # no mlops-ci but the one that pre-commit installs
    words = ("try-repo", str(ours), "mlops-ci-config", "--all-files")
    done = pre_commit(own, *words, PATH=path, PYTHONPATH="", UV_OFFLINE="")
    assert "Installing environment for" in done.stdout
    assert "mlops.yaml:1: project is missing" in done.stdout
    assert done.returncode == 1
