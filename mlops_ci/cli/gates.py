"""`mlops-ci gates`: look at the gates before anything is spent on them."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.plan import plan
from mlops_ci.records.verdicts import GatePlan


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
    echo(f"today's gates, on the held-out rows of decision {planned.decision[:12]}:")
    for gate in planned.gates:
        place = f"for {gate.environment}: " if gate.environment else ""
        echo(clean(f"{place}{gate.gate}"))
        for line in _told(gate):
            echo(f"   {clean(line)}")
    use = planned.holdout
    allowed = (
        "" if use.looks_left is None else f" of {use.looks_promised:,} the guarantee allows, {use.looks_left:,} left"
    )
    echo(f"the test set: {use.rows:,} rows, used {use.looks_used} time{'s' * (use.looks_used != 1)}{allowed}")
    return ExitCode.PASSED


def _told(gate: GatePlan) -> list[str]:
    """Whether the rows are enough, and what they can see."""
    needed, there = gate.rows_needed, gate.rows_available
    word = "" if needed is None or there is None else "enough rows: " if there >= needed else "too few rows: "
    told = [f"{word}{gate.reason}"] if gate.reason else []
    if gate.detectable is not None:
        told.append(f"the smallest distance from the threshold these rows can see: {gate.detectable:.2g}")
    return told
