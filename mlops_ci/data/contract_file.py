"""data/contract.yaml: read and written. The format is described in docs/checks.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from mlops_ci.config.convert import described, refuse
from mlops_ci.config.yaml import Document, load
from mlops_ci.data.contract_terms import (
    Bound,
    ColumnTerms,
    Contract,
    DuplicateTerms,
    FreshnessTerms,
    NewValues,
    TargetTerms,
)
from mlops_ci.data.times import as_time
from mlops_ci.records.tables import Kind

Path = tuple[str | int, ...]
Reader = Callable[[Document, Any, Path], Any]

EXAMPLE = """version: 1
columns:
  age: {kind: integer, range: [0, 120]}
  plan: {kind: text, missing: 1%, values: [monthly, annual]}
"""
_TOP = (
    "version", "rows", "duplicates", "holdout_copies", "freshness", "other_columns", "target", "columns",
)  # fmt: skip
_SHARE = re.compile(r"\d{1,3}(\.\d+)?([eE]-\d{1,3})?\s*%")
_DAYS = re.compile(r"(\d+(?:\.\d+)?)\s*([hd])")
_NUMERIC = (Kind.INTEGER, Kind.FLOAT)
_TIMES = (Kind.DATE, Kind.TIMESTAMP)


def parse(text: str, *, file: str) -> Contract:
    """The contract in `text`. ConfigError with file, line and key where it cannot be used."""
    document = load(text, file=file, example=EXAMPLE)
    top = _mapping(document, document.value, (), _TOP)
    if top.get("version") != 1:
        at: Path = ("version",) if "version" in top else ()
        refuse(document, at, f"found version {described(top.get('version'))}", "This mlops-ci reads `version: 1`.")
    if not isinstance(top.get("columns"), dict):
        at = ("columns",) if "columns" in top else ()
        refuse(document, at, "there are no columns", f"Allowed: a mapping of columns, for example:\n{EXAMPLE}")
    listed: dict[str, Any] = top["columns"]
    return Contract(
        columns=tuple(_column(document, name, terms) for name, terms in listed.items()),
        rows_at_least=_limit(document, top, "rows", "at_least", _count, 0),
        other_columns=_optional(document, top, "other_columns", (), _new_values, NewValues.WARN),
        duplicates=_duplicates(document, top),
        holdout_copies=_limit(document, top, "holdout_copies", "at_most", _share, None),
        freshness=_freshness(document, top),
        target=_target(document, top),
        places={key: document.where((key,)) for key in top}
        | {f"columns.{name}": document.where(("columns", name)) for name in listed},
    )


def _column(document: Document, name: str, found: Any) -> ColumnTerms:
    path: Path = ("columns", name)
    terms = _mapping(document, found, path, tuple(_COLUMN_KEYS))
    if "kind" not in terms:
        refuse(document, path, "the column has no kind", f"Write one of {', '.join(Kind)}.")
    read = {key: _COLUMN_KEYS[key](document, value, (*path, key)) for key, value in terms.items()}
    kind = read["kind"]
    if "values" in read and kind is not Kind.TEXT:
        refuse(document, (*path, "values"), f"a list of values for a column of kind {kind}", "Use `range`.")
    if "new_values" in read and "values" not in read:
        refuse(document, (*path, "new_values"), "there is no list of values", "Add `values: [...]` or leave it out.")
    if "range" in read:
        _check_range(document, read["range"], kind, (*path, "range"))
    return ColumnTerms(name=name, **read)


def _check_range(document: Document, bounds: tuple[Bound, Bound], kind: Kind, path: Path) -> None:
    if kind not in (*_NUMERIC, *_TIMES):
        refuse(document, path, f"a range for a column of kind {kind}", "A range is for numbers and times.")
    for bound in bounds:
        if bound is None:
            continue
        if kind in _TIMES and (not isinstance(bound, str) or as_time(bound) is None):
            refuse(document, path, f"found {described(bound)}", 'Allowed: a time such as "2024-01-31", or null.')
        if kind in _NUMERIC and not isinstance(bound, int | float):
            refuse(document, path, f"found {described(bound)}", "Allowed: a number, or null for an open side.")
    low, high = (as_time(bound) if isinstance(bound, str) else bound for bound in bounds)
    if low is not None and high is not None and low > high:
        refuse(document, path, f"the range starts at {bounds[0]} and ends at {bounds[1]}", "Put the lower bound first.")


def _duplicates(document: Document, top: dict[str, Any]) -> DuplicateTerms | None:
    if top.get("duplicates") is None:
        return None
    path: Path = ("duplicates",)
    found = _mapping(document, top["duplicates"], path, ("at_most", "apart_from"), needs=("at_most",))
    return DuplicateTerms(
        at_most=_share(document, found["at_most"], (*path, "at_most")),
        apart_from=_optional(document, found, "apart_from", path, _texts, ()),
    )


def _freshness(document: Document, top: dict[str, Any]) -> FreshnessTerms | None:
    if top.get("freshness") is None:
        return None
    path: Path = ("freshness",)
    found = _mapping(document, top["freshness"], path, ("column", "at_most"), needs=("column", "at_most"))
    return FreshnessTerms(
        column=_text(document, found["column"], (*path, "column")),
        at_most_days=_days(document, found["at_most"], (*path, "at_most")),
    )


def _target(document: Document, top: dict[str, Any]) -> TargetTerms | None:
    if top.get("target") is None:
        return None
    path: Path = ("target",)
    keys = ("column", "shares", "tolerance")
    found = _mapping(document, top["target"], path, keys, needs=keys)
    shares = found["shares"]
    if not isinstance(shares, dict):
        refuse(document, (*path, "shares"), f"found {described(shares)}", "Allowed: a mapping, class: share.")
    return TargetTerms(
        column=_text(document, found["column"], (*path, "column")),
        shares=tuple((name, _share(document, value, (*path, "shares", name))) for name, value in shares.items()),
        tolerance=_share(document, found["tolerance"], (*path, "tolerance")),
    )


def _mapping(
    document: Document, found: Any, path: Path, known: tuple[str, ...], *, needs: tuple[str, ...] = ()
) -> dict[str, Any]:
    if not isinstance(found, dict):
        refuse(document, path, f"found {described(found)}", f"Allowed: a mapping with {', '.join(known)}.")
    for key in found:
        if key not in known:
            close = get_close_matches(str(key), known, 1, 0.6)
            advice = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
            refuse(document, (*path, key), f"there is no key {key!r}", advice)
    for key in needs:
        if found.get(key) is None:
            refuse(document, path, f"`{key}` is missing", f"Known here: {', '.join(known)}.")
    return found


def _limit(document: Document, top: dict[str, Any], name: str, key: str, reader: Reader, default: Any) -> Any:
    if top.get(name) is None:
        return default
    found = _mapping(document, top[name], (name,), (key,), needs=(key,))
    return reader(document, found[key], (name, key))


def _optional(document: Document, found: dict[str, Any], key: str, path: Path, reader: Reader, default: Any) -> Any:
    return default if found.get(key) is None else reader(document, found[key], (*path, key))


def _text(document: Document, value: Any, path: Path) -> str:
    if not isinstance(value, str):
        refuse(document, path, f"found {described(value)}", f'Allowed: a text; put it into quotes, "{value}".')
    return value


def _texts(document: Document, value: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        refuse(document, path, f"found {described(value)}", "Allowed: a list of texts, [a, b].")
    return tuple(_text(document, item, (*path, at)) for at, item in enumerate(value))


def _share(document: Document, value: Any, path: Path) -> float:
    share = -1.0
    if isinstance(value, str) and _SHARE.fullmatch(value.strip()):
        share = float(Decimal(value.strip().rstrip("%").strip()).scaleb(-2))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    if not 0 <= share <= 1:
        refuse(document, path, f"found {described(value)}", "Allowed: a share from 0% to 100%, such as 2% or 0.02.")
    return share


def _count(document: Document, value: Any, path: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        refuse(document, path, f"found {described(value)}", "Allowed: a whole number of rows.")
    return value


def _days(document: Document, value: Any, path: Path) -> float:
    match = _DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        refuse(document, path, f"found {described(value)}", "Allowed: a duration such as 36h or 45d.")
    return float(match[1]) / (24 if match[2] == "h" else 1)


def _one_of(*words: str) -> Reader:
    def read(document: Document, value: Any, path: Path) -> str:
        if value not in words:
            refuse(document, path, f"found {described(value)}", f"Allowed: {' | '.join(words)}.")
        return str(value)

    return read


def _flag(document: Document, value: Any, path: Path) -> bool:
    if not isinstance(value, bool):
        refuse(document, path, f"found {described(value)}", "Allowed: true | false.")
    return value


def _range(document: Document, value: Any, path: Path) -> tuple[Bound, Bound]:
    if not isinstance(value, list) or len(value) != 2:
        refuse(document, path, f"found {described(value)}", "Allowed: two bounds, [low, high]; null leaves one open.")
    return value[0], value[1]


def _kind(document: Document, value: Any, path: Path) -> Kind:
    return Kind(_one_of(*Kind)(document, value, path))


def _new_values(document: Document, value: Any, path: Path) -> NewValues:
    return NewValues(_one_of(*NewValues)(document, value, path))


def _word(word: str) -> Reader:
    def read(document: Document, value: Any, path: Path) -> bool:
        return bool(_one_of(word)(document, value, path))

    return read


_COLUMN_KEYS: dict[str, Reader] = {
    "kind": _kind,
    "optional": _flag,
    "missing": _share,
    "range": _range,
    "values": _texts,
    "new_values": _new_values,
    "unique": _flag,
    "infinite": _word("allow"),
    "predicts_target": _word("expected"),
}
