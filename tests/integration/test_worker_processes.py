"""Programs with limits, and the project's own training command."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from mlops_ci.edge import processes, worker
from mlops_ci.edge.processes import Limits
from mlops_ci.errors import ConfigError, OutsideError, UserCodeError


def _run(tmp_path: Path, *command: str, seconds: float = 30, memory: int | None = None) -> processes.Finished:
    limits = Limits(seconds=seconds, memory_bytes=memory)
    return processes.run(
        list(command), cwd=tmp_path, environment={"PATH": os.defpath}, log=tmp_path / "log", limits=limits
    )


def test_code_output_and_what_was_used_are_told(tmp_path: Path):
    finished = _run(
        tmp_path, sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(4)"
    )
    assert (finished.code, finished.signal, finished.timed_out) == (4, None, False)
    assert sorted(finished.log.split()) == ["err", "out"]
    assert finished.peak_memory > 5_000_000
    assert 0 < finished.cpu_seconds <= 30


def test_the_memory_of_a_program_is_its_own_and_not_ours(tmp_path: Path):
    ours = bytearray(400_000_000)
    small = _run(tmp_path, sys.executable, "-c", "import time; time.sleep(0.3)")
    large = _run(tmp_path, sys.executable, "-c", "import time; kept = bytearray(900_000_000); time.sleep(0.3)")
    assert small.peak_memory < 100_000_000 < len(ours)
    assert 900_000_000 < large.peak_memory < 1_000_000_000


def test_a_program_that_is_not_there_is_the_outside_worlds(tmp_path: Path):
    with pytest.raises(OutsideError, match="no-such-program cannot be started"):
        _run(tmp_path, "no-such-program")


def test_endless_output_does_not_fill_the_disk_and_its_end_is_kept(tmp_path: Path):
    text = """
import sys, time
for n in range(600):
    sys.stdout.write("x" * 100_000 + chr(10))
    sys.stdout.flush()
time.sleep(0.3)
print("the end")
"""
    finished = _run(tmp_path, sys.executable, "-c", text)
    assert finished.log.endswith("the end\n")
    assert (tmp_path / "log").stat().st_size < 20_000_000


def test_the_memory_limit_holds_for_children_too(tmp_path: Path):
    text = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', 'bytearray(10**9)']))"
    assert _run(tmp_path, sys.executable, "-c", text, memory=300_000_000).code == 1
    assert _run(tmp_path, sys.executable, "-c", text).code == 0


def test_nothing_is_read_from_the_terminal(tmp_path: Path):
    assert "EOFError" in _run(tmp_path, sys.executable, "-c", "input()").log


def _command(tmp_path: Path, text: str, **kwargs: object) -> processes.Finished:
    workspace = tmp_path / "workspace"
    workspace.mkdir(exist_ok=True)
    limits = Limits(seconds=30)
    python = Path(sys.executable)
    return worker.command(text, python=python, workspace=workspace, scratch=tmp_path / "scratch", limits=limits)


def test_a_training_command_runs_in_the_checkout_with_the_projects_python(tmp_path: Path):
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "train.py").write_text("import pandas, sys; open('model.pkl', 'w').write(sys.argv[1])\n")
    _command(tmp_path, "python train.py 'a b; c'")
    assert (tmp_path / "workspace" / "model.pkl").read_text() == "a b; c"


def test_a_training_command_that_fails_shows_what_it_printed(tmp_path: Path):
    with pytest.raises(UserCodeError, match="the training command exited with 3") as caught:
        _command(tmp_path, "python -c 'print(\"so far\"); raise SystemExit(3)'")
    assert "so far" in caught.value.details


@pytest.mark.parametrize("text", ["a && b", "a | b", "a > b", "A=1 python train.py", "a 'b", "", "echo $(b)"])
def test_a_training_command_that_needs_a_shell_is_refused(tmp_path: Path, text: str):
    with pytest.raises(ConfigError, match=r"shell|split"):
        _command(tmp_path, text)


def test_a_training_command_that_is_not_there_is_a_setting_to_mend(tmp_path: Path):
    with pytest.raises(ConfigError, match="there is no program 'no-such-program'"):
        _command(tmp_path, "no-such-program --fast")


def test_memory_by_default_leaves_headroom():
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert total // 3 < processes.default_memory() < total


def test_a_quick_program_costs_little(tmp_path: Path):
    started = time.monotonic()
    _run(tmp_path, "/bin/true")
    assert time.monotonic() - started < 1
