"""`mlops-ci check`: judge data and model."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import aside, clean, echo, emit_json
from mlops_ci.flows.check import check
from mlops_ci.records.outcomes import Status, exit_code
from mlops_ci.reports.terminal import safe, verdict_lines
from mlops_ci.reports.visible import visible_lines
from mlops_ci.steps.case import Asked


@click.command(help="Judge data and model of the working tree, or of a commit, and write a report.")
@click.option("--base", metavar="REF", help="Compare with this commit.")
@click.option("--at", metavar="COMMIT", help="Judge this commit instead of the working tree.")
@click.option("--only", type=click.Choice(["data", "model"]), help="Only the data's checks, or only the model's gates.")
@click.option(
    "--predictions",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Judge predictions made elsewhere: a file with the id columns and score or label.",
)
@click.option("--model", metavar="URI", help="Judge a model trained elsewhere: a file, an MLflow folder or a URI.")
@click.option("--fresh", is_flag=True, help="Compute everything again.")
@json_option
@click.pass_obj
def command(
    session: Session,
    *,
    base: str | None,
    at: str | None,
    only: str | None,
    predictions: Path | None,
    model: str | None,
    fresh: bool,
    as_json: bool,
) -> int:
    """Run the flow, print the verdict, leave with its code."""
    asked = Asked(base=base, at=at, only=only, predictions=predictions, model=model, fresh=fresh)
    checked = check(session.folder, asked, session.say())
    for result in checked.decision.checks:
        if result.status is Status.ERRORED and result.details:
            aside(result.check, (safe(line, 400) for line in visible_lines(result.details).splitlines()))
    if as_json:
        emit_json(checked.document())
    else:
        for line in verdict_lines(checked.story):
            echo(clean(line))
    return exit_code(checked.decision.outcome)
