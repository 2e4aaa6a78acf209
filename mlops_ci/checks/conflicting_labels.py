"""Equal rows with different labels

No model can be right about rows that are equal in every feature and differ in the target. Where features are coarse
that is natural: then equal rows still agree more often than any two rows do. Rows that agree less often than that
were labelled wrongly or copied with another label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import advisory, rows_text, skipped
from mlops_ci.checks.twins import twins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "conflicting_labels"
LEAST_ROWS = 20
LEAST_SHARE = 0.001
MARGIN = 0.2
"""Of the way from chance to certain disagreement."""


def run(facts: DataFacts) -> Iterable[Result]:
    if not facts.classification:
        return [skipped(_NAME, "asked of classes only")]
    found = twins(facts)
    conflicting, rate, chance = found.conflicting, found.disagreement, found.chance
    rows = facts.table.rows
    message = f"no row has a twin with equal features and another {facts.target}"
    if conflicting:
        message = (
            f"{rows_text(conflicting, rows)} have a twin with equal features and another {facts.target}; "
            f"twins disagree in {rate:.1%} of pairs, any two rows in {chance:.1%}"
        )
    few = conflicting <= max(LEAST_ROWS, LEAST_SHARE * rows)
    fine = few or rate <= chance + MARGIN * (1 - chance)
    return [advisory(_NAME, message, fine=fine, conflicting=conflicting, disagreement=rate, chance=chance)]
