"""mlops-ci config."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.config import load
from mlops_ci.config.reference import lines, markdown
from mlops_ci.errors import ExitCode
from mlops_ci.steps.project import open_project


@click.command("config")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of mlops.yaml.")
@click.option("--reference", is_flag=True, help="Print what every key means, as Markdown.")
@json_option
@click.pass_obj
def command(session: Session, *, schema: bool, reference: bool, as_json: bool) -> int:
    """Show the settings in effect, defaults filled in."""
    if schema:
        emit_json(load.schema())
    elif reference:
        echo(markdown().rstrip("\n"))
    else:
        settings = load.effective(open_project(session.folder).config)
        if as_json:
            emit_json(settings)
        else:
            for line in lines(settings):
                echo(clean(line))
    return ExitCode.PASSED
