"""The report of an import: a model that was in production before, and that nobody judged here."""

from __future__ import annotations

from mlops_ci.reports import numbers
from mlops_ci.reports.document import Block, Bullets, Code, Document, Heading, Paragraph, Section, Spans, Strong, Text
from mlops_ci.reports.sections import provenance
from mlops_ci.reports.story import Story


def build(story: Story) -> Document:
    """The whole report. No metric of it is told: nothing was asked of it, and its numbers come with the next check."""
    sections = (
        Section(name="import", keep=100, blocks=_import(story)),
        Section(name="provenance", keep=50, blocks=provenance.section(story)),
    )
    return Document(
        project=story.decision.project,
        outcome=story.decision.outcome,
        title=(Text(f"{story.decision.project}: "), Strong("imported"), Text(f". {story.decision.reason}")),
        sections=sections,
    )


def _import(story: Story) -> tuple[Block, ...]:
    found = story.evidence.imported or None
    if found is None:
        return ()
    told: list[Spans] = [
        (Text("From "), Code(found.source)),
        (Text("Why: "), Text(found.reason)),
        (Text("In the store as "), Code(found.digest), Text(f": {found.files} files, {numbers.size(found.bytes)}")),
        (Text("It may have been trained on the held-out rows: a comparison with it can only be too hard."),),
    ]
    heading = Heading((Text("Imported, not judged by gates"),))
    told_next = Text("The next checks compare with it, as with every champion, until a commit passes.")
    return (heading, Bullets(tuple(told)), Paragraph((told_next,)))
