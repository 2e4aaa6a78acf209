"""mlops-ci alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops_ci.cli.output import clean, echo
from mlops_ci.errors import ExitCode
from mlops_ci.flows.here import here

if TYPE_CHECKING:
    from mlops_ci.cli.options import Session


@click.command("here")
@click.pass_obj
def command(session: Session) -> int:
    """Say where we are and what to do next."""
    found = here(session.folder)
    if not found.project:
        echo(f"{clean(str(session.folder))} is in no project of mlops-ci.")
    else:
        state = "" if found.clean else ", with changes that are not committed"
        place = f"on {found.branch or 'no branch'} at {found.commit[:9] or 'no commit yet'}"
        echo(f"{clean(found.project)}, {clean(place)}{state}")
        echo(f"last decision: {clean(found.last) if found.last else 'none yet'}")
        for one in found.environments:
            echo(clean(f"{one.name}: {one.release or 'nothing yet'}"))
    echo("next:")
    for line in found.next:
        echo(f"  {line}")
    echo("all commands: mlops-ci --help")
    return ExitCode.PASSED
