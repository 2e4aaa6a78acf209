"""The benchmark as a table for people, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from bench.verdicts.cells import Cell
from bench.verdicts.rivals import RIVALS
from bench.verdicts.simulate import Rate

HEADER = ("cell", "counted", "mlops-ci", "limits", *RIVALS)
_BEFORE = """# How often a verdict is right

Written by `python -m bench.verdicts --doc`; a part of `make bench`. Every line is a truth that was made, rows drawn
from it {runs:,} times or more, and its gates judged by the judge itself. A line is red when the rate leaves its limits.
Tests run most lines again, and see them go red for judges that are wrong on purpose.

* **counted**: *wrong pass* is a gate that passed and should not; *wrong refusal*, one that failed and should not;
  *right*, one that passed and does hold or failed and does not. What is missing is undecided.
* **new > old**, **new > old + 0.5**: the value that is seen decides, in the second with half a point to spare; without
  a champion, whether it is above the threshold.
* **careless interval**: the usual one at the same confidence. It forgets that both models answer the same rows, that
  the rows of a day are alike, that an AUC near 1 is skewed.
* **row bootstrap**: percentiles of 2,000 resamples of rows.

A difference is that of the accuracy of two models; the champion is right on 80 % of the rows, and one answer in ten
differs. *Many looks at one holdout* is what `holdout: {{guarantee: none}}` does not promise: looks are counted there
and not corrected for. *Many looks under a guarantee* is the same with one; a model that guesses passes wrongly.
*32 decisions with reports* is `{{adaptivity: none, decisions: 32, disclose: full}}`, which leaves out models made by
reading the reports: what their vote does to it stands there too. *32 answers* is
`{{adaptivity: full, decisions: 32, disclose: verdict}}`, *64 answers until one passes* the same for `first_change` and
64 decisions; the other rules are asked there about the rows whose numbers are shown.
"""


def lines(rates: Sequence[Rate]) -> list[str]:
    """A Markdown table."""
    rows = [HEADER, *(_row(rate) for rate in rates)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADER))]
    written = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return [written[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *written[1:]]


def document(rates: dict[str, list[Rate]]) -> str:
    """docs/verdicts.md. rates: by heading."""
    fewest = min(rate.runs for found in rates.values() for rate in found)
    parts = [_BEFORE.format(runs=fewest)]
    for heading, found in rates.items():
        parts += [f"## {heading}\n", "\n".join(lines(found)) + "\n"]
    return "\n".join(parts)


def as_json(rate: Rate) -> dict[str, object]:
    low, high = rate.limits
    return {
        "cell": rate.cell.name,
        "gates": list(rate.cell.gates),
        "counted": rate.counted.meaning,
        "runs": rate.runs,
        "rate": rate.ours,
        "limits": [low, high],
        "holds": rate.holds,
        "rivals": dict(rate.rivals),
    }


def cell_text(cell: Cell) -> str:
    return cell.name.replace("|", "\\|")


def _row(rate: Rate) -> tuple[str, ...]:
    low, high = rate.limits
    ours = f"{rate.ours:.4f}" if rate.ours < 0.1 else f"{rate.ours:.3f}"
    told = f"≤ {high:.3f}" if low == 0.0 else f"{low:.4g} to {high:.4g}"
    rivals = ("" if value is None else f"{value:.3f}" for value in rate.rivals.values())
    return (cell_text(rate.cell), rate.counted.meaning, ours if rate.holds else f"{ours} RED", told, *rivals)
