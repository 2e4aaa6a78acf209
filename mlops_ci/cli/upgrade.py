"""mlops-ci upgrade."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode, UsageError
from mlops_ci.flows.upgrade import How, Upgraded, answer, upgrade_to_newest
from mlops_ci.records.upgrades import TakenOver
from mlops_ci.reports import upgrade as words


@click.command("upgrade")
@click.option("--check", is_flag=True, help="Only say whether there is a newer version; exit with 10 where there is.")
@click.option("--commit", is_flag=True, help="Commit what is written.")
@click.option("--pr", is_flag=True, help="Push a branch and open a pull request (in a job of GitHub Actions).")
@click.option("--answer", "into", hidden=True, type=click.Path(dir_okay=False, path_type=Path))
@json_option
@click.pass_obj
def command(session: Session, *, check: bool, commit: bool, pr: bool, into: Path | None, as_json: bool) -> int:
    """Lock the newest mlops-ci, bring the workflows in step with it, and judge the last decisions again by it."""
    if into is not None:
        answer(session.folder, into)
        return ExitCode.PASSED
    if check + commit + pr > 1:
        raise UsageError("--check, --commit and --pr exclude each other", "Use one of them.")
    how = How.CHECK if check else How.COMMIT if commit else How.PROPOSE if pr else How.WRITE
    found = upgrade_to_newest(session.folder, how, session.say())
    if as_json:
        emit_json(_as_json(found))
    else:
        _show(found)
    return ExitCode.REFUSED if check and found.is_newer else ExitCode.PASSED


def _as_json(found: Upgraded) -> dict[str, object]:
    taken = found.taken
    return {
        "current": found.current,
        "newest": found.newest,
        "newer": found.is_newer,
        "written": found.written,
        "commit": found.commit,
        "pull_request": found.proposed,
        "conflicts": taken.conflicts if taken else (),
        "judged_again": taken.judged if taken else None,
    }


def _show(found: Upgraded) -> None:
    if not found.is_newer:
        echo(clean(f"mlops-ci {found.current} is the newest there is"))
        if found.proposed is not None:
            echo(clean(f"{found.proposed.address}: {found.proposed.state}"))
        return
    if found.taken is None and found.proposed is None:
        echo(clean(f"mlops-ci {found.newest} is there, {found.current} is locked: mlops-ci upgrade"))
        return
    echo(clean(f"mlops-ci {found.current} → {found.newest}"))
    if found.taken is not None:
        _show_taken(found.taken)
    for path in found.written:
        echo(clean(f"{path}: written"))
    if found.commit:
        echo(f"committed as {found.commit[:7]}")
    elif found.proposed is not None:
        echo(clean(f"{found.proposed.address}: {found.proposed.state}"))
        for path in found.proposed.left_out:
            echo(clean(f"{path}: left out, this token may not change workflows"))
    else:
        echo("Nothing is committed: look at git diff, and install that version at your desk too.")


def _show_taken(taken: TakenOver) -> None:
    echo(words.judged(taken.judged))
    for one in taken.judged.changed:
        echo(clean(f"  {words.changed(one)}"))
    for path in taken.conflicts:
        echo(clean(f"{path}: left, edited by a person where it changes now: {words.UPDATE}"))
