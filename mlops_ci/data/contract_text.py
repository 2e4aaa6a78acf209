"""A contract as YAML that people like to read and own."""

from __future__ import annotations

import json
import re
from decimal import Decimal

from mlops_ci.data.contract_terms import Bound, ColumnTerms, Contract, NewValues

HEAD = """# The data contract: what every snapshot of this project must satisfy. It was inferred once; now it is yours.
# A change to it is reviewed like code. Shares are per column; a range is [low, high], null leaves a side open.
"""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_UNPRINTABLE = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\u2028|\u2029|\ufeff")
_COMMENT_COLUMN = 80


def write(contract: Contract) -> str:
    """The file's text: `parse(write(contract)) == contract`."""
    notes = dict(contract.notes)
    lines = ["version: 1", *_table_lines(contract, notes), "columns:"]
    lines += [_with_note(f"  {_column(terms)}", notes.get(f"columns.{terms.name}", "")) for terms in contract.columns]
    if not contract.columns:
        lines[-1] = "columns: {}"
    return HEAD + "\n".join(lines) + "\n"


def _table_lines(contract: Contract, notes: dict[str, str]) -> list[str]:
    lines = [
        ("rows", f"rows: {{at_least: {contract.rows_at_least}}}"),
        ("other_columns", f"other_columns: {contract.other_columns}"),
    ]
    if terms := contract.duplicates:
        apart = f", apart_from: {_list(terms.apart_from)}" if terms.apart_from else ""
        lines.append(("duplicates", f"duplicates: {{at_most: {share(terms.at_most)}{apart}}}"))
    if contract.holdout_copies is not None:
        lines.append(("holdout_copies", f"holdout_copies: {{at_most: {share(contract.holdout_copies)}}}"))
    if fresh := contract.freshness:
        days = _number(fresh.at_most_days)
        lines.append(("freshness", f"freshness: {{column: {_text(fresh.column)}, at_most: {days}d}}"))
    if target := contract.target:
        shares = ", ".join(f"{_text(name)}: {share(value)}" for name, value in target.shares)
        column, tolerance = _text(target.column), share(target.tolerance)
        lines.append(("target", f"target: {{column: {column}, shares: {{{shares}}}, tolerance: {tolerance}}}"))
    return [_with_note(line, notes.get(key, "")) for key, line in lines]


def _column(terms: ColumnTerms) -> str:
    parts = [f"kind: {terms.kind}"]
    if terms.optional:
        parts.append("optional: true")
    parts.append(f"missing: {share(terms.missing)}")
    if terms.range is not None:
        parts.append(f"range: [{_bound(terms.range[0])}, {_bound(terms.range[1])}]")
    if terms.values is not None:
        parts.append(f"values: {_list(terms.values)}")
        if terms.new_values is not NewValues.FORBID:
            parts.append(f"new_values: {terms.new_values}")
    if terms.unique:
        parts.append("unique: true")
    if terms.infinite:
        parts.append("infinite: allow")
    if terms.predicts_target:
        parts.append("predicts_target: expected")
    return f"{_text(terms.name)}: {{{', '.join(parts)}}}"


def share(value: float) -> str:
    """A share as percent, exact: 0.005 is `0.5%`."""
    text = format(Decimal(repr(float(value))).scaleb(2), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def _bound(bound: Bound) -> str:
    if bound is None:
        return "null"
    return _text(bound, quoted=True) if isinstance(bound, str) else _number(bound)


def _number(value: float) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _list(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(_text(text) for text in texts)}]"


def _text(text: str, *, quoted: bool = False) -> str:
    if not quoted and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return _UNPRINTABLE.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02X}" if code < 256 else f"\\u{code:04X}" if code < 65536 else f"\\U{code:08X}"


def _with_note(line: str, note: str) -> str:
    """The note behind the line; a line too long for that keeps it two spaces away."""
    if not note:
        return line
    plain = _UNPRINTABLE.sub("?", note)
    return f"{line.ljust(_COMMENT_COLUMN - 2)}  # {plain}"
