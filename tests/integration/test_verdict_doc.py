"""docs/verdicts.md is what the benchmark gives: run again with fewer rows, each rate is there within chance."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest

from bench.verdicts import catalog, command, table
from bench.verdicts.cells import Cell
from bench.verdicts.simulate import simulate

DOC = Path(__file__).parents[2] / "docs" / "verdicts.md"
CELLS = [cell for cells in catalog.sections().values() for cell in cells]
SLOW = re.compile(r"50,000 rows|answers|a row added")
"""Of these the other tests run what matters."""


def _written() -> dict[tuple[str, str], float]:
    """Rate by cell and what is counted."""
    found = {}
    for line in DOC.read_text().splitlines():
        parts = [part.strip() for part in line.strip("|").split(" | ")]
        if len(parts) >= 4 and re.fullmatch(r"[\d.]+", parts[2]):
            found[parts[0], parts[1]] = float(parts[2])
    return found


def test_the_doc_has_every_rate_and_none_is_red() -> None:
    expected = {(table.cell_text(cell), counted.meaning) for cell in CELLS for counted in cell.counted}
    assert set(_written()) == expected
    for cell in CELLS:
        for counted in cell.counted:
            low, high = counted.limits
            assert low <= _written()[table.cell_text(cell), counted.meaning] <= high


@pytest.mark.parametrize("cell", [cell for cell in CELLS if not SLOW.search(cell.name)], ids=lambda cell: cell.name)
def test_a_rate_in_the_doc_is_what_a_shorter_run_gives(cell: Cell) -> None:
    runs = max(cell.runs // 10, 100)
    for rate in simulate(cell, runs=runs):
        told = _written()[table.cell_text(cell), rate.counted.meaning]
        assert rate.ours == pytest.approx(told, abs=4.0 * sqrt(max(told * (1.0 - told), 0.002) / runs))


def test_the_command_gives_json_and_fails_where_a_rate_is_red(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = catalog.rare_harm()[0]
    impossible = replace(cell, counted=(replace(cell.counted[0], limits=(0.4, 0.6)),))
    for shown, code in ((cell, 0), (impossible, 1)):
        monkeypatch.setattr(catalog, "sections", lambda shown=shown: {"Harm": [shown]})
        assert command.main(["--json"]) == code
        (found,) = json.loads(capsys.readouterr().out)["verdicts"]
        assert (found["cell"], found["counted"], found["holds"]) == (cell.name, "wrong pass", code == 0)
        assert found["rivals"]["row bootstrap"] == pytest.approx(0.3, abs=0.04)
