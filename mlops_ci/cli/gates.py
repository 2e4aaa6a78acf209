"""`mlops-ci gates`: look at the gates before anything is spent on them."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.plan import plan


@click.group("gates", help="Look at the gates before anything is spent on them.")
def command() -> None:
    """`gates plan` so far."""


@command.command("plan", help="Rows each gate needs, rows there are, and the smallest difference they can see.")
@click.argument("decision", default="")
@json_option
@click.pass_obj
def plan_command(session: Session, *, decision: str, as_json: bool) -> int:
    """Today's gates over the predictions of the last decision, or of the one named."""
    planned = plan(session.folder, decision)
    if as_json:
        emit_json(planned)
        return ExitCode.PASSED
    for number, gate in enumerate(planned.gates, start=1):
        place = f"for {gate.environment}: " if gate.environment else ""
        echo(clean(f"{number}. {place}{gate.gate}"))
        needed = "-" if gate.rows_needed is None else f"{gate.rows_needed:,}"
        there = "-" if gate.rows_available is None else f"{gate.rows_available:,}"
        visible = "-" if gate.detectable is None else f"{gate.detectable:.4g}"
        echo(f"   rows needed {needed}, there {there}, smallest difference visible {visible}")
        if gate.reason:
            echo(f"   {clean(gate.reason)}")
    use = planned.holdout
    allowed = (
        "" if use.looks_left is None else f" of {use.looks_promised:,} the guarantee allows, {use.looks_left:,} left"
    )
    echo(f"the test set: {use.rows:,} rows, used {use.looks_used} time{'s' * (use.looks_used != 1)}{allowed}")
    return ExitCode.PASSED
