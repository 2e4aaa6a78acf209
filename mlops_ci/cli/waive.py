"""`mlops-ci waive`: let a gate through for a while, in a file that is reviewed."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.waive import waive


@click.command(help="Write a waiver for a failed or undecided gate (its number in the report, its text or its name).")
@click.argument("gate", metavar="GATE")
@click.option("--reason", metavar="TEXT", required=True, help="Why it is right to go on without it; one line.")
@click.option("--until", metavar="DATE", required=True, help="The last day it counts, such as 2026-12-01.")
@click.option("--owner", metavar="NAME", help="Who answers for it; left out, git's user.name.")
@json_option
@click.pass_obj
def command(session: Session, *, gate: str, reason: str, until: str, owner: str | None, as_json: bool) -> int:
    """Write it, say what to do next."""
    waived = waive(session.folder, gate, reason=reason, until=until, owner=owner)
    if as_json:
        emit_json(waived)
        return ExitCode.PASSED
    told = f"waived until {waived.until} by {waived.owner}: {waived.gate}"
    echo(clean(told if waived.changed else f"{told} (it was already, nothing is changed)"))
    if waived.passed:
        echo("it passed in the last check here: there is nothing to waive now")
    for line in waived.next:
        echo(f"  {clean(line)}")
    echo("It counts once the base holds it: bring this commit to the default branch through review,")
    echo("put your work on top of it and run mlops-ci check.")
    return ExitCode.PASSED
