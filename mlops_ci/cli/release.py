"""`mlops-ci release`: the bundle of a commit that passed."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option, network_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.flows.release import release
from mlops_ci.flows.release_import import Reason, release_import
from mlops_ci.records.outcomes import exit_code
from mlops_ci.reports import numbers
from mlops_ci.reports.terminal import verdict_lines
from mlops_ci.steps.release import Released, Wish
from mlops_ci.steps.write import Checked

_IMAGE = {"docker": "the image", "lambda": "for Lambda", "functions": "for functions", "batch": "for batch jobs"}


def told(released: Released) -> tuple[str, ...]:
    """What became a release, or why nothing did; and the next command."""
    decision, number = released.decision, released.bundle.release
    if not number:
        return (f"not released: {decision.reason}", f"  the bundle     {released.place}")
    signature = released.bundle.signature or None
    word = "released before" if released.already else "released"
    return (
        f"{word}: {decision.project} {decision.reason}",
        f"  the bundle     {released.place}",
        *(f"  {_IMAGE.get(target, target):<15}{name}" for target, name in released.images.items()),
        *([f"  signed by key  {numbers.short(signature.key)}"] if signature else []),
        f"  ask it         mlops-ci serve {number}",
        f"  the report     mlops-ci report {released.story.decision_id[:12]}",
    )


@click.command(help="Package the model of this commit, once its check passed, and give it a number.")
@click.option("--push", is_flag=True, help="Push the image (`package.image`) and the ledger: the number is theirs.")
@click.option("--import", "source", metavar="MODEL", help="Take in a model of MLflow: models:/churn/17, a folder.")
@click.option("--reason", metavar="TEXT", default="", help="With --import: why no gate has to judge it.")
@network_option
@json_option
@click.pass_obj
def command(
    session: Session, *, push: bool, source: str | None, reason: str, network: str | None, as_json: bool
) -> int:
    """Run the flow, say what became a release, leave with its code."""
    if source is not None:
        return _import(session, source, Reason(reason, push=push), as_json=as_json)
    released = release(session.folder, Wish(push=push, network=network), session.say())
    if as_json:
        emit_json(released.document())
    elif isinstance(released, Checked):
        for line in verdict_lines(released.story):
            echo(clean(line))
        echo("not released: only a commit that passes becomes one")
    else:
        for line in told(released):
            echo(clean(line))
    return exit_code(released.decision.outcome)


def _import(session: Session, source: str, why: Reason, *, as_json: bool) -> int:
    taken = release_import(session.folder, source, why, session.say())
    if as_json:
        emit_json(taken.document())
        return exit_code(taken.story.decision.outcome)
    word = "imported before" if taken.already else "imported"
    echo(clean(f"{word}: {taken.story.decision.project} {taken.story.decision.reason}"))
    echo(clean(f"  the model      {taken.place}"))
    echo(clean(f"  the report     mlops-ci report {taken.story.decision_id[:12]}"))
    echo("  compare        mlops-ci check")
    return exit_code(taken.story.decision.outcome)
