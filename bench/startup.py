"""How long the command line takes to answer, against click alone and DVC."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import environments

_ROUNDS = 9


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        dvc = environments.made(Path(folder) / "env", "dvc").with_name("dvc")
        bin_folder = Path(sys.executable).parent
        commands = {
            "mlops-ci --help": [str(bin_folder / "mlops-ci"), "--help"],
            "python -c 'import click'": [sys.executable, "-c", "import click"],
            "dvc --help": [str(dvc), "--help"],
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(_ROUNDS):
            for name, command in commands.items():
                taken[name].append(_seconds(command))
    medians = {name: sorted(times)[_ROUNDS // 2] for name, times in taken.items()}
    ours = medians["mlops-ci --help"]
    for name, median in medians.items():
        print(f"{name:<26} {median:.3f} s   mlops-ci takes {ours / median:.2f} x")


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - started
