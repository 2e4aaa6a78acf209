"""A report as a tree of blocks: one structure, many outputs. Values only, nothing here is escaped yet."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mlops_ci.records.outcomes import Outcome
from mlops_ci.records.results import Where


class Text(msgspec.Struct, frozen=True):
    text: str


class Strong(msgspec.Struct, frozen=True):
    text: str


class Code(msgspec.Struct, frozen=True):
    """Something people type or that has a name: a column, a file, a gate, a command."""

    text: str


class Place(msgspec.Struct, frozen=True):
    """A file and line to open; a link where the output knows the address of the repository."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return str(Where(self.file, self.line))


class Aside(msgspec.Struct, frozen=True):
    """What belongs to a number beside it: its interval, its counts."""

    text: str


class Answer(msgspec.Struct, frozen=True):
    """A status as symbol and word. `kind`: passed, failed, undecided, skipped, errored, advisory."""

    kind: str
    symbol: str
    word: str


Span = Text | Strong | Code | Place | Aside | Answer
Spans = tuple[Span, ...]


class Align(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class Heading(msgspec.Struct, frozen=True):
    spans: Spans


class Paragraph(msgspec.Struct, frozen=True):
    spans: Spans


class Bullets(msgspec.Struct, frozen=True):
    items: tuple[Spans, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Cells by row; `head` and `align` have one entry a column. The first column names its row."""

    head: tuple[str, ...]
    align: tuple[Align, ...]
    rows: tuple[tuple[Spans, ...], ...]
    caption: str = ""


class CodeBlock(msgspec.Struct, frozen=True):
    text: str


class Chart(msgspec.Struct, frozen=True):
    """A picture kept beside the text as `<name>.svg`; `alt` says in words what it shows.

    `drawn`: the same with letters, for where no picture can be shown.
    """

    name: str
    alt: str
    svg: str
    drawn: tuple[Block, ...] = ()


class Details(msgspec.Struct, frozen=True):
    """Blocks folded away behind one line."""

    summary: Spans
    blocks: tuple[Block, ...]


Block = Heading | Paragraph | Bullets | Table | CodeBlock | Chart | Details


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Blocks on one topic. Where room is short whole sections are left out, the lowest `keep` first."""

    name: str
    keep: int
    blocks: tuple[Block, ...]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """`title`: the verdict in one sentence. `outcome` only chooses colours."""

    project: str
    outcome: Outcome
    title: Spans
    sections: tuple[Section, ...]


def filled(table: Table) -> Table:
    """Without the columns in which no row says anything."""
    kept = [place for place in range(len(table.head)) if any(plain(row[place]) for row in table.rows)]
    if not table.rows or len(kept) == len(table.head):
        return table
    return Table(
        head=tuple(table.head[place] for place in kept),
        align=tuple(table.align[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in table.rows),
        caption=table.caption,
    )


def charts(document: Document) -> dict[str, str]:
    """Name of every chart of the document -> its SVG: the files that belong beside the text as `<name>.svg`."""
    found: dict[str, str] = {}
    for section in document.sections:
        _collect(section.blocks, found)
    return found


def _collect(blocks: tuple[Block, ...], found: dict[str, str]) -> None:
    for block in blocks:
        if isinstance(block, Chart):
            found[block.name] = block.svg
        elif isinstance(block, Details):
            _collect(block.blocks, found)


def plain(spans: Spans) -> str:
    """The words of spans, for places without markup."""
    return "".join(
        f"{span.symbol} {span.word}"
        if isinstance(span, Answer)
        else str(span)
        if isinstance(span, Place)
        else span.text
        for span in spans
    )
