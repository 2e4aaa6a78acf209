"""A machine that fails: a full disk, no network, no MLflow, two checks at once, kill -9 at any moment."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.bad_input import (
    SETTINGS,
    TRAIN,
    Golden,
    Project,
    assert_ledger,
    assert_whole,
    bad,
    files_of,
    left_behind,
    project,
    recovers,
    text_of,
)
from tests.helpers import git

KILLS = 20
LOCK = "six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n"
NOWHERE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")


def _works(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


# --- full disk ---


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own at `folder`; only root may make one."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _resize(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True)


def _used(disk: Path) -> int:
    state = os.statvfs(disk)
    return (state.f_blocks - state.f_bfree) * state.f_frsize


def test_a_disk_that_is_full_at_any_point_stops_with_what_to_do_and_breaks_nothing(
    tmp_path: Path, golden: Golden
) -> None:
    with _small_disk(tmp_path / "disk") as disk:
        made = project(disk, checked=False)
        stopped = 0
        for extra in (0, 16, 48, 96, 160, 220, 280, 340, 420):
            _resize(disk, f"size={_used(disk) + extra * 1024}")
            before = files_of(made.root)
            ran = made.finish(made.start("check", "--json"))
            assert ran.code in (0, 3), f"{extra} KB: {ran.err}"
            if ran.code == 3:
                stopped += 1
                assert "No space left" in ran.err
                assert "space" in ran.document["error"]["advice"], ran.out
            assert files_of(made.root) == before
            _resize(disk, "size=64m")
            assert_whole(made)
            if ran.code == 0:
                break
        assert stopped >= 4, "the disk was never full: the test shows nothing"
        _resize(disk, f"size={_used(disk)}")
        made.lay({"pipeline/train.py": TRAIN})
        full = made.finish(made.start("check", "--fresh"))
        _resize(disk, "size=64m")
        golden("bad-input/disk-full.txt", text_of(made, full))
        recovers(made)


def test_a_disk_that_is_read_only_stops_with_what_to_do(tmp_path: Path, golden: Golden) -> None:
    with _small_disk(tmp_path / "disk") as disk:
        made = project(disk, checked=False)
        made = Project(made.root, tmp_path / "tmp")
        made.temporary.mkdir()
        _resize(disk, "ro")
        ran = made.run("check", "--json")
        assert ran.code == 3, ran.err
        _resize(disk, "rw")
        golden("bad-input/disk-read-only.txt", text_of(made, ran))
        recovers(made)


@pytest.mark.parametrize("most", [200, 2_000, 8_000, 30_000])
def test_files_that_may_not_grow_stop_a_check_like_a_full_disk(tmp_path: Path, most: int) -> None:
    made = project(tmp_path, checked=False)
    ran = made.finish(
        made.start("check", "--json", within=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
    )
    assert ran.code == 3, ran.err
    assert ran.document["error"]["advice"]
    assert_whole(made)
    recovers(made)


# --- no network, no MLflow ---


def _offline() -> tuple[str, ...]:
    """What cuts a process off from every network, where that is allowed."""
    for command in (("unshare", "-n"), ("unshare", "-rn")):
        if _works(*command, "true"):
            return command
    return ()


def test_without_a_network_a_check_does_the_same(tmp_path: Path) -> None:
    made = project(tmp_path, checked=False)
    ran = made.finish(made.start("check", "--json", before=_offline(), **NOWHERE))
    assert ran.code == 0, ran.err
    assert_whole(made)


def test_without_a_network_an_environment_that_must_be_made_is_the_outside_world(
    tmp_path: Path, golden: Golden
) -> None:
    made = project(tmp_path)
    made.commit({"requirements.lock": LOCK})
    empty = {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "5"}
    ran = made.finish(made.start("check", "--json", before=_offline(), **NOWHERE, **empty))
    assert ran.code == 3, ran.err
    error = ran.document["error"]
    assert "is the network there" in error["advice"]
    assert not [path for path in (made.root / ".mlops-ci/env").iterdir() if path.is_dir()], "half an environment"
    golden("bad-input/no-network.txt", f"exit code 3\n{error['message'].splitlines()[0]}\n{error['advice']}\n")
    recovers(made)


def test_without_mlflow_a_check_is_not_logged_and_decides_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(tmp_path, checked=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    ran = made.run("check", "--json")
    assert ran.code == 0, ran.err
    assert_whole(made)


def test_a_model_that_needs_mlflow_says_so_where_it_is_not_installed(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    made.commit(
        {
            "mlops.yaml": SETTINGS.replace(
                "train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}",
                'train: {model: "models:/rain/3"}',
            )
        }
    )
    bad(made, "no-mlflow", golden, code=11)
    recovers(made)


# --- two at once, kill -9 ---


def test_two_checks_at_once_of_the_same_commit_decide_the_same_once(tmp_path: Path) -> None:
    made = project(tmp_path, checked=False)
    answers = [made.finish(process) for process in [made.start("check", "--json") for _ in range(2)]]
    assert [ran.code for ran in answers] == [0, 0], [ran.err for ran in answers]
    assert len({ran.document["decision"] for ran in answers}) == 1
    assert assert_ledger(made.root) == [answers[0].document["decision"]]
    assert_whole(made)
    recovers(made)


def test_two_checks_at_once_of_two_commits_are_both_recorded(tmp_path: Path) -> None:
    made = project(tmp_path)
    made.commit({"params.yaml": "limit: 5.5\n"})
    made.commit({"params.yaml": "limit: 4.5\n"})
    processes = [made.start("check", "--json", "--at", at) for at in ("HEAD", "HEAD~1")]
    answers = [made.finish(process) for process in processes]
    assert {ran.code for ran in answers} <= {0, 10}, [ran.err for ran in answers]
    assert {ran.document["decision"] for ran in answers} <= set(assert_ledger(made.root))
    assert_whole(made)
    recovers(made)


def test_kill_9_at_any_moment_leaves_everything_whole_and_the_next_check_clears_up(tmp_path: Path) -> None:
    made = project(tmp_path, checked=False)
    started = time.monotonic()
    assert made.finish(made.start("check")).code == 0
    whole = time.monotonic() - started
    chance = random.Random(7)
    left = 0
    for turn in range(KILLS):
        made.commit({"pipeline/train.py": f"{TRAIN}\n# {turn}\n"})
        _kill(made, after=whole * (turn + chance.random()) / KILLS, group=turn % 2 == 0)
        assert git(made.root, "status", "--porcelain") == ""
        assert_whole(made, leftovers=True)
        left += len(left_behind(made))
    assert left, "no kill came in the middle of something: the test shows nothing"
    again = made.run("check")
    assert again.code == 0, again.err
    assert_whole(made)
    assert _workers(made) == []
    recovers(made)


def _kill(made: Project, *, after: float, group: bool) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_ci", "check"],
        cwd=made.root,
        env={**os.environ, "VIRTUAL_ENV": sys.prefix, "TMPDIR": str(made.temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after)
    if group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _workers(made: Project) -> list[str]:
    """Processes of the worker that outlived the check that started them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(made.temporary) in command:
            found.append(command)
    return found


def test_an_interrupted_check_leaves_with_130_and_nothing_behind(tmp_path: Path) -> None:
    made = project(tmp_path)
    made.commit({"pipeline/train.py": "import time\n\n\ndef train(frame, params, seed):\n    time.sleep(600)\n"})
    for sent in (signal.SIGINT, signal.SIGTERM):
        process = made.start("check", "--json")
        _until_it_trains(made)
        process.send_signal(sent)
        ran = made.finish(process)
        assert ran.code == 130, ran.err
        assert ran.document["error"]["code"] == "interrupted"
        assert _workers(made) == []
        assert_whole(made)
    recovers(made)


def test_training_does_not_outlive_a_check_that_is_killed(tmp_path: Path) -> None:
    made = project(tmp_path)
    made.commit({"pipeline/train.py": "import time\n\n\ndef train(frame, params, seed):\n    time.sleep(600)\n"})
    process = made.start("check")
    _until_it_trains(made)
    process.kill()
    made.finish(process)
    until = time.monotonic() + 10
    while _workers(made) and time.monotonic() < until:
        time.sleep(0.05)
    assert _workers(made) == []
    recovers(made)


def _until_it_trains(made: Project) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if any("request.json" in command for command in _workers(made)):
            time.sleep(0.3)
            return
        time.sleep(0.05)
    raise AssertionError("it never trained")
