"""mlops-ci workflows."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode, UsageError
from mlops_ci.flows.workflows import InStep, workflows
from mlops_ci.steps.lock import TOOL_LOCK, has_hashes
from mlops_ci.workflows.compare import Cause, Generated, Kind, State

_UPDATE = "mlops-ci workflows --update"
_UNKNOWN = f"""differs, and .mlops-ci/generated.lock does not say what was generated: left alone
  the lock was there: git checkout COMMIT -- .mlops-ci/generated.lock
  to have the generated one: delete the file, then {_UPDATE}
  to keep yours: copy it away, delete it, {_UPDATE}, copy it back, {_UPDATE}
  from here to what is generated:"""
_WORDS = {
    State.EDITED: f"edited by a person since it was generated (--diff shows it); to take that up: {_UPDATE}",
    State.OUTDATED: "outdated: {causes}; {update}",
    State.MISSING: f"not there: {_UPDATE}",
    State.DELETED: "deleted by a commit, and stays so. To have it again: git checkout COMMIT~ -- FILE",
    State.UNKNOWN: _UNKNOWN,
}
_CAUSES = {
    Kind.PINS: "newer versions of actions",
    Kind.PERSON: "edited by a person, which is kept",
    Kind.RECORD: ".mlops-ci/generated.lock does not know it",
}


@click.command("workflows")
@click.option("--check", is_flag=True, help="Exit with 10 where a file is not in step.")
@click.option("--update", is_flag=True, help="Merge into the files what is generated now; edits of people stay.")
@click.option("--diff", is_flag=True, help="Show what an update would change, and what people changed.")
@json_option
@click.pass_obj
def command(session: Session, *, check: bool, update: bool, diff: bool, as_json: bool) -> int:
    """Compare the generated GitHub workflows with the settings of all projects. Moved action pins are no edit."""
    if check and update:
        raise UsageError("--check and --update exclude each other", "Use one of them.")
    found = workflows(session.folder, update=update)
    if as_json:
        files = [_as_json(each, written=each.path in found.written) for each in found.files]
        emit_json({"in_step": not found.out_of_step, "files": files, "tool_lock_written": bool(found.tool)})
    else:
        for each in found.files:
            _show(each, found, diff=diff)
        if found.tool:
            lacking = "" if has_hashes(found.tool) else ", without hashes: the package index does not give this version"
            echo(f"{TOOL_LOCK}: written{lacking}")
    return ExitCode.REFUSED if (check or update) and found.out_of_step else ExitCode.PASSED


def _as_json(each: Generated, *, written: bool) -> dict[str, object]:
    return {
        "path": each.path,
        "state": each.state,
        "causes": each.causes,
        "written": written,
        "lines": each.lines,
        "difference": each.difference,
        "edits": each.edits,
    }


def _show(each: Generated, found: InStep, *, diff: bool) -> None:
    place = f"{each.path}:{each.lines[0]}" if each.lines and not _is_ahead(each, found) else each.path
    echo(f"{clean(place)}: {clean(_words(each, found))}")
    if each.difference and (diff or each.state is State.UNKNOWN):
        echo(clean(each.difference))
    if each.edits and diff:
        echo(clean(f"changed by a person:\n{each.edits}"))


def _words(each: Generated, found: InStep) -> str:
    kept = ", with edits of a person" if each.edits else ""
    if each.state is State.CONFLICT:
        return _conflict(each, found)
    if each.state is State.CURRENT or (found.updated and each.state is State.EDITED):
        return f"in step{kept}"
    if each.path in found.written or (found.updated and each.state is State.OUTDATED):
        return f"written{kept}" if each.is_written else "in step"
    return _WORDS[each.state].format(causes=", ".join(map(_cause, each.causes)), update=_UPDATE)


def _conflict(each: Generated, found: InStep) -> str:
    others = f" (and lines {', '.join(map(str, each.lines[1:]))})" if each.lines[1:] else ""
    if _is_ahead(each, found):
        causes = ", ".join(_cause(cause) for cause in each.causes if cause.kind is not Kind.PERSON)
        return f"edited by a person on lines that change now too ({causes}): {_UPDATE} marks them in the file"
    return f"a conflict is marked here{others}: keep what is right of it, then {_UPDATE}"


def _is_ahead(each: Generated, found: InStep) -> bool:
    """Whether the conflict would come with an update, and is not in the file yet."""
    return each.state is State.CONFLICT and each.is_written and each.path not in found.written


def _cause(cause: Cause) -> str:
    return _CAUSES.get(cause.kind) or f"{'mlops-ci ' if cause.kind is Kind.TOOL else ''}{cause.detail}"
