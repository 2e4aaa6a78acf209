"""`mlops-ci check`: judge data and model."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.told import tell
from mlops_ci.flows.check import check
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
    return tell(check(session.folder, asked, session.say()), as_json=as_json)
