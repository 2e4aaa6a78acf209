"""`mlops-ci eject`: leave."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.eject import eject


@click.command(help="Show what leaving mlops-ci removes and what stays; --yes removes it, and commits nothing.")
@click.option("--dry-run/--yes", "dry", default=True, help="Only show it (the default), or do it.")
@json_option
@click.pass_obj
def command(session: Session, *, dry: bool, as_json: bool) -> int:
    """List both."""
    found = eject(session.folder, do=not dry)
    if as_json:
        emit_json(found)
        return ExitCode.PASSED
    echo("removed:" if found.done else "would be removed:")
    for path in found.goes:
        echo(clean(f"  {path}"))
    if not found.goes:
        echo("  nothing: no file here is only for mlops-ci")
    echo("stays:")
    width = max((len(one.what) for one in found.stays), default=0)
    for one in found.stays:
        echo(clean(f"  {one.what:<{width}}  {one.without}"))
    if found.goes and not found.done:
        echo("leave with: mlops-ci eject --yes, then commit")
    return ExitCode.PASSED
