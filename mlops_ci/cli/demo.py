"""`mlops-ci demo`: a throw-away repository that shows it all."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.demo import Played, demo
from mlops_ci.records.outcomes import exit_code
from mlops_ci.reports.terminal import verdict_lines
from mlops_ci.steps.example import ACTS, Act


@click.command(
    help="A throw-away repository with flights from New York and four commits: passed, refused, new data, leak."
)
@click.option("--into", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Make it there.")
@json_option
@click.pass_obj
def command(session: Session, *, into: Path | None, as_json: bool) -> int:
    """Play the four commits; passing means that the demo ran, whatever it decided."""

    def before(act: Act) -> None:
        number = ACTS.index(act) + 1
        click.echo(f"\n{number}/{len(ACTS)}  git commit -m {act.message!r}    ({act.tells})\n", err=as_json)

    def after(played: Played) -> None:
        for line in verdict_lines(played.checked.story):
            click.echo(clean(line), err=as_json)

    folder, played = demo(into, session.say(), before=before, after=after)
    if as_json:
        emit_json({"folder": str(folder), "decisions": [_document(one) for one in played]})
    else:
        echo(f"\nthe repository      {clean(str(folder))}")
        echo(f"its decisions       git -C {clean(str(folder))} log mlops-reports")
        echo(f"the last report     {clean(str(played[-1].checked.folder / 'report.html'))}")
    return ExitCode.PASSED


def _document(played: Played) -> dict[str, object]:
    checked = played.checked
    return {
        "commit": checked.decision.subject.commit,
        "message": played.act.message,
        "outcome": checked.decision.outcome,
        "exit_code": exit_code(checked.decision.outcome),
        "decision": checked.story.decision_id,
        "report": str(checked.folder / "report.html"),
    }
