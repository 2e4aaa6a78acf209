"""`mlops-ci record`: judge a run again and append it to the ledger."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import aside, echo, emit_json
from mlops_ci.flows.record import record
from mlops_ci.records.outcomes import exit_code


@click.command(help="Validate a run's folder, judge it again from its evidence, and append it to the ledger.")
@click.argument("run", metavar="RUN_DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--push", is_flag=True, help="Bring it into the remote's ledger too, never by force.")
@json_option
@click.pass_obj
def command(session: Session, *, run: Path, push: bool, as_json: bool) -> int:
    """Leave with the code of the decision that was recorded."""
    recorded = record(session.folder, run, push=push)
    if recorded.notes:
        aside("not done", recorded.notes)
    if as_json:
        answer = {"decision": recorded.decision_id, "outcome": recorded.decision.outcome, "pushed": recorded.pushed}
        emit_json(answer)
    else:
        where = "mlops-reports, here and at the remote" if recorded.pushed else "mlops-reports"
        echo(f"recorded {recorded.decision_id[:12]} ({recorded.decision.outcome}) on {where}")
    return exit_code(recorded.decision.outcome)
