"""What people and scripts are shown: progress on stderr, answers and JSON on stdout."""

from __future__ import annotations

import os
import re
import sys
import threading
import traceback as tracebacks
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from mlops_ci.errors import MlopsCiError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.records.results import Where

_LONG_ENOUGH = 0.7
"""Seconds after which a step on a terminal gets a spinner."""

# C0 and C1 controls, and the characters that turn or hide text (Trojan Source, CVE-2021-42574).
_HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# What GitHub's runner takes for a command in a log: https://github.com/actions/runner, ActionCommand.cs.
_COMMAND = re.compile(r"^\s*:(?=:)|##(?=\[)", re.MULTILINE)
_STYLES: dict[str, tuple[str, dict[str, Any]]] = {
    "passed": ("✓", {"fg": "green"}),
    "released": ("✓", {"fg": "green"}),
    "promoted": ("✓", {"fg": "green"}),
    "imported": ("·", {"dim": True}),
    "rolled back": ("↩", {"fg": "yellow"}),
    "failed": ("✗", {"fg": "red", "bold": True}),
    "refused": ("✗", {"fg": "red", "bold": True}),
    "undecided": ("?", {"fg": "yellow"}),
    "skipped": ("-", {"dim": True}),
    "errored": ("!", {"fg": "red", "bold": True}),
}


@dataclass(frozen=True)
class Failure:
    """An error as it is shown and as JSON: `{"error": {code, message, advice, where}}`."""

    code: str
    message: str
    advice: str = ""
    where: str = ""
    details: str = ""


def clean(text: str) -> str:
    """`text` for a terminal or a log: nothing hidden, nothing a runner obeys; line breaks and tabs stay."""
    return _COMMAND.sub(lambda found: f"{found.group()} ", printable(text))


def printable(text: str) -> str:
    """`text` with control and invisible characters as escapes, for files that are redirected."""
    return _HOSTILE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def verdict(status: str, text: str) -> str:
    """One line for a verdict: a mark and the word, coloured, then the text."""
    mark, style = _STYLES[status]
    return f"{click.style(f'{mark} {status:<9}', **style)} {clean(text)}"


def echo(text: str) -> None:
    """A line of the answer, on stdout; pass hostile texts through `clean` or `verdict` first."""
    click.echo(text)


def aside(about: str, lines: Iterable[str]) -> None:
    """What belongs to one answer and is longer than a line, on stderr: advice, a traceback of the user's code."""
    click.echo(f"{clean(about)}:", err=True)
    for line in lines:
        click.echo(f"  {clean(line)}".rstrip(), err=True)


def annotate(kind: str, title: str, message: str, where: Where | None) -> None:
    """A note at a place of the commit, as GitHub's runner reads it from stdout; on stderr it would be text.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
    """
    properties = {"title": printable(title)[:200]}
    if where is not None:
        properties = {"file": printable(where.file), **({"line": str(where.line)} if where.line else {}), **properties}
    listed = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    click.echo(f"::{kind} {listed}::{_escaped(printable(message)[:1000])}")


def _escaped(text: str, also: str = "") -> str:
    """What would end a command or one of its properties, percent-encoded as the runner decodes it."""
    return "".join(f"%{ord(sign):02X}" if sign in f"%\r\n{also}" else sign for sign in text)


def emit_json(value: object) -> None:
    """The one JSON document of a command, on stdout. NaN and infinities become null."""
    import msgspec

    document = msgspec.json.format(msgspec.json.encode(value), indent=2)
    click.echo(document.replace(b"##[", b"#\\u0023["))  # a runner that logs it would take it for a command


def as_failure(error: click.ClickException | MlopsCiError) -> Failure:
    """An error of click or of ours, as it is shown."""
    if isinstance(error, MlopsCiError):
        return Failure(error.code, error.message, error.advice, error.where, getattr(error, "details", ""))
    context = getattr(error, "ctx", None)
    return Failure("usage", error.format_message(), f"Try: {context.command_path} --help" if context else "")


def print_failure(failure: Failure, *, as_json: bool, traceback: Exception | None = None) -> None:
    """The error for people on stderr, and for scripts on stdout where JSON was asked for."""
    if traceback is not None:
        click.echo(clean("".join(tracebacks.format_exception(traceback))), err=True)
    if failure.details:
        click.echo(clean(failure.details.rstrip()), err=True)
    place = f"{failure.where}: " if failure.where else ""
    click.echo(f"{click.style('error', fg='red', bold=True)}: {clean(place + failure.message)}", err=True)
    if failure.advice:
        click.echo(clean(failure.advice), err=True)
    if as_json:
        keys = ("code", "message", "advice", "where") + (("details",) if failure.details else ())
        emit_json({"error": {key: getattr(failure, key) for key in keys}})


class Say:
    """Progress of a flow on stderr: a line per finished step, and a spinner while a long one runs on a terminal."""

    def __init__(self, *, colour: bool | None = None) -> None:
        self._colour = colour
        self._spinner: _Spinner | None = None

    def started(self, step: str, doing: str) -> None:
        self._clear()
        if sys.stderr.isatty() and "CI" not in os.environ:  # a log keeps every frame of a spinner
            self._spinner = _Spinner(clean(f"{step:<9} {doing}"))

    def finished(self, step: str, found: str, seconds: float) -> None:
        self._clear()
        self._line(f"{clean(step):<9} {clean(found):<52} {duration(seconds):>9}")

    def note(self, text: str) -> None:
        self._clear()
        self._line(clean(text))

    def _line(self, text: str) -> None:
        click.echo(text, err=True, color=self._colour)

    def _clear(self) -> None:
        if self._spinner:
            self._spinner.stop()
            self._spinner = None


class _Spinner:
    """A spinner that appears only when the step lasts; Rich is loaded only then."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        if self._done.wait(_LONG_ENOUGH):
            return
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status(Text(self._text)):
            self._done.wait()


def duration(seconds: float) -> str:
    """Seconds as people read them: `0.3 s`, `48 s`, `2 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02} s"
