"""Golden requests: rows like those of the holdout, none of them of the data, with what the judged model answered.

Each column is drawn by itself from held-out rows, so that no row of the data is in a bundle. Of more candidates than
are kept those are taken whose answers lie farthest from the edges of the rounding: the fingerprint is then the same
wherever the model behaves the same, also where sums are rounded differently.
"""

from __future__ import annotations

import hashlib
from math import floor, isclose, log10
from typing import TYPE_CHECKING, cast

import msgspec
import numpy as np

from mlops_ci.packaging.cells import cells
from mlops_ci.records.bundles import Cell, Golden
from mlops_ci.records.canonical import digest
from mlops_ci.records.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CANDIDATES = 128
KEPT = 32
_PROBABILITY = 1e-3
_FARTHEST = 2.0**53
"""Quanta from 0: what lies farther has no canonical JSON form."""


def draws(features: Table, seed: str) -> dict[str, NDArray[np.int64]]:
    """Column -> the rows its candidates are taken from, shape (CANDIDATES,). seed: whatever names the data.

    A column with missing values has one in at least one candidate.
    """
    return {column.name: _places(column, features.rows, seed) for column in features.columns}


def golden(asked: Table, answers: Mapping[str, Sequence[Cell]], *, tolerance: float, spread: float | None) -> Golden:
    """The rows to keep, with their answers.

    spread: the standard deviation of what a regression answers, in its unit; None for classification.
    """
    quantum = _PROBABILITY if spread is None else 10.0 ** floor(log10(spread or 1.0)) * _PROBABILITY
    kept = np.sort(np.argsort(-_from_an_edge(answers, quantum, asked.rows), kind="stable")[:KEPT])
    found: dict[str, tuple[Cell, ...]] = {name: tuple(values[row] for row in kept) for name, values in answers.items()}
    columns = [cells(column, kept) for column in asked.columns]
    made = Golden(
        version=1,
        columns=asked.names,
        rows=tuple(zip(*columns, strict=True)),
        answers=found,
        tolerance=tolerance,
        quantum=quantum,
        fingerprint="",
    )
    return msgspec.structs.replace(made, fingerprint=fingerprint(found, quantum))


def fingerprint(answers: Mapping[str, Sequence[Cell]], quantum: float) -> str:
    """sha256 over the answers, numbers as whole multiples of `quantum`."""
    return digest(
        {
            name: [_rounded(value, quantum) if isinstance(value, float) else value for value in values]
            for name, values in answers.items()
        }
    )


def unlike(golden: Golden, found: Sequence[Mapping[str, object]]) -> str:
    """Why answers to the golden rows, each output -> value, are not those of the judged model; empty where they are.

    Numbers may be apart by the tolerance, of their size beyond 1; all else is the same. A boolean is no number.
    """
    if len(found) != len(golden.rows):
        return f"it answers {len(found)} of {len(golden.rows)} rows"
    for output, expected in golden.answers.items():
        for row, (answer, value) in enumerate(zip(found, expected, strict=True)):
            if not _equal(answer.get(output), value, golden.tolerance):
                return f"{output} of golden row {row} is {answer.get(output)!r}; the judged model says {value!r}"
    answers = {
        output: [_like(answer[output], value) for answer, value in zip(found, expected, strict=True)]
        for output, expected in golden.answers.items()
    }
    if (behaves := fingerprint(answers, golden.quantum)) != golden.fingerprint:
        return f"its answers have another fingerprint: {behaves[:12]}, not {golden.fingerprint[:12]}"
    return ""


def _equal(found: object, expected: object, tolerance: float) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (found, expected))
    if not numbers:
        return type(found) is type(expected) and found == expected
    try:
        return isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)  # type: ignore[arg-type]
    except OverflowError:  # a whole number that no float can hold
        return False


def _like(answer: object, judged: Cell) -> Cell:
    """JSON knows one kind of number: what passes it on may make 1 of 1.0."""
    return float(answer) if isinstance(judged, float) else cast("Cell", answer)  # type: ignore[arg-type]


def _rounded(value: float, quantum: float) -> int:
    return round(max(-_FARTHEST, min(_FARTHEST, value / quantum)))


def _from_an_edge(answers: Mapping[str, Sequence[Cell]], quantum: float, rows: int) -> NDArray[np.float64]:
    """How far the nearest of a row's numbers is from where rounding turns, in quanta; shape (rows,)."""
    nearest = np.full(rows, 0.5)
    for values in answers.values():
        if values and all(isinstance(value, float) for value in values):
            nearest = np.minimum(nearest, np.abs(np.asarray(values, dtype=np.float64) / quantum % 1.0 - 0.5))
    return nearest


def _places(column: Column, rows: int, seed: str) -> NDArray[np.int64]:
    places = np.array([_place(seed, column.name, row, rows) for row in range(CANDIDATES)], dtype=np.int64)
    if column.missing is not None and column.missing.any():
        places[_place(seed, column.name, CANDIDATES, CANDIDATES)] = np.flatnonzero(column.missing)[0]
    return places


def _place(seed: str, name: str, row: int, below: int) -> int:
    """A number below `below`, by digest: no generator's stream has to stay the same for the bundle to."""
    drawn = hashlib.sha256(f"{seed}\0{name}\0{row}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(drawn[:8], "big") % below
