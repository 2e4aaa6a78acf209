"""report: read what was decided, as text or as a page."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.reports import html, markdown
from mlops_ci.reports.report import build
from mlops_ci.reports.story import Story
from mlops_ci.steps.project import open_project
from mlops_ci.steps.runs import recall, story
from mlops_ci.steps.write import write_page


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A report: its story, its text, and the page when one was asked for."""

    story: Story
    text: str
    page: Path | None


def report(start: Path, decision: str, *, page: Path | None, wants_page: bool) -> Read:
    """The report of a decision; `page` says where the HTML goes, left out into the project's state."""
    project = open_project(start)
    kept = recall(project, decision)
    told = story(project, kept)
    document = build(told)
    target = page or project.state / "reports" / f"{told.short_id}.html"
    if wants_page:
        write_page(target, html.render(document))
    return Read(story=told, text=markdown.render(document), page=target if wants_page else None)
