"""What starts at once stays that way: `--help` loads click and nothing heavy."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

HEAVY = (
    *("numpy", "duckdb", "git", "httpx", "jinja2", "lark", "rich", "mlflow", "pandas", "sklearn", "yaml", "msgspec"),
    "uv",
)


def modules_after(*words: str) -> set[str]:
    code = (
        "import contextlib, io, sys\n"
        "from mlops_ci.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        f"    main({list(words)!r})\n"
        "print('\\n'.join(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("no-such-command",)])
def test_help_loads_only_click_and_the_frame(words: tuple[str, ...]) -> None:
    loaded = modules_after(*words)
    assert loaded & set(HEAVY) == set()
    ours = {name for name in loaded if name.startswith("mlops_ci.")}
    frame = {"commands", "crash", "group", "options", "output"}
    assert ours == {"mlops_ci.cli", "mlops_ci.errors", *(f"mlops_ci.cli.{name}" for name in frame)}


def test_the_settings_need_neither_numpy_nor_duckdb() -> None:
    code = "import sys, mlops_ci.config.load, mlops_ci.config.find, mlops_ci.config.reference; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) & (set(HEAVY) - {"msgspec", "yaml"}) == set()


def test_help_takes_at_most_twice_as_long_as_importing_click() -> None:
    commands = {"help": ("-m", "mlops_ci", "--help"), "click": ("-c", "import click")}
    fastest = dict.fromkeys(commands, 60.0)
    for _ in range(8):  # in turn, so that other work on the machine meets both
        for name, arguments in commands.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
            fastest[name] = min(fastest[name], time.perf_counter() - started)
    assert fastest["help"] <= 2 * fastest["click"]
