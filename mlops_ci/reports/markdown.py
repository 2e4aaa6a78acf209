"""A document as GitHub-flavoured Markdown (https://github.github.com/gfm/) that also reads well as plain text.

Names and messages are hostile: they cannot open links, mentions, references, HTML, tables, formulas or emoji.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

from mlops_ci.reports.document import (
    Align,
    Answer,
    Block,
    Bullets,
    Chart,
    Code,
    CodeBlock,
    Details,
    Document,
    Heading,
    Paragraph,
    Place,
    Section,
    Span,
    Spans,
    Strong,
    Table,
)
from mlops_ci.reports.visible import visible, visible_lines

LIMIT = 65_536
"""Characters GitHub takes in a comment."""
_MARGIN = 1_536
_MARKUP = re.compile(r"[\\`*<|~]|(?<!\w)_|_(?!\w)|&(?=[#\w])|(?P<interval>\[[−\d., ]+\](?![(\[:]))|[\[\]]")
_BREAK = "\u200b"
# What GitHub links or replaces by itself in running text: the sign is kept and cut off from what follows. Of numbers
# between colons only two are emoji: times (03:00:00) and places (mlops.yaml:24: …) stay whole.
_AUTOMATIC = re.compile(
    r"@(?=[\w-])|#(?=\w)|\bGH-(?=\d)|:(?!(?!100:|1234:)\d+:)(?=[\w+-]+:)|:(?=//)|\bwww(?=\.)|\bmailto(?=:)|\bxmpp(?=:)",
    re.IGNORECASE,
)
_LINE_START = re.compile(r"^\s*\d+(?=[.)](?:\s|$))|^\s*(?=[#>+=-])")
_PLAIN_CODE = re.compile(r"[^`|$]+")


def render(document: Document, *, files: str = "", charts: str | None = "%s.svg", limit: int = LIMIT) -> str:
    """Markdown of at most `limit` characters: whole sections are left out, the least needed first, and a line says so.

    `files`: address that paths of the repository are put behind, ending in `/` (`https://…/blob/COMMIT/`); without one
    places are plain text. `charts`: address of a chart, `%s` in it for its name: beside the text where nothing is said,
    None where no picture can be shown; it is then told in words.
    """
    room = limit - min(_MARGIN, limit // 4)
    writer = _Writer(files, charts)
    heading = f"### {title(document)}"
    parts = {
        section.name: "\n\n".join(writer.block(block) for block in section.blocks) for section in document.sections
    }
    kept = list(document.sections)
    while len(kept) > 1 and _length(heading, kept, parts) > room:
        kept.remove(min(kept, key=lambda section: section.keep))
    dropped = [section.name for section in document.sections if section not in kept]
    texts = [heading, *(parts[section.name] for section in kept)]
    if dropped:
        texts.append(f"*Left out for length: {', '.join(dropped)}. The whole report: `mlops-ci report`.*")
    return "\n\n".join(texts) + "\n"


def title(document: Document) -> str:
    """The verdict in one sentence."""
    return _Writer("", None).spans(document.title)


def _length(title: str, kept: list[Section], parts: dict[str, str]) -> int:
    return len(title) + sum(len(parts[section.name]) + 2 for section in kept)


class _Writer:
    """Blocks to Markdown, with the addresses that links need."""

    def __init__(self, files: str, charts: str | None) -> None:
        self.files = files
        self.charts = charts

    def block(self, block: Block) -> str:
        match block:
            case Heading():
                return f"#### {self.spans(block.spans)}"
            case Paragraph():
                return self.line(block.spans)
            case Bullets():
                return "\n".join(f"- {self.line(item)}" for item in block.items)
            case Table():
                return self.table(block)
            case CodeBlock():
                return code_block(block.text)
            case Chart():
                return self.chart(block)
            case Details():
                inner = "\n\n".join(self.block(one) for one in block.blocks)
                return f"<details><summary>{''.join(map(summary, block.summary))}</summary>\n\n{inner}\n\n</details>"

    def chart(self, chart: Chart) -> str:
        if self.charts is None:
            return f"*{text(chart.alt)}*"
        return f"![{text(chart.alt)}]({self.charts.replace('%s', quote(chart.name))})"

    def table(self, table: Table) -> str:
        ruler = "|".join("--:" if align is Align.RIGHT else "---" for align in table.align)
        lines = [f"| {' | '.join(text(name) for name in table.head)} |", f"|{ruler}|"]
        lines += [f"| {' | '.join(self.spans(cell) for cell in row)} |" for row in table.rows]
        return "\n".join(lines)

    def line(self, spans: Spans) -> str:
        """Spans at the start of a line, where a number or sign would begin a list, heading or quotation."""
        return _LINE_START.sub(lambda found: found[0] + "\\", self.spans(spans))

    def spans(self, spans: Spans) -> str:
        return "".join(map(self.span, spans))

    def span(self, span: Span) -> str:
        match span:
            case Strong():
                bare = span.text.rstrip()
                return f"**{text(bare)}**{span.text[len(bare) :]}"
            case Code():
                return code(span.text)
            case Place():
                return self.place(span)
            case Answer():
                return f"{span.symbol} {span.word}"
        return text(span.text)

    def place(self, place: Place) -> str:
        if not self.files:
            return code(str(place))
        line = f"#L{place.line}" if place.line else ""
        return f"[{code(str(place))}]({self.files}{quote(place.file)}{line})"


def text(value: str) -> str:
    """Running text with nothing in it that Markdown or GitHub would act on."""
    escaped = _MARKUP.sub(_escape, visible(value))
    escaped = _AUTOMATIC.sub(lambda found: found[0] + _BREAK, escaped)
    return escaped.replace("$", "<span>$</span>")


def _escape(found: re.Match[str]) -> str:
    if found["interval"]:
        return found[0]
    return {"<": "&lt;", "&": "&amp;"}.get(found[0], f"\\{found[0]}")


def code(value: str, most: int = 160) -> str:
    """A name as code; in HTML with everything spelled out where backticks cannot hold it."""
    shown = visible(value, most)
    if _PLAIN_CODE.fullmatch(shown) and shown == shown.strip():
        return f"`{shown}`"
    return f"<code>{_spell_out(shown)}</code>" if shown else "`(empty)`"


def summary(span: Span) -> str:
    """A span inside `<summary>`, where Markdown is not read but GitHub's own links are made."""
    match span:
        case Strong():
            return f"<b>{_html(span.text)}</b>"
        case Code():
            return f"<code>{_html(span.text)}</code>"
        case Place():
            return f"<code>{_html(str(span))}</code>"
        case Answer():
            return f"{span.symbol} {span.word}"
    return _html(span.text)


def _html(value: str) -> str:
    cut = _AUTOMATIC.sub(lambda found: found[0] + _BREAK, visible(value, 300))
    return escape(cut, quote=False).replace("$", "&#36;")


def _spell_out(shown: str) -> str:
    """Every sign that Markdown, HTML or GitHub could act on as a character reference."""
    return re.sub(r"[!-/:-@\[-`{-~]", _reference, shown)


def _reference(found: re.Match[str]) -> str:
    sign = found[0]
    return sign if sign in ".,;%()=/'+-" else f"&#{ord(sign)};"


def code_block(value: str) -> str:
    """A fence longer than any run of backticks inside."""
    lines = visible_lines(value)
    longest = max((len(run) for run in re.findall(r"`+", lines)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{lines}\n{fence}"
