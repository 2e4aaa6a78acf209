"""`mlops-ci verify`: recompute what was decided, and say what does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json, verdict
from mlops_ci.errors import ExitCode
from mlops_ci.flows.verify import verify
from mlops_ci.records.verified import How
from mlops_ci.reports.numbers import plural

if TYPE_CHECKING:
    from mlops_ci.records.verified import Verified

_SHOWN = 50


@click.command(
    help="Recompute what was decided from its evidence, offline, and say what does not hold. WHAT: an environment, a "
    "release (`v3`) or a decision; without it, what every environment runs."
)
@click.argument("what", metavar="[WHAT]", default="")
@click.option("--all", "everything", is_flag=True, help="Every decision, release and file of the ledger, its history.")
@click.option("--head", metavar="COMMIT", default="", help="A head of the ledger that you wrote down elsewhere.")
@json_option
@click.pass_obj
def command(session: Session, *, what: str, everything: bool, head: str, as_json: bool) -> int:
    """Problems first, then what could be proved."""
    if what and everything:
        raise click.UsageError("--all verifies everything: leave WHAT out.")
    found = verify(session.folder, what, session.say(), everything=everything, head=head)
    if as_json:
        emit_json(_document(found))
    else:
        _tell(found)
    return ExitCode.PASSED if found.ok else ExitCode.REFUSED


def _document(found: Verified) -> dict[str, object]:
    return {
        "ok": found.ok,
        "authenticated": found.authenticity.authenticated,
        "authenticated_by": found.authenticity.told,
        "checked": found.checked,
        "problems": found.problems,
        "gates": found.gates,
        "notes": found.notes,
    }


def _tell(found: Verified) -> None:
    for one in found.problems[:_SHOWN]:
        echo(verdict("failed", f"{one.where}: {one.message}"))
    if len(found.problems) > _SHOWN:
        echo(f"  and {len(found.problems) - _SHOWN} more: --json lists all")
    for note in found.notes[:_SHOWN]:
        echo(clean(f"- {note.where}: {note.message}"))
    if len(found.notes) > _SHOWN:
        echo(f"  and {len(found.notes) - _SHOWN} more that could not be looked at: --json lists all")
    checked = found.checked
    ways = ", ".join(f"{sum(one.how is how for one in found.gates)} {how}" for how in How)
    echo(
        f"{plural(checked.decisions, 'decision')}, {plural(checked.releases, 'release')}, "
        f"{plural(checked.environments, 'environment')}; {plural(checked.gates, 'verdict')}: {ways}"
    )
    authentic = found.authenticity
    echo(clean(f"authenticated: {'yes' if authentic.authenticated else 'no'}, {authentic.told}"))
    wrong = len(found.problems)
    echo("everything holds" if found.ok else "one thing does not hold" if wrong == 1 else f"{wrong} things do not hold")
