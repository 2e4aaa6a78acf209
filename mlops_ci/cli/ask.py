"""`mlops-ci ask`: does a server that runs somewhere answer as the model that was judged."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.ask import Asked, ask
from mlops_ci.records.served import Reply
from mlops_ci.reports import numbers


@click.command(
    help="Ask the server at ADDRESS whether it holds a release (v3, churn/v3; the newest when left out) or the folder "
    "of a bundle, and answers its golden requests as the judged model did."
)
@click.argument("address", metavar="ADDRESS")
@click.argument("bundle", default="", metavar="[BUNDLE]")
@click.option("--token-env", metavar="NAME", default="", help="The variable that holds the token it asks for.")
@click.option(
    "--wait",
    metavar="SECONDS",
    default=0.0,
    type=click.FloatRange(0, 3600),
    help="How long it may start, or answer otherwise; it is asked again every second.",
)
@json_option
@click.pass_obj
def command(session: Session, *, address: str, bundle: str, token_env: str, wait: float, as_json: bool) -> int:
    """Say whether it does."""
    reply = ask(session.folder, Asked(address=address, bundle=bundle, token_env=token_env, wait=wait), session.say())
    if as_json:
        emit_json(reply.document())
    else:
        _show(reply)
    return ExitCode.PASSED if reply.ok else ExitCode.REFUSED


def _show(reply: Reply) -> None:
    expected, found = reply.expected, reply.found
    name = " ".join(part for part in (reply.project, expected.release or numbers.short(expected.digest)) if part)
    if reply.ok:
        echo(clean(f"as judged: {reply.address} serves {name}"))
        echo(clean(f"  the bundle     {expected.digest}"))
        echo(clean(f"  fingerprint    {expected.fingerprint}"))
    else:
        echo(clean(f"refused: {reply.address} does not serve {name}: {reply.reason}"))
    if found.release and expected.release and found.release != expected.release:
        echo(clean(f"  it calls itself {found.release}"))
