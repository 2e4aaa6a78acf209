"""The command `python -m bench.verdicts [--json | --doc]`; exit code 1 where a rate is outside its limits."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bench.verdicts import catalog, table
from bench.verdicts.rivals import RIVALS
from bench.verdicts.simulate import Rate, simulate


def main(arguments: Sequence[str] = ()) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.verdicts", description=__doc__)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document")
    form.add_argument("--doc", action="store_true", help="docs/verdicts.md")
    chosen = parser.parse_args(arguments)
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
