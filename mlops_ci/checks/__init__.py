"""Checks of data: one question a file, each answered by a function of the facts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from mlops_ci.checks import (
    allowed_values,
    changed_rows,
    classes,
    conflicting_labels,
    constant_columns,
    contract,
    drift,
    duplicates,
    freshness,
    holdout_leakage,
    infinite_values,
    label_shift,
    new_categories,
    nulls,
    ranges,
    row_count,
    target_leakage,
    types,
    uniqueness,
)
from mlops_ci.checks.facts import BaseFacts, DataFacts
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result

__all__ = ["CHECKS", "BaseFacts", "DataFacts", "data_checks", "title", "why"]

Check = Callable[[DataFacts], Iterable[Result]]

CHECKS: dict[str, Check] = {
    "contract": contract.run,
    "types": types.run,
    "nulls": nulls.run,
    "ranges": ranges.run,
    "allowed_values": allowed_values.run,
    "uniqueness": uniqueness.run,
    "duplicates": duplicates.run,
    "conflicting_labels": conflicting_labels.run,
    "constant_columns": constant_columns.run,
    "infinite_values": infinite_values.run,
    "classes": classes.run,
    "holdout_leakage": holdout_leakage.run,
    "target_leakage": target_leakage.run,
    "label_shift": label_shift.run,
    "new_categories": new_categories.run,
    "drift": drift.run,
    "row_count": row_count.run,
    "changed_rows": changed_rows.run,
    "freshness": freshness.run,
}


def data_checks(facts: DataFacts, checks: dict[str, Check] = CHECKS) -> tuple[Result, ...]:
    """Every native check, in the order of the table. A check that crashes is errored, and the others still answer."""
    return tuple(result for name, run in checks.items() for result in _answers(name, run, facts))


def title(name: str) -> str:
    """The check's question, in a few words."""
    return _text(name)[0]


def why(name: str) -> str:
    """Why it matters, in a paragraph."""
    return " ".join(_text(name)[1].split())


def _answers(name: str, run: Check, facts: DataFacts) -> list[Result]:
    try:
        return list(run(facts))
    except Exception as error:  # noqa: BLE001  # one check must not take the others along, whatever goes wrong in it
        message = f"the check crashed: {type(error).__name__}: {error}"
        return [Result(check=name, part=Part.DATA, status=Status.ERRORED, message=message)]


def _text(name: str) -> tuple[str, str]:
    text = sys.modules[CHECKS[name].__module__].__doc__ or f"{name}\n\n"
    head, _, rest = text.partition("\n\n")
    return head, rest.split("\n\n")[0]
