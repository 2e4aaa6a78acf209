"""History stays as it was

New data adds rows. Rows that were there before and now say something else mean that a source was rewritten, a join
has changed, or labels were edited: worth knowing before comparing two models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.checks.answers import advisory, rows_text, skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.results import Result

_NAME = "changed_rows"
LIMIT = 0.01


def run(facts: DataFacts) -> Iterable[Result]:
    """Advisory: changed and removed rows against those of the base. A changed schema changes every row: then silent."""
    change = facts.data_change
    if change is None:
        yield skipped(_NAME, "there is no base to compare with")
        return
    if any(column.change in ("added", "removed", "kind") for column in change.columns):
        yield skipped(_NAME, "the columns have changed, so every row has")
        return
    touched = change.changed + change.removed
    message = (
        f"{rows_text(touched, change.base_rows)} of the base were changed ({change.changed:,}) or removed "
        f"({change.removed:,}); up to {LIMIT:.0%} is usual"
    )
    fine = touched <= LIMIT * change.base_rows
    yield advisory(_NAME, message, fine=fine, changed=change.changed, removed=change.removed, base=change.base_rows)
