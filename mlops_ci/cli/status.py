"""`mlops-ci status`: what runs where."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.status import status
from mlops_ci.records.environments import Standing


@click.command(help="What runs where, since when, by which decision.")
@json_option
@click.pass_obj
def command(session: Session, *, as_json: bool) -> int:
    """A line an environment."""
    found = status(session.folder)
    if as_json:
        emit_json({"environments": found})
        return ExitCode.PASSED
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        echo(clean(f"{one.name:<{width}}  {_told(one)}"))
        for kept in one.quarantine:
            echo(clean(f"{'':<{width}}  not again: {kept.release}, rolled back by {kept.by}: {kept.reason}"))
    if not found:
        echo("mlops.yaml names no environments; for example: environments: {staging: {}, production: {after: staging}}")
    return ExitCode.PASSED


def _told(one: Standing) -> str:
    if one.release is None or one.digest is None or one.since is None or one.decision is None:
        return "nothing yet"
    since = f"since {one.since[:16].replace('T', ' ')} UTC"
    return f"{one.release:<6} {one.digest[:12]}  {since}  by {one.by}  decision {one.decision[:12]}"
