"""`mlops-ci rows`: the rows behind a gate, a slice or a change."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from shutil import get_terminal_size

import click

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode, UsageError
from mlops_ci.flows.rows import rows
from mlops_ci.steps.rows import RowList, Selection

_SHOWN = 20
_WIDEST = 24


@click.command(help="Which held-out rows are behind a decision: the last one here, or by the beginning of its id.")
@click.argument("decision", default="")
@click.option("--gate", type=int, metavar="N", help="What gate N of the report counts against this commit.")
@click.option("--slice", "slice_", metavar="COLUMN=VALUE", help="Predicted wrong in this slice.")
@click.option("--flipped", type=click.Choice(["worse", "better"]), help="Became wrong, or became right.")
@click.option("--holdout", "everything", is_flag=True, help="All held-out rows.")
@click.option("--csv", "into", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write them all.")
@json_option
@click.pass_obj
def command(
    session: Session,
    *,
    decision: str,
    gate: int | None,
    slice_: str | None,
    flipped: str | None,
    everything: bool,
    into: Path | None,
    as_json: bool,
) -> int:
    """Print the first rows, or write all."""
    if sum(bool(one) for one in (gate is not None, slice_, flipped, everything)) > 1:
        raise UsageError("--gate, --slice, --flipped and --holdout each select rows", "Give one of them.")
    selection = Selection(gate=gate, slice=slice_, flipped=flipped, everything=everything)
    found = rows(session.folder, decision, selection, into=into)
    if as_json:
        emit_json({"about": found.about, "columns": found.columns, "rows": found.rows})
    elif into is not None:
        echo(clean(f"{len(found.rows):,} rows ({found.about}) written to {into}"))
    else:
        _print(found)
    return ExitCode.PASSED


def _print(found: RowList) -> None:
    """As many rows and columns as a screen shows well."""
    shown = [found.columns, *found.rows[:_SHOWN]]
    cells = [[clean(cell).replace("\n", " ")[:_WIDEST] for cell in row] for row in shown]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    columns = sum(end <= get_terminal_size().columns for end in accumulate(width + 2 for width in widths))
    for row in cells:
        echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row[:columns], widths, strict=False)).rstrip())
    cut = len(found.rows) > _SHOWN or columns < len(widths)
    echo(f"{len(found.rows):,} rows: {clean(found.about)}" + ("; --csv FILE writes everything" if cut else ""))
