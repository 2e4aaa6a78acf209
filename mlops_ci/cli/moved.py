"""What `promote` and `rollback` share: how the change is to reach the default branch, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlops_ci.cli.output import clean, echo, emit_json, verdict
from mlops_ci.promotion.rules import Way
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Outcome, Status, exit_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.flows.promote import Moved


def way_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--pr, --push, --commit: one of them, else the usual way."""
    for name, way, told in (
        ("--commit", Way.COMMIT, "A commit on the default branch here; what runs there is then yours to push."),
        ("--push", Way.PUSH, "A commit pushed to the default branch of the remote."),
        ("--pr", Way.PULL_REQUEST, "A pull request (the default where there is a remote)."),
    ):
        command = click.option(name, "way", flag_value=way, type=click.UNPROCESSED, help=told)(command)
    return command


def shown(moved: Moved, *, dry_run: bool, as_json: bool) -> int:
    """Say it; the exit code."""
    if as_json:
        emit_json(moved.document())
    elif moved.already:
        echo(clean(f"already there: {moved.environment} runs {moved.release}"))
    elif moved.proposed_before and moved.carried and moved.carried.pull:
        pull = moved.carried.pull
        echo(clean(f"already proposed: #{pull.number} moves {moved.environment} to {moved.release}, {pull.address}"))
    else:
        _tell(moved, dry_run=dry_run)
    return exit_code(moved.outcome)


def _tell(moved: Moved, *, dry_run: bool) -> None:
    if moved.story is None:
        return
    decision = moved.story.decision
    for result in decision.checks:
        if result.status is not Status.SKIPPED:
            echo(verdict(result.status, f"{result.check:<11} {result.message}"))
    for one in decision.gates:
        echo(verdict(one.verdict, f"{one.gate}  {one.reason}".rstrip()))
    if decision.outcome is not Outcome.PASSED:
        echo(clean(f"refused: {decision.reason}"))
        echo(clean(f"  the report     mlops-ci report {moved.story.short_id}"))
        return
    if dry_run:
        echo("would change, and nothing was:")
        echo(clean(moved.change.rstrip()))
        return
    pull = moved.carried.pull if moved.carried else None
    done = "rolled back" if decision.kind is DecisionKind.ROLLBACK else "promoted"
    echo(clean(f"{'proposed' if pull else done}: {decision.reason}"))
    if pull:
        echo(clean(f"  to be merged   #{pull.number} {pull.address}"))
    if moved.carried:
        echo(clean(f"  the commit     {moved.carried.commit[:12]} on {moved.carried.branch}"))
    echo(clean(f"  the report     mlops-ci report {moved.story.short_id}"))
