"""`mlops-ci report`: read the report of a decision."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.report import report


@click.command(help="Read the report of a decision: the last one here, or by the beginning of its id or commit.")
@click.argument("decision", default="")
@click.option("--html", "wants_page", is_flag=True, help="Write a page and print where it is.")
@click.option(
    "--to", "page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Where --html goes."
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@json_option
@click.pass_obj
def command(session: Session, *, decision: str, wants_page: bool, page: Path | None, opens: bool, as_json: bool) -> int:
    """Print the text, or write the page."""
    read = report(session.folder, decision, page=page, wants_page=wants_page or opens or page is not None)
    if as_json:
        emit_json(
            {
                "decision": read.story.decision_id,
                "outcome": read.story.decision.outcome,
                "markdown": read.text,
                "html": str(read.page) if read.page else None,
            }
        )
    elif read.page:
        echo(clean(str(read.page)))
    else:
        echo(clean(read.text))
    if opens and read.page:
        click.launch(read.page.resolve().as_uri())
    return ExitCode.PASSED
