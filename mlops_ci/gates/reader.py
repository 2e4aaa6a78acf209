"""From the tree of a gate's text to the Gate, or a ConfigError with a caret under what makes no sense."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mlops_ci.gates.facts import FACTS
from mlops_ci.gates.gate import Comparison, Gate, Term, TermKind, Undecided, Whose
from mlops_ci.gates.refusals import nearest, refusal

if TYPE_CHECKING:
    from lark import Token, Tree

    from mlops_ci.records.results import Where

_SCALES = {"%": (1, 100), "ms": (1, 1000), "s": (1, 1), "min": (60, 1)} | {
    "B": (1, 1),
    "kB": (10**3, 1),
    "KB": (10**3, 1),
    "MB": (10**6, 1),
    "GB": (10**9, 1),
}
_SHORT = {"n": ("accuracy", Whose.CANDIDATE), "o": ("accuracy", Whose.CHAMPION)}
_RIVALS = {"champion.": Whose.CHAMPION, "anchor.": Whose.ANCHOR}
_MIRRORED: dict[str, Comparison] = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}


class _Sum:
    """Terms and a constant, exact: 0.8 + 0.03 is 0.83."""

    def __init__(self) -> None:
        self.terms: list[tuple[Fraction, Term]] = []
        self.constant = Fraction(0)

    def minus(self, other: _Sum) -> _Sum:
        result = _Sum()
        result.terms = self.terms + [(-factor, term) for factor, term in other.terms]
        result.constant = self.constant - other.constant
        return result


class Reader:
    """Turns the tree of one text into a Gate; knows the text to point into it."""

    def __init__(self, text: str, where: Where | None) -> None:
        self.text = text
        self.where = where

    def refuse(self, at: int, message: str, advice: str) -> Exception:
        return refusal(self.text, at, message, advice, self.where)

    def gate(self, tree: Tree[Token], name: str, when_undecided: Undecided) -> Gate:
        parts: list[Any] = tree.children
        left_tree, comparison, right_tree, plus_minus, tolerance, confidence = parts
        left, right = self.sum(left_tree), self.sum(right_tree)
        sign: Comparison = comparison.value
        if not left.terms:
            left, right, sign = right, left, _MIRRORED[sign]
        whole = left.minus(right)
        if not whole.terms:
            raise self.refuse(0, "a gate without a metric or a fact", "write something like accuracy >= 0.84")
        self.one_rival([term for _, term in whole.terms])
        return Gate(
            text=self.text,
            name=name or self.text,
            comparison=sign,
            terms=tuple(replace(term, coefficient=float(factor)) for factor, term in whole.terms),
            threshold=float(-whole.constant),
            confidence=None if confidence is None else self.confidence(confidence),
            tolerance=None if tolerance is None else self.tolerance(plus_minus, tolerance, confidence),
            when_undecided=when_undecided,
            where=self.where,
        )

    def one_rival(self, terms: list[Term]) -> None:
        """The champion minus the anchor says nothing of the candidate, and two rivals are two questions."""
        compared = [term for term in terms if term.against]
        other = next((term for term in compared if term.against is not compared[0].against), None)
        if other is not None:
            advice = "compare the candidate with one of them in each gate: accuracy - anchor.accuracy > -0.02 @ 95%"
            raise self.refuse(other.at, "a gate against the champion and the anchor", advice)

    def sum(self, tree: Tree[Token]) -> _Sum:
        total = _Sum()
        sign = 1
        for child in tree.children:
            if child is None:
                continue
            if not hasattr(child, "children"):
                sign = -1 if child == "-" else 1
                continue
            factor, term = self.product(child)
            if term is None:
                total.constant += sign * factor
            else:
                total.terms.append((sign * factor, term))
        return total

    def product(self, tree: Any) -> tuple[Fraction, Term | None]:
        factor, found = Fraction(1), None
        for child in tree.children:
            if child.data == "quantity":
                factor *= self.quantity(child)
                continue
            term = self.over_slices(child) if child.data == "over_slices" else self.reference(child)
            if found is not None:
                raise self.refuse(
                    term.at, "two names multiplied", "multiply a name with a number: 1.05 * champion.recall"
                )
            found = term
        return factor, found

    def quantity(self, tree: Any) -> Fraction:
        number, unit = tree.children
        return self.scaled(number, unit)

    def scaled(self, number: Token, unit: Token | None) -> Fraction:
        value = Fraction(number.replace("_", ""))
        if unit is None:
            return value
        if unit not in _SCALES:
            advice = f"{nearest(unit, _SCALES)}allowed: {', '.join(_SCALES)}"
            raise self.refuse(unit.start_pos or 0, f'"{unit}" is not a unit', advice)
        return value * Fraction(*_SCALES[str(unit)])

    def tolerance(self, plus_minus: Token, tree: Any, confidence: Any) -> float:
        sign, number, unit = tree.children
        value = self.scaled(number, unit)
        at = number.start_pos if sign is None else sign.start_pos
        if sign == "-" or value <= 0:
            raise self.refuse(at, "a tolerance must be above 0", "write how far off is still right: +/- 0.01")
        if value >= 1:
            raise self.refuse(at, f"a tolerance of {float(value):g} allows anything", "write +/- 0.01, or +/- 1%")
        if confidence is None:
            advice = "name the reliability: +/- 0.01 @ 99.9%"
            raise self.refuse(plus_minus.start_pos or 0, "a tolerance without a reliability", advice)
        return float(value)

    def confidence(self, tree: Any) -> float:
        value, at = self.quantity(tree), tree.children[0].start_pos
        if tree.children[1] is not None and tree.children[1] != "%":
            raise self.refuse(tree.children[1].start_pos, "a confidence has no unit but %", "write @ 95%")
        if value > 1:
            raise self.refuse(at, f"a confidence of {float(value):g} is above 1", f"write @ {float(value):g}%")
        if value == 1:
            raise self.refuse(at, "no number of rows gives a confidence of 100 %", "write @ 99%, or leave it out")
        if value <= Fraction(1, 2):
            raise self.refuse(at, "a confidence must be above 50 %", "write @ 95%, or leave it out")
        return float(value)

    def reference(self, tree: Any) -> Term:
        name, clip, column, value = tree.children
        at = name.start_pos
        by, of = ("", "") if column is None else (self.word(column), self.word(value))
        if name == "d":
            if clip is not None:
                raise self.refuse(at, '"d" is a share and has no losses', "write it without (clip=...)")
            return Term(kind=TermKind.CHANGED, name="d", column=by, value=of, at=at)
        plain, whose = self.named(name)
        is_fact = whose is Whose.CANDIDATE and (plain in FACTS or "." in plain)
        if is_fact and clip is not None:
            raise self.refuse(at, f'"{plain}" is a fact and has no losses', "write it without (clip=...)")
        if is_fact and column is not None:
            raise self.refuse(at, f'"{plain}" is a fact and has no slices', "write it without [...]")
        return Term(
            kind=TermKind.FACT if is_fact else TermKind.METRIC,
            name=plain,
            whose=whose,
            column=by,
            value=of,
            clip=self.clip(clip),
            at=at,
        )

    def named(self, name: Token) -> tuple[str, Whose]:
        """The metric or fact a name stands for, and whose it is; n and o are ease.ml/ci's."""
        if name in _SHORT:
            return _SHORT[str(name)]
        prefix = next((prefix for prefix in _RIVALS if name.startswith(prefix)), "")
        plain = str(name).removeprefix(prefix)
        if prefix and plain in {*_SHORT, "d"}:
            advice = "n is the candidate's accuracy, o the champion's, d the share of predictions that differ"
            raise self.refuse(name.start_pos or 0, f'"{name}" is no name', advice)
        return plain, _RIVALS.get(prefix, Whose.CANDIDATE)

    def over_slices(self, tree: Any) -> Term:
        what, name, clip, column, least = tree.children
        plain, whose = self.named(name)
        if column is None:
            raise self.refuse(
                name.end_pos, f"{what}(...) without a column", f"write {what}({name}, by=COLUMN, min_rows=100)"
            )
        return Term(
            kind=TermKind(str(what)),
            name=plain,
            whose=whose,
            column=self.word(column),
            min_rows=1 if least is None else self.rows(least),
            clip=self.clip(clip),
            at=name.start_pos,
        )

    def clip(self, tree: Any) -> float | None:
        if tree is None:
            return None
        value = float(self.quantity(tree.children[0]))
        if value <= 0:
            raise self.refuse(tree.children[0].children[0].start_pos, f"a clip of {value:g}", "a number above 0")
        return value

    def rows(self, number: Token) -> int:
        rows = Fraction(number.replace("_", ""))
        if rows.denominator != 1 or rows < 1:
            raise self.refuse(number.start_pos or 0, f"min_rows of {number}", "a whole number from 1")
        return int(rows)

    def word(self, tree: Any) -> str:
        token = str(tree.children[0])
        return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token
