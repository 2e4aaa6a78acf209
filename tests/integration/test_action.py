"""The action at the root of this repository, run by act: it installs what is locked and hands the arguments over."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import uv

from mlops_ci.config import yaml
from mlops_ci.workflows.pins import PINS
from tests.helpers import commit, git, repo, tree

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOW = """\
name: own
on: push
jobs:
  run:
    name: run
    runs-on: ubuntu-24.04
    steps:
      - name: Check out
        uses: {checkout}
      - name: Judge
        uses: acme/mlops-ci@{commit}
        with:
          python: {python}
          lock-from: {lock_from}
          arguments: |
            -C
            a folder with $(touch spliced) "quotes"

            check
"""


def test_the_action_is_pinned_and_takes_nothing_into_a_script() -> None:
    steps = yaml.load(ACTION.read_text(), file="action.yml").value["runs"]["steps"]
    assert [line.split("uses: ")[1] for line in ACTION.read_text().splitlines() if "uses: " in line] == [
        str(PINS["setup_uv"])
    ]
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")]
    assert f"\nuv=={steps[0]['with']['version']} " in (ROOT / "requirements.lock").read_text()
    assert steps[0]["with"]["enable-cache"] is False


def test_it_runs_the_locked_tool_with_the_arguments_as_they_are(tmp_path: Path) -> None:
    done, project = _run(tmp_path, lock=_wheel(tmp_path, "1.0"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert """1.0 ['-C', 'a folder with $(touch spliced) "quotes"', 'check']""" in done.stdout
    assert not list(project.rglob("spliced"))


def test_the_lock_of_a_named_commit_wins_over_the_one_that_is_checked_out(tmp_path: Path) -> None:
    done, _ = _run(tmp_path, lock=_wheel(tmp_path, "1.0"), then=_wheel(tmp_path, "6.6"), lock_from="HEAD~1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1.0 ['-C'" in done.stdout
    assert "6.6" not in done.stdout


def test_another_file_than_the_locked_one_is_not_installed(tmp_path: Path) -> None:
    lock = _wheel(tmp_path, "1.0")
    done, _ = _run(tmp_path, lock=lock.replace(lock[-9:-1], "00000000"))
    assert done.returncode != 0
    assert "1.0 [" not in done.stdout
    assert "ash mismatch" in done.stdout


def _run(
    tmp_path: Path, *, lock: str, then: str | None = None, lock_from: str = ""
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run a workflow that uses the action, in a repository whose lock is `lock` and `then` another."""
    pin = PINS["setup_uv"]
    action = tree({"action.yml": ACTION.read_bytes()}, tmp_path / "action")
    setup = "runs:\n  using: composite\n  steps:\n    - run: uv --version\n      shell: bash\n"
    stub = tree({"action.yml": f"name: stub\ndescription: uv is there\n{setup}"}, tmp_path / "setup-uv")
    values = {
        "checkout": PINS["checkout"],
        "commit": "a" * 40,
        "python": sys.executable,
        "lock_from": lock_from or "''",
    }
    workflow = WORKFLOW.format(**values)
    project = repo(tmp_path / "own", {".mlops-ci/tool.lock": lock, ".github/workflows/own.yml": workflow})
    if then:
        commit(project, {".mlops-ci/tool.lock": then}, "another judge")
    git(project, "remote", "add", "origin", "https://github.com/acme/own.git")
    path = os.pathsep.join((str(Path(uv.find_uv_bin()).parent), os.environ["PATH"]))
    settings = {"UV_OFFLINE": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(tmp_path / "wheels"), "PATH": path}
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("act"), "push", "--platform", "ubuntu-24.04=-self-hosted"),
            *("--workflows", ".github/workflows", "--action-cache-path", tmp_path / "cache", "--no-cache-server"),
            *("--local-repository", f"acme/mlops-ci@{'a' * 40}={action}"),
            *("--local-repository", f"{pin.action}@{pin.commit}={stub}"),
            *(word for name, value in settings.items() for word in ("--env", f"{name}={value}")),
        ],
        cwd=project,
        env={**os.environ, **settings, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done, project


def _wheel(tmp_path: Path, version: str) -> str:
    """A wheel whose `mlops-ci` prints its version and what it was given; the lock that names it."""
    info = f"mlops_ci-{version}.dist-info"
    texts = {
        "stand_in.py": f"import sys\n\ndef main():\n    print({version!r}, sys.argv[1:])\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: mlops-ci\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nmlops-ci = stand_in:main\n",
    }
    record = [f"{name},sha256={_urlsafe(text)},{len(text)}" for name, text in texts.items()]
    path = tmp_path / "wheels" / f"mlops_ci-{version}-py3-none-any.whl"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in (texts | {f"{info}/RECORD": "\n".join([*record, f"{info}/RECORD,,"]) + "\n"}).items():
            wheel.writestr(name, text)
    return f"mlops-ci=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def _urlsafe(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
