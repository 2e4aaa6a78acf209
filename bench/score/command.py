"""The command `python -m bench.score [--rows N]`; exit code 1 where a claim does not hold.

The same model and the same rows, each peer in an environment of its own, one after the other in one run. Ratios carry
over to other machines better than seconds do.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.score import table
from bench.score.answers import differing
from bench.score.material import Material, write
from bench.score.watched import watched
from bench.score.ways import OURS, Way, ours, peers


def main(arguments: Sequence[str] = ()) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.score", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the whole files (1,000,000)")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds a peer may take; then it is stopped (600)")
    parser.add_argument("--folder", type=Path, help="where files are written for as long as it runs")
    parser.add_argument("--only", default="", help="the peers that begin so, and ours")
    chosen = parser.parse_args(arguments)
    found: list[table.Scored] = []
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        material = write(Path(name), chosen.rows)
        few = Way(OURS, "csv", "few", ours(material, "csv", "few"))
        watched(few.command, limit=chosen.limit)  # its environments are made
        print(f"{'':<26} {'rows':>12}  {'clock':>8} {'processor':>9} {'memory':>9}   of ours")
        for ending in ("parquet", "csv"):
            found += _scored(material, ending, chosen)
    told = table.claims(found)
    print("\n".join(f"{'holds' if holds else 'DOES NOT HOLD'}: {text}" for text, holds in told))
    return 0 if all(holds for _, holds in told) else 1


def _scored(material: Material, ending: str, chosen: argparse.Namespace) -> list[table.Scored]:
    """A tenth of the rows and all of them by ours, then all of them by every peer."""
    ways = [Way(OURS, ending, part, ours(material, ending, part)) for part in ("tenth", "rows")]
    ways += [way for way in peers(material, ending) if way.name.startswith((OURS, chosen.only))]
    found: list[table.Scored] = []
    print(ending)
    for way in ways:
        taken = watched(way.command, limit=chosen.limit)
        whole = next((each for each in found if each.part == "rows"), None)
        wrong = differing(material, way, ways[1]) if whole and not taken.ended else 0
        found.append(table.Scored(way.name, ending, way.part, material.rows[way.part], taken, wrong))
        print(table.line(found[-1], whole), flush=True)
    return found
