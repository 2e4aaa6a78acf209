"""The report of a promotion or a rollback: what changes in the environment, by which rules and gates."""

from __future__ import annotations

from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.environments import Move, ReleaseRef
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import (
    Align,
    Block,
    Bullets,
    Code,
    CodeBlock,
    Document,
    Heading,
    Paragraph,
    Section,
    Spans,
    Strong,
    Table,
    Text,
)
from mlops_ci.reports.sections import provenance, since
from mlops_ci.reports.story import Story

_DIGITS = 12
_DONE = {DecisionKind.PROMOTION: "promoted", DecisionKind.ROLLBACK: "rolled back"}


def build(story: Story) -> Document:
    """The whole report. Depends on nothing but the story: the same story gives the same document."""
    move = story.evidence.move or None
    sections = (
        Section(name="move", keep=100, blocks=_move(move) if move else ()),
        Section(name="rules", keep=95, blocks=_rules(story)),
        Section(name="gates", keep=95, blocks=_gates(story)),
        Section(name="since", keep=82, blocks=since.section(story)),
        Section(name="chain", keep=80, blocks=_chain(move) if move else ()),
        Section(name="next", keep=70, blocks=_next(story, move) if move else ()),
        Section(name="provenance", keep=50, blocks=provenance.section(story)),
    )
    return Document(
        project=story.decision.project,
        outcome=story.decision.outcome,
        title=_title(story),
        sections=tuple(section for section in sections if section.blocks),
    )


def _title(story: Story) -> Spans:
    decision = story.decision
    done = _DONE.get(decision.kind, str(decision.kind))
    word = done if decision.outcome is Outcome.PASSED else f"not {done}"
    return (Text(f"{decision.project}: "), Strong(word), Text(f". {words.begun(decision.reason)}"))


def _move(move: Move) -> tuple[Block, ...]:
    rows = tuple(
        ((Text(name),), _named(move.before, name), _named(move.after, name)) for name in ("release", "bundle", "image")
    )
    head = (f"environments/{move.environment}.yaml", "before", "after")
    told: list[Spans] = []
    if kept := move.quarantined or None:
        told.append(
            (
                Strong(f"{kept.release} is quarantined"),
                Text(f" in {move.environment}: no promotion installs "),
                Code(numbers.short(kept.bundle)),
                Text(" again until a commit removes the entry"),
            )
        )
    if move.reason:
        told.append((Text("Why: "), Text(move.reason)))
    table = Table(head=head, align=(Align.LEFT,) * 3, rows=rows)
    return (table, Bullets(tuple(told))) if told else (table,)


def _named(ref: ReleaseRef | None, name: str) -> Spans:
    """Digests by as many digits as tell them apart: whole they are in the file, and make a table too wide."""
    value = getattr(ref, name) if ref else ""
    place, at, digest = value.rpartition("sha256:") if name == "image" else ("", "", value)
    return (Code(f"{place}{at}{digest[:_DIGITS]}"),) if value else (Text(numbers.NONE),)


def _rules(story: Story) -> tuple[Block, ...]:
    """Those that were asked as a table, the others in a line."""
    asked = [one for one in story.decision.checks if one.status is not Status.SKIPPED]
    rows: tuple[tuple[Spans, ...], ...] = tuple(
        ((Code(one.check),), (words.answer(one),), (Text(one.message),)) for one in asked
    )
    unset = "; ".join(f"{one.check}: {one.message}" for one in story.decision.checks if one not in asked)
    found: list[Block] = []
    if rows:
        found.append(Table(head=("rule", "", "found"), align=(Align.LEFT,) * 3, rows=rows, caption="Rules"))
    if unset:
        found.append(Paragraph((Strong("Not asked: "), Text(unset))))
    return tuple(found)


def _gates(story: Story) -> tuple[Block, ...]:
    rows: tuple[tuple[Spans, ...], ...] = tuple(
        ((Code(one.gate),), (words.answer(one),), (Text(_value(one)),), (Text(one.reason),))
        for one in story.decision.gates
    )
    if not rows:
        return ()
    head = ("gate", "", "value", "found")
    align = (Align.LEFT, Align.LEFT, Align.RIGHT, Align.LEFT)
    return (Table(head=head, align=align, rows=rows, caption="Gates of the environment, asked again now"),)


def _value(verdict: Verdict) -> str:
    if verdict.observed is None:
        return numbers.NONE
    return numbers.with_unit(verdict.observed, verdict.unit)


def _chain(move: Move) -> tuple[Block, ...]:
    """What it rests on: each can be read with `mlops-ci report`."""
    told: list[Spans] = [
        (Text(f"{move.after.release} was made by decision "), Code(numbers.short(move.released))),
        *([(Text("its model passed as decision "), Code(numbers.short(move.judged)))] if move.judged else []),
        (Text("the ledger was at "), Code(numbers.short(move.ledger)), Text(f" when the rules were asked, {move.at}")),
    ]
    return (Heading((Text("Evidence"),)), Bullets(tuple(told)))


def _next(story: Story, move: Move) -> tuple[Block, ...]:
    lines = [f"mlops-ci why {move.environment}", f"mlops-ci report {numbers.short(move.released)}"]
    if story.decision.outcome is Outcome.PASSED and move.before and story.decision.kind is DecisionKind.PROMOTION:
        lines.append(f"mlops-ci rollback {move.environment} --reason TEXT")
    return (CodeBlock("\n".join(lines)),)
