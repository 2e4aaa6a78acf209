"""`mlops-ci ci`: the steps of the generated workflows, each one command; they read what GitHub's runner says."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option, network_option
from mlops_ci.cli.output import annotate, clean, echo, emit_json
from mlops_ci.cli.told import tell
from mlops_ci.errors import ExitCode
from mlops_ci.flows import ci_check, ci_judge, ci_package, ci_plan, ci_record, ci_release, ci_rescore, ci_setup
from mlops_ci.records.judged import State
from mlops_ci.records.outcomes import exit_code
from mlops_ci.reports.annotations import of_story
from mlops_ci.steps.release import Wish

_NOBODY = "nothing is told of this run: its pull request is closed, or a newer run is about it"


@click.group("ci", help="The steps of the generated GitHub workflows (not for a desk).")
def command() -> None:
    """One command a step: no logic is in the workflows."""


@command.command("plan", help="Which projects the checked out commit is about: the step's output `projects`.")
@click.option("--release", is_flag=True, help="Those with a commit that passed and is no release yet, instead.")
@json_option
@click.pass_obj
def plan_command(session: Session, *, release: bool, as_json: bool) -> int:
    """Print the projects."""
    planned = ci_plan.plan_releases(session.folder) if release else ci_plan.plan(session.folder)
    if as_json:
        emit_json({"projects": planned})
    else:
        echo(
            clean(
                ", ".join(row.project for row in planned) or "no project has a commit to release"
                if release
                else "no project is affected"
            )
        )
    return ExitCode.PASSED


@command.command("setup", help="Run the commands of `runner.setup`, one after the other, up to one that fails.")
@json_option
@click.pass_obj
def setup_command(session: Session, *, as_json: bool) -> int:
    """Leave with 11 where one fails: there is nothing to check then."""
    done = ci_setup.set_up(session.folder, session.say())
    if as_json:
        emit_json({"commands": done})
    else:
        echo(f"{done} commands done" if done > 1 else "1 command done" if done else "runner.setup names no commands")
    return ExitCode.PASSED


@command.command("check", help="Check one project, leave its evidence, tell the verdict on the run's page.")
@json_option
@click.pass_obj
def check_command(session: Session, *, as_json: bool) -> int:
    """Leave with the code of the decision."""
    checked = ci_check.check_in_job(session.folder, session.say())
    for one in of_story(checked.story):
        annotate(one.kind, one.title, one.message, one.where)
    return tell(checked, as_json=as_json)


@command.command("judge", help="Judge again what a run left, with rights to read alone; write it INTO a folder.")
@click.argument("into", type=click.Path(file_okay=False, path_type=Path))
@json_option
@click.pass_obj
def judge_command(session: Session, *, into: Path, as_json: bool) -> int:
    """Bad news is for the recording job to tell: this one has done its work."""
    judged = ci_judge.judge(session.folder, into, session.say())
    if as_json:
        emit_json(judged)
        return ExitCode.PASSED
    if judged is None:
        echo(_NOBODY)
        return ExitCode.PASSED
    for one in judged.projects:
        told = f"decision {one.run}" if one.state is State.JUDGED else one.reason or str(one.state)
        echo(clean(f"{one.name}: {told}"))
    return ExitCode.PASSED


@command.command("record", help="Write what was judged to the ledger, the comment and the status `mlops / gate`.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@json_option
@click.pass_obj
def record_command(session: Session, *, folder: Path, as_json: bool) -> int:
    """Leave with 0 where all was written, else with 3."""
    recorded = ci_record.record_in_job(session.folder, folder, session.say())
    for note in recorded.notes:
        annotate("warning", "mlops-ci", note, None)
    if as_json:
        emit_json(recorded)
    elif recorded.status is None:
        echo(_NOBODY)
    else:
        echo(clean(f"{recorded.status.state}: {recorded.status.description}"))
    return ExitCode.OUTSIDE if recorded.notes else ExitCode.PASSED


@command.command("package", help="Make the bundle of one project for the jobs that look at it and release it.")
@json_option
@click.pass_obj
def package_command(session: Session, *, as_json: bool) -> int:
    """Bad news is for the releasing job to tell."""
    made = ci_package.package_in_job(session.folder, session.say())
    if as_json:
        emit_json({"digest": made.bundle.digest, "format": made.exported.answer.format})
    else:
        echo(clean(f"bundle {made.bundle.digest[:12]} as {made.exported.answer.format}"))
    return ExitCode.PASSED


@command.command(
    "rescore", help="Ask bundles about every held-out row, with rights to read alone; write it INTO a folder."
)
@click.argument("into", type=click.Path(file_okay=False, path_type=Path))
@json_option
@click.pass_obj
def rescore_command(session: Session, *, into: Path, as_json: bool) -> int:
    """Bad news is for the releasing job to tell."""
    found = ci_rescore.rescore_in_job(session.folder, into, session.say())
    if as_json:
        emit_json({"projects": found})
        return ExitCode.PASSED
    for one in found:
        echo(clean(f"{one.project}: {one.reason or one.results[-1].message}"))
    return ExitCode.PASSED


@command.command("release", help="Bundles that were looked at become releases: image, store, number, ledger.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@network_option
@json_option
@click.pass_obj
def release_command(session: Session, *, folder: Path, network: str | None, as_json: bool) -> int:
    """Leave with the code of the worst decision."""
    wish = Wish(push=True, network=network)
    stories = ci_release.release_in_job(session.folder, folder, wish, session.say())
    if as_json:
        emit_json({"decisions": [{"id": one.decision_id, "outcome": one.decision.outcome} for one in stories]})
    else:
        for one in stories:
            echo(clean(f"{one.decision.project}: {one.decision.reason}"))
    return max((exit_code(one.decision.outcome) for one in stories), default=ExitCode.PASSED)
