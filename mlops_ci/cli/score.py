"""`mlops-ci score`: files in, files out."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from mlops_ci.cli.options import Session, json_option, trust_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.flows.score import Asked, score

_HELP = """Score files with a release (v3, churn/v3) or the folder of a bundle.

INPUT: CSV or Parquet: files, folders, or patterns in quotes. OUTPUT: one .csv or .parquet with the ids of the input and
the answers; or a folder, with one file for each, into which a run that was stopped goes on.
"""


@click.command(help=_HELP)
@click.argument("bundle")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.argument("output")
@click.option("--keep", is_flag=True, help="Write all columns of the input, not only its ids.")
@click.option(
    "--bad-rows", metavar="CSV", default="", help="Collect there what cannot be answered, instead of stopping."
)
@click.option("--overwrite", is_flag=True, help="Replace files that are there already.")
@trust_option
@json_option
@click.pass_obj
def command(
    session: Session,
    *,
    bundle: str,
    inputs: tuple[str, ...],
    output: str,
    keep: bool,
    bad_rows: str,
    overwrite: bool,
    trust: Path | None,
    as_json: bool,
) -> int:
    """Say how many rows were answered, and where the answers are."""
    asked = Asked(
        bundle=bundle, inputs=inputs, output=output, keep=keep, bad_rows=bad_rows, overwrite=overwrite, trust=trust
    )
    scored = score(session.folder, asked, session.say())
    if as_json:
        emit_json(msgspec.to_builtins(scored))
        return 0
    echo(clean(f"scored: {scored.output}"))
    if scored.bad_rows:
        echo(clean(f"  not answered   {scored.bad_rows:,} rows, listed in {bad_rows}"))
    if scored.unasked:
        echo(clean(f"  left out       {', '.join(scored.unasked)}; --keep writes them too"))
    return 0
