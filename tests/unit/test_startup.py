"""What starts at once stays that way: `--help` loads click and nothing heavy."""

from __future__ import annotations

import resource
import subprocess
import sys

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


def processor_seconds(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def test_help_takes_at_most_twice_as_long_as_importing_click() -> None:
    """By the processor's clock, and the least of many turns: what else runs on the machine only ever adds."""
    help_took, click_took = [], []
    for turn in range(40):
        help_took.append(processor_seconds("-m", "mlops_ci", "--help"))
        click_took.append(processor_seconds("-c", "import click"))
        if turn >= 7 and min(help_took) <= 2 * min(click_took):
            break
    assert min(help_took) <= 2 * min(click_took)
