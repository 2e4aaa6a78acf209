"""What was measured because a gate asks for it, and what it says about the difference with the champion."""

from __future__ import annotations

import re

from mlops_ci.records.decisions import FactNote
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import Align, Block, Code, Details, Spans, Strong, Table, Text
from mlops_ci.reports.story import Story

_NOISE = "seed_noise."
_NAME = re.compile(r"\"(?:\\.|[^\"\\])*\"|[A-Za-z_][\w.]*")


def section(story: Story) -> tuple[Block, ...]:
    notes = _notes(story)
    if not notes:
        return ()
    rows = tuple(_row(name, note, story) for name, note in notes.items())
    head, align = ("fact", "number", "how", "gate"), (Align.LEFT, Align.RIGHT, Align.LEFT, Align.LEFT)
    table = Table(head=head, align=align, rows=rows, caption="Measured facts")
    summary = f"{numbers.plural(len(rows), 'fact')} that gates ask for"
    return (Details((Strong("Measured: "), Text(summary)), (table,)),)


def noise(story: Story) -> tuple[Spans, ...]:
    """`The gain in accuracy over v12 (+0.002) is smaller than what another seed gives (0.004): it is noise.`"""
    found: list[Spans] = []
    rival = story.champion.partition(",")[0] or "the champion"
    for one in story.decision.metrics:
        spread = story.evidence.facts.get(f"{_NOISE}{one.metric}")
        if (
            spread is None
            or one.value is None
            or one.champion is None
            or not 0 < abs(one.value - one.champion) < spread
        ):
            continue
        change = one.value - one.champion
        moved = "gain" if (change > 0) == one.higher_is_better else "loss"
        places = numbers.apart(abs(change), spread, numbers.natural(change))
        said = f" ({numbers.signed(change, places)}) is smaller than what another seed gives"
        end = Text(f"{said} ({numbers.fixed(spread, places)}): it is noise.")
        found.append((Text(f"The {moved} in "), words.metric(one.metric), Text(f" against {rival}"), end))
    return tuple(found)


def _notes(story: Story) -> dict[str, FactNote]:
    return story.evidence.fact_notes or {}


def _row(name: str, note: FactNote, story: Story) -> tuple[Spans, ...]:
    value = numbers.with_unit(story.evidence.facts.get(name), note.unit)
    return ((Code(name),), (Text(value),), (Text(f"{note.told}."),), _gates(name, story))


def _gates(name: str, story: Story) -> Spans:
    """The gates that name it, each with its answer: the limit stands in them."""
    spans: Spans = ()
    decision = story.decision
    for verdict in (*decision.gates, *decision.judge.head_verdicts, *(decision.environments or ())):
        gate = Code(verdict.gate)
        if _names(verdict, name) and gate not in spans:
            spans += (*((Text("; "),) if spans else ()), words.answer(verdict), Text(" "), gate)
    return spans


def _names(verdict: Verdict, name: str) -> bool:
    return name in _NAME.findall(verdict.gate)
