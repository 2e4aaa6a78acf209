"""README.md of the branch: the last decisions and how they went, derived from what the branch holds."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_ci.ledger.history import HistoryRow

ROWS = 50
_ABOUT = (
    "Written by mlops-ci at every decision; changes made by hand are overwritten. Each line leads to its report. "
    "`mlops-ci history` lists all of them, `mlops-ci report ID` shows one."
)
_TREND = 20
_LONGEST = 80
_SIGNS = {"passed": "✓", "released": "✓", "promoted": "✓", "failed": "✗", "undecided": "?", "errored": "!"}
_WORDS = {"failed": "refused", "errored": "could not be judged"}
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def page(rows: Sequence[HistoryRow]) -> str:
    """Markdown; `rows` newest first, the first 50 are shown. The same rows give the same text."""
    shown = rows[:ROWS]
    lines = [
        "# Decisions",
        "",
        _ABOUT,
        "",
        *_trends(shown),
        "| decision | project | outcome | why | commit | committed | trust |",
        "|---|---|---|---|---|---|---|",
        *(_line(row) for row in shown),
    ]
    return "\n".join(lines) + "\n"


def _trends(rows: Iterable[HistoryRow]) -> Iterable[str]:
    outcomes: dict[str, list[str]] = {}
    for row in rows:
        if row.kind == "check":
            outcomes.setdefault(row.project, []).append(row.outcome)
    for project, found in sorted(outcomes.items()):
        signs = "".join(_SIGNS.get(outcome, "·") for outcome in reversed(found[:_TREND]))
        last, passed = len(found[:_TREND]), found[:_TREND].count("passed")
        yield f"{_cell(project)}: {signs} ({passed} of the last {last} checks passed, newest on the right)"
        yield ""


def _line(row: HistoryRow) -> str:
    cells = (
        f"[{row.id[:8]}]({row.path}/report.md)",
        _cell(row.project),
        f"{_SIGNS.get(row.word, '·')} {_cell(_WORDS.get(row.word, row.word))}",
        _cell(row.verdict),
        _cell(f"{row.commit[:7]} {row.title}"),
        _cell(row.time[:16].replace("T", " ")),
        _cell(row.trust),
    )
    return "| " + " | ".join(cells) + " |"


def _cell(text: str) -> str:
    """Text that stays text in a table of GitHub's Markdown: one line, nothing that hides or reorders, marks escaped."""
    visible = "".join(" " if unicodedata.category(sign) in _HIDDEN else sign for sign in text)
    short = visible if len(visible) <= _LONGEST else visible[: _LONGEST - 1] + "…"
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(short.split()))
