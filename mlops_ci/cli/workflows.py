"""mlops-ci workflows."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode, UsageError
from mlops_ci.flows.workflows import InStep, workflows

_WORDS = {
    "current": "in step with the settings",
    "missing": "not there: mlops-ci workflows --update",
    "outdated": "made by older settings or an older mlops-ci: mlops-ci workflows --update",
    "edited": "edited by hand, left alone. See --diff; delete the file and --update for the generated one",
}


@click.command("workflows")
@click.option("--check", is_flag=True, help="Exit with 10 where a file is not in step.")
@click.option("--update", is_flag=True, help="Write what is missing or outdated; what was edited by hand is left.")
@click.option("--diff", is_flag=True, help="Show what would change.")
@json_option
@click.pass_obj
def command(session: Session, *, check: bool, update: bool, diff: bool, as_json: bool) -> int:
    """Compare the generated GitHub workflows with the settings. Moved action pins are no edit."""
    if check and update:
        raise UsageError("--check and --update exclude each other", "Use one of them.")
    found = workflows(session.folder, update=update)
    if as_json:
        emit_json({"files": [_as_json(found, each.path) for each in found.files]})
    else:
        _show(found, diff=diff)
    return ExitCode.REFUSED if (check or update) and found.out_of_step else ExitCode.PASSED


def _as_json(found: InStep, path: str) -> dict[str, object]:
    [each] = [each for each in found.files if each.path == path]
    return {
        "path": path,
        "state": each.state,
        "written": path in found.written,
        "difference": each.difference if path not in found.written else "",
    }


def _show(found: InStep, *, diff: bool) -> None:
    for each in found.files:
        words = "written" if each.path in found.written else _WORDS[each.state]
        echo(f"{clean(each.path)}: {words}")
        if diff and each.difference:
            echo(clean(each.difference))
