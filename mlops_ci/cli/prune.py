"""`mlops-ci prune`: make room."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.prune import prune
from mlops_ci.reports.prune import lines
from mlops_ci.steps.prune import Rule


@click.command(help="Show what nothing needs any more: what is kept of old releases, runs, answers. --yes removes it.")
@click.option("--keep", type=click.IntRange(min=1), default=5, show_default=True, help="Newest releases that stay.")
@click.option(
    "--days", type=click.IntRange(min=1), default=30, show_default=True, help="For runs and answers: unused so long."
)
@click.option("--reason", metavar="TEXT", default="", help="Why it is erased: a line for the ledger.")
@click.option("--dry-run/--yes", "dry", default=True, help="Only show it (the default), or do it.")
@json_option
@click.pass_obj
def command(session: Session, *, keep: int, days: int, reason: str, dry: bool, as_json: bool) -> int:
    """Run the flow, list what goes and what stays."""
    pruning = prune(session.folder, Rule(keep=keep, days=days, reason=reason), do=not dry)
    if as_json:
        emit_json({"bytes": pruning.bytes, "done": pruning.done, "goes": pruning.goes, "stays": pruning.stays})
        return ExitCode.PASSED
    for line in lines(pruning):
        echo(clean(line))
    return ExitCode.PASSED
