"""Checks of data and model that do not hold, and advisory notes."""

from __future__ import annotations

from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import Block, Bullets, Code, CodeBlock, Details, Heading, Paragraph, Place, Spans, Text
from mlops_ci.reports.story import Story

_MOST = 20
_ORDER = (Status.ERRORED, Status.FAILED, Status.UNDECIDED)


def section(story: Story) -> tuple[Block, ...]:
    # The line that counts the contract's clauses is told with the data; each broken clause has a result of its own.
    told = [result for result in story.decision.checks if result.part is not Part.TESTS and result.check != "contract"]
    results = [result for result in told if result.status in _ORDER]
    if not results:
        return ()
    results.sort(key=lambda result: (not result.blocking, _ORDER.index(result.status)))
    rest = len(results) - _MOST
    more = (Paragraph((Text(f"{numbers.plural(rest, 'more check')} in the evidence."),)),) if rest > 0 else ()
    shown = results[:_MOST]
    return (
        Heading((Text("Checks that do not hold"),)),
        Bullets(tuple(line(result) for result in shown)),
        *more,
        *details(shown),
    )


def line(result: Result) -> Spans:
    """One result as a line: answer, name, message, place."""
    said = "" if result.message == words.STATUSES[result.status] else f": {result.message}"
    spans: Spans = (words.answer(result), Text(" "), Code(result.check), Text(said))
    return (*spans, Text(" "), Place(result.where.file, result.where.line)) if result.where else spans


def details(results: list[Result]) -> tuple[Block, ...]:
    """What results printed: folded away, but open for what stopped the run."""
    return tuple(
        CodeBlock(result.details)
        if result.status is Status.ERRORED and result.blocking
        else Details((Text("What "), Code(result.check), Text(" printed")), (CodeBlock(result.details),))
        for result in results[:5]
        if result.details
    )
