"""rows: which rows are behind a verdict."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mlops_ci.steps.project import open_project
from mlops_ci.steps.rows import RowList, Selection, row_list
from mlops_ci.steps.runs import recall
from mlops_ci.steps.write import write_page


def rows(start: Path, decision: str, selection: Selection, *, into: Path | None) -> RowList:
    """The rows of a selection; `into` also writes them as CSV."""
    project = open_project(start)
    found = row_list(project, recall(project, decision), selection)
    if into is not None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([found.columns, *found.rows])
        write_page(into, text.getvalue())
    return found
