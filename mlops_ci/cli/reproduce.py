"""`mlops-ci reproduce`: a release's model made again."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.reproduce import Wish, reproduce
from mlops_ci.reports.reproduced import lines


@click.command(
    help="Train the model of RELEASE (v3) again from its commit, in a clean copy and its locked environment, and "
    "compare: bit-identical, prediction-identical, metric-equal, or different, and what differed."
)
@click.argument("release", metavar="RELEASE")
@click.option(
    "--lock",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another lock in place of the release's: what these libraries would give. Named as in the project.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=0.001,
    show_default=True,
    help="By how much a metric may move and count as equal.",
)
@json_option
@click.pass_obj
def command(session: Session, *, release: str, lock: Path | None, tolerance: float, as_json: bool) -> int:
    """Say how like they are."""
    found = reproduce(session.folder, Wish(release=release, lock=lock, tolerance=tolerance), session.say())
    if as_json:
        emit_json(found)
    else:
        for line in lines(found):
            echo(clean(line))
    return ExitCode.PASSED if found.ok else ExitCode.REFUSED
