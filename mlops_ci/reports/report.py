"""The report of a decision, section by section."""

from __future__ import annotations

from collections.abc import Callable

from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports import imported, promotion, release
from mlops_ci.reports.document import Block, Document, Section
from mlops_ci.reports.sections import (
    affected,
    change,
    checks,
    commands,
    cost,
    data,
    earlier,
    facts,
    gates,
    metrics,
    pictures,
    provenance,
    slices,
    tests,
    verdict,
    waived,
    worse_slices,
)
from mlops_ci.reports.story import Story

SECTIONS: tuple[tuple[str, int, Callable[[Story], tuple[Block, ...]]], ...] = (
    ("verdict", 100, verdict.section),
    ("gates", 95, gates.section),
    ("checks", 85, checks.section),
    ("affected", 80, affected.section),
    ("change", 90, change.section),
    ("next", 75, commands.section),
    ("data", 70, data.section),
    ("tests", 60, tests.section),
    ("facts", 58, facts.section),
    ("metrics", 55, metrics.section),
    ("worse-slices", 42, worse_slices.section),
    ("slices", 40, slices.section),
    ("charts", 30, pictures.section),
    ("cost", 20, cost.section),
    ("provenance", 50, provenance.section),
    ("earlier", 10, earlier.section),
)
"""In reading order. The number says what stays where room is short: the highest."""


def build(story: Story) -> Document:
    """The whole report. Depends on nothing but the story: the same story gives the same document."""
    if story.decision.kind is DecisionKind.RELEASE:
        return release.build(story)
    if story.decision.kind is DecisionKind.IMPORT:
        return imported.build(story)
    if story.decision.kind in (DecisionKind.PROMOTION, DecisionKind.ROLLBACK):
        return promotion.build(story)
    told = ((name, keep, section(story)) for name, keep, section in SECTIONS)
    return Document(
        project=story.decision.project,
        # One that passed by a waiver does not look like one that passed.
        outcome=Outcome.UNDECIDED if waived.passed_by_waiver(story) else story.decision.outcome,
        title=verdict.title(story),
        sections=tuple(Section(name=name, keep=keep, blocks=blocks) for name, keep, blocks in told if blocks),
    )
