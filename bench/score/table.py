"""The table and the claims that rest on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench.score.watched import Taken
from bench.score.ways import OURS

_CONSTANT = 1.3
"""How much more memory ten times the rows may take."""
_LEAST = 1_000_000
"""Rows from which a file is larger than what is on its way through the program at once."""
_FLIPPED = 1e-5
"""Share of rows whose label may be another: in 32 bits a score can fall on the other side of a half."""


class Scored(NamedTuple):
    """What came of scoring `part` of the rows; `differing`: how many labels are not ours."""

    name: str
    ending: str
    part: str
    rows: int
    taken: Taken
    differing: int


def line(scored: Scored, ours: Scored | None) -> str:
    """One line of the table, with ratios to `ours`, which had as many rows."""
    taken = scored.taken
    sizes = f"{taken.seconds:7.1f}s {taken.processor:8.1f}s {taken.memory / 1e6:6,.0f} MB"
    told = f"  {scored.name:<24} {scored.rows:>12,}  {sizes}"
    if ours is None:
        return told
    more = "more than " if taken.ended else ""
    rates = f"{taken.seconds / ours.taken.seconds:.1f} x the time, {taken.processor / ours.taken.processor:.1f} x"
    ended = f"; {taken.ended}" if taken.ended else f"; {scored.differing} labels differ"
    return f"{told}   {more}{rates} the processor, {taken.memory / ours.taken.memory:.1f} x the memory{ended}"


def claims(found: Sequence[Scored]) -> list[tuple[str, bool]]:
    """What docs/targets.md says of these numbers, and whether they bear it."""
    told = []
    for ours in (scored for scored in found if scored.name == OURS and scored.part == "rows"):
        for other in (each for each in found if each.name != OURS and each.ending == ours.ending):
            faster = other.taken.seconds > ours.taken.seconds
            told.append((f"{ours.ending}: more rows a second than {other.name}", faster))
            if not other.taken.ended:
                alike = other.differing <= other.rows * _FLIPPED
                told.append((f"{ours.ending}: the labels of {other.name}", alike))
        tenth = next(each for each in found if each.name == OURS and each[1:3] == (ours.ending, "tenth"))
        if tenth.rows >= _LEAST:
            grown = ours.taken.memory / tenth.taken.memory
            words = f"{ours.ending}: {ours.rows:,} rows take {grown:.2f} times the memory of a tenth of them"
            told.append((f"{words} (wanted: at most {_CONSTANT})", grown <= _CONSTANT))
    return told
