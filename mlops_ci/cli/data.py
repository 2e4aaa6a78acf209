"""`mlops-ci data`: look at the data."""

from __future__ import annotations

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json, printable, verdict
from mlops_ci.data.times import as_time, iso
from mlops_ci.errors import ExitCode
from mlops_ci.flows.data import DataLook, infer_contract, look
from mlops_ci.records.outcomes import Status, combine, exit_code

base_option = click.option("--base", metavar="REF", help="Compare with this commit.")


@click.group("data", help="Look at the data: its profile, what changed, its contract, its checks.")
def command() -> None:
    """Nothing is decided and nothing recorded."""


@command.command("profile", help="Every column: kind, missing, distinct values, range.")
@json_option
@click.pass_obj
def profile_command(session: Session, *, as_json: bool) -> int:
    """Print the profile."""
    found = look(session.folder, None, session.say())
    if as_json:
        emit_json({"snapshot": found.snapshot, "profile": found.profile})
        return ExitCode.PASSED
    echo(f"{found.snapshot.rows:,} rows ({found.snapshot.holdout_rows:,} held out)")
    for column in found.profile.columns:
        span = "" if column.low is None else f"{_bound(column.low)} to {_bound(column.high)}"
        missing = f"{column.missing / max(column.rows, 1):.1%} missing" if column.missing else ""
        echo(clean(f"{column.name:<24} {column.kind:<10} {column.distinct:>10,} distinct  {span}  {missing}").rstrip())
    return ExitCode.PASSED


def _bound(value: float | str | None) -> str:
    """A number as it is; a time to the second, a day alone where it is midnight."""
    time = as_time(value) if isinstance(value, str) else None
    return str(value) if time is None else iso(time)


@command.command("diff", help="What changed in the data since the base.")
@base_option
@json_option
@click.pass_obj
def diff_command(session: Session, *, base: str | None, as_json: bool) -> int:
    """Print the difference."""
    found = look(session.folder, base, session.say())
    if as_json:
        emit_json({"base": found.base, "change": found.change})
    else:
        _print_change(found)
    return ExitCode.PASSED


@command.command("contract", help="The contract that this data would be given; `data/contract.yaml` is yours to edit.")
@json_option
@click.pass_obj
def contract_command(session: Session, *, as_json: bool) -> int:
    """Print it; redirect it to the file to take it."""
    text = infer_contract(session.folder, session.say())
    if as_json:
        emit_json({"contract": text})
    else:
        echo(printable(text))
    return ExitCode.PASSED


@command.command("validate", help="Run the data's checks; leaves with 10 when one that blocks fails.")
@base_option
@json_option
@click.pass_obj
def validate_command(session: Session, *, base: str | None, as_json: bool) -> int:
    """Print each check's answer."""
    found = look(session.folder, base, session.say())
    if as_json:
        emit_json({"checks": found.results})
    else:
        for result in found.results:
            where = f"  {result.where}" if result.where else ""
            advisory = "" if result.blocking or result.status is Status.PASSED else " (advisory)"
            echo(verdict(result.status, clean(f"{result.check}: {result.message}{advisory}{where}")))
    return exit_code(combine(result.status for result in found.results if result.blocking))


def _print_change(found: DataLook) -> None:
    change = found.change
    if change is None:
        echo("the data is the same" if found.base else "there is no commit to compare with")
        return
    echo(f"{change.base_rows:,} -> {change.rows:,} rows: +{change.added:,} -{change.removed:,} ~{change.changed:,}")
    for sign, paths in (("+", change.files_added), ("-", change.files_removed), ("~", change.files_changed)):
        for path in paths:
            echo(clean(f"{sign} {path}"))
    for column in change.columns:
        psi = f"  PSI {column.psi:.3f} (noise {column.floor:.3f})" if column.psi is not None else ""
        echo(clean(f"{column.column}: {column.change} {column.before} -> {column.after}{psi}"))
