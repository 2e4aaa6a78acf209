"""`runner.setup`: commands of the commit run in order, see what they may see, and stop the check where one fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from mlops_ci.config import load
from mlops_ci.errors import UsageError, UserCodeError
from mlops_ci.steps import setup
from mlops_ci.steps.setup import Stopped
from tests.helpers import repo

SETTINGS = """\
version: 1
project: churn
task: classification
data: {sources: {rows: rows.csv}, target: y}
train: {entrypoint: train:train}
runner:
  secrets: [TOKEN]
  timeout: 20s
  setup: %s
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str
    left: dict[str, object] | None


def run(folder: Path, *commands: str, words: tuple[str, ...] = (), timeout: str = "20s") -> Done:
    """`ci setup` in a job, in a project inside of a repository."""
    settings = (SETTINGS % json.dumps(commands)).replace("20s", timeout)
    root = repo(folder / "repository", {"services/churn/mlops.yaml": settings})
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    job = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REPOSITORY": "acme/churn",
        "GITHUB_SHA": "0" * 40,
        "GITHUB_RUN_ID": "1",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_TOKEN": "not-for-commands",
        "RUNNER_TEMP": str(folder / "temporary"),
        "TOKEN": "for-commands",
        "OTHER": "not-for-commands",
    }
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci", "-C", root / "services/churn", "ci", "setup", *words],
        env=kept | job,
        capture_output=True,
        text=True,
        check=False,
    )
    left = folder / "temporary/mlops-run/churn/setup.json"
    return Done(done.returncode, done.stdout, done.stderr, json.loads(left.read_text()) if left.exists() else None)


def test_commands_run_in_order_in_the_projects_folder_and_are_shown_with_what_they_print(tmp_path: Path) -> None:
    done = run(tmp_path, "echo made > made.txt", "cat made.txt; basename $PWD", "echo ::error::obeyed")
    assert (done.code, done.out, done.left) == (0, "3 commands done\n", None)
    assert done.err.splitlines() == [
        "$ echo made > made.txt",
        "$ cat made.txt; basename $PWD",
        "made",
        "churn",
        "$ echo ::error::obeyed",
        ": :error::obeyed",
    ]


def test_they_see_the_secrets_that_are_named_and_no_other_variable(tmp_path: Path) -> None:
    done = run(tmp_path, "env | cut -d= -f2- | grep commands")
    assert done.err.splitlines() == ["$ env | cut -d= -f2- | grep commands", "for-commands"]


@pytest.mark.parametrize(
    ("command", "how", "left"),
    [
        ("echo no; exit 7", "ended with code 7", {"at": 1, "code": 7, "signal": None}),
        ("false | true", "ended with code 1", {"at": 1, "code": 1, "signal": None}),
        ("echo $UNSET_NAME", "ended with code 1", {"at": 1, "code": 1, "signal": None}),
        ("kill -9 $$", "was ended by signal 9", {"at": 1, "code": None, "signal": 9}),
    ],
)
def test_the_first_that_fails_ends_it_with_11_and_leaves_word(
    tmp_path: Path, command: str, how: str, left: dict[str, object]
) -> None:
    done = run(tmp_path, "true", command, "touch never")
    assert (done.code, done.left) == (11, left)
    assert f"mlops.yaml:9: runner.setup[1]: `{command}` {how}\n" in done.err
    assert not list(tmp_path.rglob("never"))


def test_together_they_may_take_no_longer_than_the_timeout(tmp_path: Path) -> None:
    done = run(tmp_path, "sleep 0.6", "sleep 60", timeout="1s")
    assert (done.code, done.left) == (11, {"at": 1, "code": None, "signal": None})
    assert "`sleep 60` took longer than runner.timeout" in done.err


def test_without_commands_there_is_nothing_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, words=("--json",))
    assert (done.code, json.loads(done.out), done.err) == (0, {"commands": 0}, "")


def test_the_judging_job_reads_which_command_failed_from_the_commit_and_believes_numbers_alone(tmp_path: Path) -> None:
    config = load.parse(SETTINGS % '["true", "dvc   pull"]', file="mlops.yaml")
    setup.check_left(tmp_path, config)
    setup.leave(Stopped(at=1, code=255), tmp_path)
    with pytest.raises(UserCodeError) as found:
        setup.check_left(tmp_path, config)
    assert found.value.message == "`dvc pull` ended with code 255"
    for wrong in ('{"at": 2}', '{"at": -1}', '{"at": 1, "why": "<b>"}', '{"at": "x"}', "{", " " * 2000 + '{"at": 1}'):
        (tmp_path / "setup.json").write_text(wrong)
        with pytest.raises(UsageError) as refused:
            setup.check_left(tmp_path, config)
        assert "<b>" not in refused.value.message


@pytest.mark.parametrize("command", ["", " ", "a\0b"])
def test_what_is_no_command_is_refused_with_the_settings(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, "true", command)
    assert done.code == 2
    assert "runner.setup[1]" in done.err
