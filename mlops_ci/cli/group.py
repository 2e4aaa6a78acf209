"""`mlops-ci` itself: global options, and commands loaded when they are run."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_ci import __version__
from mlops_ci.cli.commands import COMMANDS, HERE
from mlops_ci.cli.options import Session

if TYPE_CHECKING:
    from collections.abc import Sequence


class LazyGroup(click.Group):
    """Help comes from the table; a command's module is imported when the command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        return _load(COMMANDS[cmd_name][0])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: Sequence[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = get_close_matches(args[0], list(COMMANDS), 1)
            ask = f" Did you mean {close[0]}?" if close else f" Known: {', '.join(COMMANDS)}."
            raise click.UsageError(f"There is no command {args[0]!r}.{ask}", ctx)
        return super().resolve_command(ctx, list(args))


def _load(module: str) -> click.Command:
    command = import_module(module).command
    assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
    return command


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Machine-learning repositories run by commits: one command judges data and model.",
    epilog="Exit codes: 0 passed, 10 refused or undecided, 11 could not be judged, 2 usage or settings, "
    "3 the outside world, 1 a bug, 130 interrupted.",
)
@click.option(
    "-C", "folder", metavar="DIR", default=".", type=click.Path(path_type=Path), help="Run as if started in DIR."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--no-color", is_flag=True, help="No colours; also with NO_COLOR set.")
@click.version_option(__version__, "--version", message="mlops-ci %(version)s")
@click.pass_context
def group(ctx: click.Context, folder: Path, *, debug: bool, no_color: bool) -> int | None:
    """Set up what every command is given; alone, say where we are."""
    ctx.obj = Session.of(folder, debug=debug, no_color=no_color)
    ctx.color = ctx.obj.colour
    if ctx.invoked_subcommand is None:
        return int(ctx.invoke(_load(HERE)) or 0)
    return None
