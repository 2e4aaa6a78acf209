"""`mlops-ci explain`: what something means."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.explain import explain


@click.command(
    help="What a gate (its number in the report, its text or name), a check, a metric, a fact or a term means."
)
@click.argument("asked", metavar="GATE|CHECK|TERM")
@json_option
@click.pass_obj
def command(session: Session, *, asked: str, as_json: bool) -> int:
    """Print the words."""
    text = explain(session.folder, asked)
    if as_json:
        emit_json({"asked": asked, "text": text})
    else:
        echo(clean(text))
    return ExitCode.PASSED
