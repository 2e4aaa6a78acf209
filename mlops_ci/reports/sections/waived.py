"""Waivers in words: a decision that passes by one never reads like one that passes without."""

from __future__ import annotations

from mlops_ci.records.outcomes import Outcome
from mlops_ci.records.verdicts import Idle, IdleWaiver, Waiver
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import Block, Bullets, Code, Paragraph, Place, Spans, Strong, Text
from mlops_ci.reports.story import Story

_WHY = {
    Idle.EXPIRED: "expired on {until}: have it renewed, or take it out",
    Idle.TOO_LONG: "lasts until {until}, longer than a waiver may: name an earlier day",
    Idle.ERRORED: "does not count: a gate that could not be judged is not waived",
    Idle.NOT_NEEDED: "is not needed any more: the gate passes, take it out",
    Idle.NO_SUCH_GATE: "is about no gate there is: take it out",
}


def headline(story: Story) -> str:
    """The outcome in words: `refused`; `passed, with one gate waived`."""
    said = words.OUTCOMES[story.decision.outcome]
    return f"{said}, with {count(story)} waived" if passed_by_waiver(story) else said


def passed_by_waiver(story: Story) -> bool:
    return story.decision.outcome is Outcome.PASSED and bool(story.waivers)


def count(story: Story) -> str:
    """`one gate`, `2 gates`"""
    return "one gate" if len(story.waivers) == 1 else numbers.plural(len(story.waivers), "gate")


def section(story: Story) -> tuple[Block, ...]:
    """First which gates are waived, until when, by whom and why; then waivers to take out or to renew."""
    waivers = story.waivers
    are = "is" if len(waivers) == 1 else "are"
    start = headline(story) if passed_by_waiver(story) else f"{count(story)} {are} waived"
    start = start[:1].upper() + start[1:]
    blocks: list[Block] = []
    if len(waivers) == 1:
        blocks.append(Paragraph((Strong(start), Text(" "), *terms(waivers[0]), *_which(waivers[0]))))
    elif waivers:
        blocks.append(Paragraph((Strong(start), Text(":"))))
        blocks.append(Bullets(tuple((Code(one.gate), Text(" "), *terms(one), *_place(one)) for one in waivers)))
    return (*blocks, *(Paragraph(idle_sentence(idle)) for idle in story.idle_waivers))


def terms(waiver: Waiver) -> Spans:
    """`until 2026-12-01 by Ada: reason`"""
    return (Text(f"until {waiver.until} by "), Text(waiver.owner), Text(f": {waiver.reason}"))


def idle_sentence(idle: IdleWaiver) -> Spans:
    """`The waiver of accuracy >= 0.8 expired on 2026-12-01: have it renewed, or take it out. waivers.yaml:3`"""
    why = _WHY[idle.why].format(until=idle.waiver.until)
    return (Text("The waiver of "), Code(idle.waiver.gate), Text(f" {why}."), *_place(idle.waiver))


def _which(waiver: Waiver) -> Spans:
    return (Text(" ("), Code(waiver.gate), *_place(waiver), Text(")"))


def _place(waiver: Waiver) -> Spans:
    return (Text(" "), Place(waiver.where.file, waiver.where.line)) if waiver.where else ()
