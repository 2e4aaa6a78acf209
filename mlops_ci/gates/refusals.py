"""How a gate is refused: the text, a caret under the place, what was found and what can be written instead."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from mlops_ci.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.records.results import Where

_TYPOGRAPHY = {"−": "-", "–": "-", "≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "“": '"', "”": '"', "„": '"'}


def refusal(text: str, at: int, message: str, advice: str, where: Where | None) -> ConfigError:
    """The error for column `at` (from 0) of the gate `text`, which is shown with a caret below it."""
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return ConfigError(f"{message}\n  {shown}\n  {' ' * at}^", advice, where="" if where is None else str(where))


def typographic(char: str) -> str:
    """`-` for `−`: what a sign from a word processor was meant to be; empty for any other character."""
    return _TYPOGRAPHY.get(char, "")


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean "recall"? ` or nothing."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'did you mean "{found[0]}"? ' if found else ""
