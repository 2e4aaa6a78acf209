"""mlops-ci doctor."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.doctor import doctor

_MARKS = {"ok": ("✓", "green"), "missing": ("✗", "red"), "note": ("·", "yellow")}


@click.command("doctor")
@json_option
@click.pass_obj
def command(session: Session, *, as_json: bool) -> int:
    """Look whether everything is in place, and say how to mend what is not.

    Exits with 10 where something is missing.
    """
    found = doctor(session.folder)
    whole = all(each.condition != "missing" for each in found)
    if as_json:
        emit_json({"whole": whole, "findings": found})
        return ExitCode.PASSED if whole else ExitCode.REFUSED
    for each in found:
        mark, colour = _MARKS[each.condition]
        echo(f"{click.style(mark, fg=colour)} {clean(each.name):<17} {clean(each.found)}")
        if each.mend:
            echo(f"  {'':<17} {clean(each.mend)}")
    return ExitCode.PASSED if whole else ExitCode.REFUSED
