"""Categories that training has not seen

A text value that no training row has is a guess for the model. Some are expected: a column with many rare values
always has more to show, about as many as were seen once (Good and Turing). More than that is a change.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.checks.answers import capped, failed, passed, rows_text, skipped
from mlops_ci.data.canonical import missing
from mlops_ci.data.contract_answer import named
from mlops_ci.records.tables import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "new_categories"
SHARE = 0.01
LEAST_ROWS = 5


def run(facts: DataFacts) -> Iterable[Result]:
    """Advisory, of text features: held-out rows against training rows, and now against the base."""
    columns = [facts.table.column(name) for name in facts.features if facts.table.column(name).kind is Kind.TEXT]
    if not columns:
        yield skipped(_NAME, "no text columns among the features")
        return
    asked = [finding(facts, column) for finding in (_in_holdout, _since_base) for column in columns]
    findings = [finding for finding in asked if finding is not None]
    if not findings:
        yield passed(_NAME, f"no new values worth naming in {len(columns)} text columns", columns=len(columns))
    yield from capped(_NAME, findings)


def _in_holdout(facts: DataFacts, column: Column) -> Result | None:
    present = ~missing(column)
    train = np.bincount(column.values[present & ~facts.holdout], minlength=len(column.categories))
    holdout = np.bincount(column.values[present & facts.holdout], minlength=len(column.categories))
    unseen = holdout * (train == 0)
    rows, held, trained = int(unseen.sum()), int(facts.holdout.sum()), int(train.sum())
    # Good-Turing: the chance that the next value is new is the share of values seen once.
    expected = held * int((train == 1).sum()) / trained if trained else 0.0
    limit = max(SHARE * held, expected + 4 * math.sqrt(expected + 1), LEAST_ROWS)
    if rows <= limit:
        return None
    message = (
        f"{column.name} holds values that no training row has in {rows_text(rows, held)} held out, "
        f"for example {_examples(column, unseen)}; about {expected:,.0f} rows are expected"
    )
    return failed(_NAME, message, blocking=False, column=column.name, rows=rows, expected=round(expected, 1))


def _since_base(facts: DataFacts, column: Column) -> Result | None:
    """Only where the base's profile lists every value of the column."""
    base = (
        next((found for found in facts.base.profile.columns if found.name == column.name), None) if facts.base else None
    )
    if base is None or not base.common or base.distinct > len(base.common):
        return None
    known = {name for name, _ in base.common}
    counts = np.bincount(column.values[~missing(column)], minlength=len(column.categories))
    new = counts * np.array([name not in known for name in column.categories], dtype=np.int64)
    rows = int(new.sum())
    if rows <= max(SHARE * facts.table.rows, LEAST_ROWS):
        return None
    message = (
        f"{column.name} holds values that are new since the base in {rows_text(rows, facts.table.rows)}, "
        f"for example {_examples(column, new)}"
    )
    return failed(_NAME, message, blocking=False, column=column.name, rows=rows)


def _examples(column: Column, counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    often = np.argsort(-counts, kind="stable")[:3]
    return named([column.categories[at] for at in often if counts[at]])
