"""mlops-ci init."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.init import InitOptions, init

if TYPE_CHECKING:
    from mlops_ci.flows.init import Initialised

RUNGS = ("entrypoint", "command", "model", "predictions")


@click.command("init")
@click.option("--data", metavar="FILE", help="CSV, Parquet or JSON lines; a pattern such as 'data/*.parquet' too.")
@click.option("--target", metavar="COLUMN", help="The column to predict.")
@click.option("--id", "row_id", metavar="COLUMNS", help="Columns that name a row, with commas; 'none' for no such.")
@click.option("--time", metavar="COLUMN", help="The column that says when a row happened.")
@click.option("--task", type=click.Choice(["classification", "regression"]), help="Left out: by the target's values.")
@click.option("--train", "rung", type=click.Choice(RUNGS), help="How the model comes to be. Default: entrypoint.")
@click.option("--yes", is_flag=True, help="Ask nothing, take the guesses.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, write nothing.")
@json_option
@click.pass_obj
def command(
    session: Session,
    *,
    data: str | None,
    target: str | None,
    row_id: str | None,
    time: str | None,
    task: str | None,
    rung: str | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Write what a first check needs, and no more.

    Works in an empty folder, in an existing repository and without commits. It never overwrites, never runs
    your code and never commits.
    """
    options = InitOptions(
        folder=session.folder,
        data=data,
        target=target,
        id=_columns(row_id),
        time=time,
        task=task,
        rung=rung,
        dry_run=dry_run,
    )
    asks = sys.stdin.isatty() and not yes and not as_json
    done = init(options, _ask if asks else None, session.say())
    if as_json:
        emit_json(done)
    else:
        _show(done)
    return ExitCode.PASSED


def _columns(text: str | None) -> tuple[str, ...] | None:
    if text is None or text == "none":
        return None if text is None else ()
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _ask(question: str, default: str) -> str:
    return str(click.prompt(clean(question), default=default or None, err=True))


def _show(done: Initialised) -> None:
    if done.dry_run:
        for path, text in done.texts.items():
            echo(f"--- {clean(path)}\n{clean(text)}")
    for line in done.found:
        echo(f"  {clean(line)}")
    verb = "would write" if done.dry_run else "wrote"
    if done.repository == "made":
        echo("would make a git repository" if done.dry_run else "made a git repository (git init)")
    for path in done.written:
        echo(f"{verb} {clean(path)}")
    for path in done.kept:
        echo(f"kept {clean(path)}: it was there")
    for path, lines in done.to_add:
        echo(f"add to {clean(path)}:\n{clean(lines)}")
    echo("next:")
    for line in done.next:
        echo(f"  {clean(line)}")
