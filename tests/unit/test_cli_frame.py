"""The frame of the command line: errors into codes, JSON, texts that are safe to show."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from mlops_ci.cli import main
from mlops_ci.cli.commands import COMMANDS
from mlops_ci.cli.exit_codes import table
from mlops_ci.cli.group import group
from mlops_ci.cli.options import Session
from mlops_ci.cli.output import Say, clean, duration, verdict
from mlops_ci.errors import ConfigError, ExitCode, OutsideError, UserCodeError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """A command `check` that raises."""

    def use(error: BaseException) -> None:
        @click.command("check")
        @click.option("--json", "as_json", is_flag=True)
        def command(*, as_json: bool) -> int:
            raise error

        monkeypatch.setattr(group, "get_command", lambda context, name: command)

    return use


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (ConfigError("bad", "mend it", where="mlops.yaml:3: data"), 2, "settings"),
        (OutsideError("no git", "install it"), 3, "outside"),
        (UserCodeError("crashed", details="Traceback\n  their line"), 11, "user-code"),
        (click.UsageError("what?"), 2, "usage"),
        (click.Abort(), 130, "interrupted"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_leaves_with_its_code_and_one_json_document(
    raising: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    name: str,
) -> None:
    raising(error)
    assert main(["check", "--json"]) == code
    shown = capsys.readouterr()
    document = json.loads(shown.out)["error"]
    assert document["code"] == name
    assert {"code", "message", "advice", "where"} <= document.keys()
    assert document["message"] in shown.err


def test_without_json_stdout_stays_empty_on_errors(
    raising: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    raising(ConfigError("bad", "mend it", where="mlops.yaml:3: data"))
    assert main(["check"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error: mlops.yaml:3: data: bad\nmend it\n"


def test_an_unknown_error_is_our_bug_and_leaves_a_log(
    raising: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / ".mlops-ci").mkdir()
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    raising(ZeroDivisionError("by zero"))
    assert main(["check", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)["error"]
    [log] = (tmp_path / ".mlops-ci" / "logs").iterdir()
    assert str(log) in document["advice"]
    text = log.read_text(encoding="utf-8")
    assert "ZeroDivisionError: by zero" in text
    assert "mlops-ci 0" in text


def test_debug_shows_the_traceback(
    raising: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    raising(ConfigError("bad"))
    main(["--debug", "check"])
    assert "Traceback" in capsys.readouterr().err


def test_a_misspelt_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chekc"]) == 2
    assert "Did you mean check?" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", "/no/such/folder", "config"]) == 2
    assert "-C /no/such/folder" in capsys.readouterr().err


def test_words_after_two_dashes_are_no_options(
    raising: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--", "--json"]) in (1, 2)
    assert not capsys.readouterr().out.startswith("{")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_the_table_is_there_and_takes_json(name: str) -> None:
    command = import_module(COMMANDS[name][0]).command
    assert isinstance(command, click.Command)
    for one in command.commands.values() if isinstance(command, click.Group) else [command]:
        assert any("--json" in parameter.opts for parameter in one.params)


def test_help_shows_every_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in shown
        assert line in shown


def test_the_table_of_exit_codes_has_words_for_every_code() -> None:
    rows = table().splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == [str(code.value) for code in ExitCode]
    assert all(row.split("|")[2].strip() for row in rows)


def test_the_readme_has_the_table_of_exit_codes() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    assert table() in readme.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\rb", "a\\rb"),
        ("a\x9bb", "a\\x9bb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u2066b", "a\\u2066b"),
        ("a\x00b", "a\\x00b"),
        ("a\nb\tc ü 日本 ✓", "a\nb\tc ü 日本 ✓"),
    ],
)
def test_control_characters_never_reach_the_terminal(hostile: str, shown: str) -> None:
    assert clean(hostile) == shown


def test_progress_is_one_line_per_step_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say = Say(colour=False)
    say.started("data", "reading")
    say.finished("data", "7,043 rows, contract 19/19", 0.31)
    say.note("\x1b[2Jnote")
    shown = capsys.readouterr()
    assert shown.out == ""
    first, second = shown.err.splitlines()
    assert first.startswith("data      7,043 rows, contract 19/19 ")
    assert first.endswith(" 0.3 s")
    assert second == "\\x1b[2Jnote"


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (9.96, "10.0 s"), (48.2, "48 s"), (125, "2 min 05 s")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_verdict_line_has_mark_and_word() -> None:
    assert "✗ failed" in click.unstyle(verdict("failed", "recall \x1b[0m"))
    assert "\\x1b" in verdict("failed", "recall \x1b[0m")


def test_no_color_and_NO_COLOR_switch_colour_off(monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: N802
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert Session.of(Path(), debug=False, no_color=True).colour is False
    assert Session.of(Path(), debug=False, no_color=False).colour is None
    monkeypatch.setenv("NO_COLOR", "1")
    assert Session.of(Path(), debug=False, no_color=False).colour is False
