"""The command line: `main` turns errors into exit codes; nothing below it prints or exits."""

from __future__ import annotations

import os
import signal
import sys

import click

from mlops_ci.cli.crash import write_log
from mlops_ci.cli.group import group
from mlops_ci.cli.output import Failure, as_failure, print_failure
from mlops_ci.errors import ExitCode, MlopsCiError


def main(args: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = sys.argv[1:] if args is None else args
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled workflow must end the project's code too
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # file names and data may hold what a terminal's encoding cannot
            stream.reconfigure(errors="backslashreplace")
    try:
        code = group.main(list(words), prog_name="mlops-ci", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except click.Abort:
        return _stopped(words, Failure("interrupted", "interrupted"), ExitCode.INTERRUPTED)
    except click.ClickException as error:
        return _stopped(words, as_failure(error), ExitCode.USAGE)
    except MlopsCiError as error:
        return _stopped(words, as_failure(error), error.exit_code, error)
    except SystemExit as gone:  # click leaves this way after shell completion, and when nobody reads stdout any more
        return int(gone.code or 0) if "_MLOPS_CI_COMPLETE" in os.environ else ExitCode.OUTSIDE
    except Exception as error:  # noqa: BLE001 - the last line of defence: everything else is our bug
        advice = f"This is a bug in mlops-ci. Versions and traceback: {write_log(error, words)}"
        return _stopped(words, Failure("bug", f"{type(error).__name__}: {error}", advice), ExitCode.BUG, error)


def _stopped(words: list[str], failure: Failure, code: ExitCode, error: Exception | None = None) -> int:
    options = words[: words.index("--")] if "--" in words else words
    print_failure(failure, as_json="--json" in options, traceback=error if "--debug" in options else None)
    return code
