"""Model tests: how many hold, and what the others said."""

from __future__ import annotations

from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part
from mlops_ci.reports.document import Block, Bullets, Details, Heading, Paragraph, Text
from mlops_ci.reports.sections import checks
from mlops_ci.reports.story import Story

_MOST = 20


def section(story: Story) -> tuple[Block, ...]:
    results = story.results(Part.TESTS)
    if not results:
        return ()
    asked = [result for result in results if result.status is not Status.SKIPPED]
    passed = [result for result in asked if result.status is Status.PASSED]
    bad = [result for result in asked if result.status is not Status.PASSED]
    skipped = f", {len(results) - len(asked)} skipped" if len(results) > len(asked) else ""
    summary = (Text(f"{len(passed)} of {len(asked)} hold{skipped}"),)
    blocks: list[Block] = [Heading((Text("Model tests"),)), Paragraph((*summary, Text("." if not bad else ":")))]
    if bad:
        blocks += [Bullets(tuple(checks.line(result) for result in bad[:_MOST])), *checks.details(bad)]
    if passed:
        blocks.append(
            Details((Text("Those that hold"),), (Bullets(tuple(checks.line(result) for result in passed[:_MOST])),))
        )
    return tuple(blocks)
