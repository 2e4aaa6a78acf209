"""What of a release lies in the store beside its bundle: the rows its model was judged on, and its prepared table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.reports import numbers
from mlops_ci.steps import runs, stores
from mlops_ci.steps.store_items import keep_rows

if TYPE_CHECKING:
    from mlops_ci.steps.progress import Clock
    from mlops_ci.steps.release_decision import Candidate


def with_items(candidate: Candidate, clock: Clock) -> Candidate:
    """Put them into the store, and give the candidate that names them; as it is where nothing is kept."""
    project, laid = candidate.case.project, candidate.table
    judged = runs.from_ledger(project, candidate.passed.decision_id)
    told = []

    def say(text: str) -> None:
        clock.say("evidence", text)

    if judged.holdout is None and laid is None:
        return candidate
    with clock.step("evidence", "putting what it was judged on into the store") as line:
        if judged.holdout is not None:
            rows = keep_rows(project, judged.arrays, judged.holdout, say)
            candidate = msgspec.structs.replace(candidate, rows=rows)
            told.append(f"predictions of {numbers.count(judged.holdout.rows)} rows, {numbers.size(rows.bytes)}")
        if laid is not None:
            stores.keep(project, laid.folder, laid.item.digest, say, kind="snapshot")
            told.append(f"the prepared table, {numbers.size(laid.item.bytes)}")
        line.found = f"{'; '.join(told)}; read back"
    return candidate
