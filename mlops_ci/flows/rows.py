"""rows: which rows are behind a verdict."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mlops_ci.errors import UsageError
from mlops_ci.steps.project import open_project
from mlops_ci.steps.rows import RowList, Selection, held_out_rows, row_list
from mlops_ci.steps.runs import recall
from mlops_ci.steps.write import write_page


def rows(start: Path, decision: str, selection: Selection, *, into: Path | None) -> RowList:
    """The rows of a selection; `into` also writes them as CSV. The held-out rows are there before a decision is."""
    project = open_project(start)
    before = selection.everything and not decision
    try:
        kept = recall(project, decision)
    except UsageError:
        if not before:
            raise
        kept = None
    # A decision has not kept the rows of a gate part, which must be predicted all the same.
    if kept is None or (before and (kept.holdout is None or project.config.holdout.verdicts_only)):
        found = held_out_rows(project)
    else:
        found = row_list(project, kept, selection)
    if into is not None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([found.columns, *found.rows])
        write_page(into, text.getvalue())
    return found
