"""Hostile text made harmless to look at: nothing hidden, nothing that moves other text, nothing endless."""

from __future__ import annotations

import re
import unicodedata

TOGETHER = "\u00a0"
"""A blank at which no line ends."""

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
# Blank, but not by category: fillers that would let two names look alike.
_FILLERS = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800"}
_MOST_MARKS = 3
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|kB|MB|GB|bytes|ms|s|min|h)(?!\w))")


def visible(text: str, most: int = 1000) -> str:
    """`text` on one line with control, format and bidirectional characters shown as ⟨U+202E⟩, at most `most` long.

    Newlines and tabs are shown as ⏎ and ⇥; stacks of combining marks keep the first three.
    """
    shown, marks = [], 0
    for sign in clip(text, most):
        marks = marks + 1 if unicodedata.category(sign).startswith("M") else 0
        if marks <= _MOST_MARKS:
            shown.append(_sign(sign))
    return "".join(shown)


def keep_units(text: str) -> str:
    """Text in which no line ends between a number and its unit."""
    return _BEFORE_UNIT.sub(TOGETHER, text)


def visible_lines(text: str, most_lines: int = 40, most: int = 4000) -> str:
    """Several lines, each made visible; the last ones where there are too many (that is where tracebacks speak)."""
    lines = text[-most:].splitlines()
    kept = [visible(line.expandtabs(4), 400) for line in lines[-most_lines:]]
    if len(text) > most or len(lines) > most_lines:
        kept.insert(0, "…")
    return "\n".join(kept)


def clip(text: str, most: int) -> str:
    """The beginning and end of a text that is too long."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail - 1]}…{text[len(text) - tail :]}"


def _sign(sign: str) -> str:
    if sign in "\r\n\x0b\x0c\u2028\u2029\x85":
        return "⏎"
    if sign == "\t":
        return "⇥"
    if unicodedata.category(sign) in _HIDDEN or sign in _FILLERS:
        return f"⟨U+{ord(sign):04X}⟩"
    return sign
