"""The command `python -m bench.verdicts [--json | --doc | --coverage]`; exit code 1 where a rate leaves its limits."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bench.verdicts import catalog, grid, table
from bench.verdicts.coverage import LEVELS, Missed, missed
from bench.verdicts.rivals import RIVALS
from bench.verdicts.simulate import Rate, simulate


def main(arguments: Sequence[str] = ()) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.verdicts", description=__doc__)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document")
    form.add_argument("--doc", action="store_true", help="docs/verdicts.md")
    form.add_argument("--coverage", action="store_true", help="the large grid of bounds instead: a quarter of an hour")
    chosen = parser.parse_args(arguments)
    if chosen.coverage:
        return _coverage()
    rates: dict[str, list[Rate]] = {}
    for heading, cells in catalog.sections().items():
        rates[heading] = []
        for cell in cells:
            print(cell.name, file=sys.stderr)
            rates[heading] += simulate(cell, rivals=RIVALS)
    found = [rate for of_heading in rates.values() for rate in of_heading]
    if chosen.json:
        print(json.dumps({"verdicts": [table.as_json(rate) for rate in found]}, indent=1))
    elif chosen.doc:
        print(table.document(rates), end="")
    else:
        print("\n".join(table.lines(found)))
    red = [rate for rate in found if not rate.holds]
    print(f"{len(found)} rates, {len(red)} outside their limits", file=sys.stderr)
    return 1 if red else 0


def _coverage() -> int:
    """Of a thousand rates one leaves its limits by chance: what is red is drawn anew, four times as often."""
    red = 0
    for truth in grid.large():
        found = missed(truth)
        if found.too_often():
            print(_coverage_line(found), flush=True)
            found = missed(truth, runs=4 * truth.runs, again=1)
        print(_coverage_line(found), flush=True)
        red += bool(found.too_often())
    return 1 if red else 0


def _coverage_line(found: Missed) -> str:
    shares = "  ".join(f"{1 - alpha:.0%} {found.shares[0, alpha]:.4f} {found.shares[1, alpha]:.4f}" for alpha in LEVELS)
    without = f"none {found.without:.2f}" if found.without else ""
    told = "; ".join(found.too_often())
    return f"{found.truth.name:<80} {found.runs:>6,}  {shares}  {without:<9}  {told and f'RED {told}'}".rstrip()
