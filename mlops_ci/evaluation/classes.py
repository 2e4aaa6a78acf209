"""The classes of a classification target: text, in one order everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.records.tables import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def classes_of(values: Iterable[str], kind: Kind) -> tuple[str, ...]:
    """The distinct `values`, sorted as their kind is: false before true, numbers by size, all else by code point.

    `values` are the text forms of a column of that kind. Of a binary target the last class is the positive one.
    Raises ValueError for a text that is not a number in a column of numbers.
    """
    return tuple(sorted(set(values), key=_order(kind)))


def _order(kind: Kind) -> Callable[[str], tuple[float, str]]:
    if kind is Kind.INTEGER:
        return lambda text: (int(text), text)
    if kind is Kind.FLOAT:
        return lambda text: (float(text), text)
    # "false" < "true" and ISO dates sort rightly by code point.
    return lambda text: (0.0, text)
