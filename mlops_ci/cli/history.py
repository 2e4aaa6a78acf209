"""`mlops-ci history`: what was decided."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json, verdict
from mlops_ci.errors import ExitCode
from mlops_ci.flows.history import history

_WORDS = {"failed": "refused"}
_KNOWN = ("passed", "released", "imported", "promoted", "rolled back", "failed", "undecided", "errored")


@click.command(help="What was decided, the last first.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@click.option("--all", "everything", is_flag=True, help="Of every project of the repository, and all of them.")
@json_option
@click.pass_obj
def command(session: Session, *, limit: int, everything: bool, as_json: bool) -> int:
    """One line a decision."""
    rows = history(session.folder, limit=None if everything else limit, everything=everything)
    if as_json:
        emit_json({"decisions": rows})
        return ExitCode.PASSED
    for row in rows:
        outcome = row.word if row.word in _KNOWN else "skipped"
        text = f"{row.id[:12]}  {row.time[:10]}  {row.commit[:7]}  {row.title[:50]}\n{'':12}{row.verdict}"
        echo(verdict(_WORDS.get(outcome, outcome), clean(text)))
    if not rows:
        echo("nothing has been decided here yet: mlops-ci check")
    return ExitCode.PASSED
