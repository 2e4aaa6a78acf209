"""`mlops-ci why`: the reasons behind what runs."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.why import why
from mlops_ci.reports import markdown
from mlops_ci.reports.why import lines, page


@click.command(
    help="Why ENVIRONMENT runs what it runs, or what RELEASE (v3) is: its file, who decided by which rules and gates, "
    "the release, and the data, code, parameters and training it was made from."
)
@click.argument("about", metavar="ENVIRONMENT|RELEASE")
@click.option("--md", "as_markdown", is_flag=True, help="A page of Markdown: the dossier.")
@json_option
@click.pass_obj
def command(session: Session, *, about: str, as_markdown: bool, as_json: bool) -> int:
    """Tell the chain."""
    chain = why(session.folder, about)
    if as_json:
        emit_json(chain)
    elif as_markdown:
        echo(clean(markdown.render(page(chain), charts=None)))
    else:
        for line in lines(chain):
            echo(clean(line))
    return ExitCode.PASSED
