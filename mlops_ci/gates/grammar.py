"""The language of gates: text in, Gate out, or a ConfigError with a caret under what cannot be read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mlops_ci.gates.reader import Reader
from mlops_ci.gates.refusals import refusal, typographic

if TYPE_CHECKING:
    from lark import Lark, Token, Tree
    from lark.exceptions import UnexpectedInput

    from mlops_ci.gates.gate import Gate, Undecided
    from mlops_ci.records.results import Where

GRAMMAR = r"""
start: expression COMPARISON expression [TOLERANCE tolerance] ["@" confidence]
expression: [SIGN] product (SIGN product)*
product: factor ("*" factor)*
?factor: quantity | reference | over_slices
quantity: NUMBER [UNIT]
reference: NAME [clip] ["[" word "=" word "]"]
clip: "(" "clip" "=" quantity ")"
over_slices: OVER_SLICES "(" NAME [clip] ["," "by" "=" word] ["," "min_rows" "=" NUMBER] ")"
tolerance: [SIGN] NUMBER [UNIT]
confidence: NUMBER [UNIT]
word: WORD | QUOTED

COMPARISON: ">=" | "<=" | "==" | "!=" | ">" | "<"
SIGN: "+" | "-"
TOLERANCE.1: /\+\s*\/\s*-|±/
OVER_SLICES.1: /(worst|gap)(?=\s*\()/
NUMBER: /(\d[\d_]*(\.\d+)?|\.\d+)([eE][+-]?\d+)?/
UNIT: /%|[^\W\d]+/
NAME: /[^\W\d]\w*(\.[^\W\d]\w*)*/
WORD: /[^\s"\[\](),=]+/
QUOTED: /"(\\.|[^"\\])*"/
%ignore /[ \t]+/
"""

LONGEST = 500
_TURNED = {"=>": ">=", "=<": "<="}
_WORDS = {
    "COMPARISON": "a comparison (> >= < <= == !=)",
    "SIGN": "+ or -",
    "NUMBER": "a number",
    "UNIT": "a unit (% ms s MB)",
    "NAME": "the name of a metric or a fact",
    "WORD": "a column or value",
    "QUOTED": 'text in "quotes"',
    "OVER_SLICES": "worst(...) or gap(...)",
    "TOLERANCE": "+/- and a tolerance",
    "AT": "@ and a confidence",
    "STAR": "*",
    "LSQB": "[column=value]",
    "RSQB": "]",
    "LPAR": "(",
    "RPAR": ")",
    "EQUAL": "=",
    "COMMA": ",",
    "BY": "by=COLUMN",
    "MIN_ROWS": "min_rows=NUMBER",
    "CLIP": "clip=NUMBER",
    "$END": "the end",
}


def parse(text: str, *, name: str = "", when_undecided: Undecided = "refuse", where: Where | None = None) -> Gate:
    """The gate of that text; `name` is what reports call it, left out the text.

    Raises ConfigError for what cannot be read or is not yet built. Whether metrics and columns exist: validate.py.
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise refusal(text[:60] + "…", 60, f"a gate of {len(text):,} characters", f"at most {LONGEST} are read", where)
    return Reader(text, where).gate(_tree(text, where), name, when_undecided)


@cache
def _parser() -> Lark:
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=True)


def _tree(text: str, where: Where | None) -> Tree[Token]:
    from lark.exceptions import UnexpectedInput

    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        raise _unexpected(text, where, error) from None


def _unexpected(text: str, where: Where | None, error: UnexpectedInput) -> Exception:
    token = getattr(error, "token", None)
    ended = token is not None and token.type == "$END"
    at = len(text.rstrip()) if ended else int(error.pos_in_stream or 0)
    found = text[at] if token is None else str(token)
    expected = getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", ())
    allowed = "allowed here: " + ", ".join(
        sorted(_WORDS[terminal] for terminal in expected or () if terminal in _WORDS)
    )
    if meant := _TURNED.get(text[at : at + 2]):
        return refusal(text, at, f'cannot read "{text[at : at + 2]}"', f"write {meant}", where)
    if meant := typographic(found[:1]):
        return refusal(text, at, f'cannot read "{found[0]}"', f"write {meant}", where)
    what = "the gate ends too early" if ended else f"cannot read {found!r} here"
    return refusal(text, at, what, allowed, where)
