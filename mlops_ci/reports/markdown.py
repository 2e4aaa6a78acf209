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
    Span,
    Spans,
    Strong,
    Table,
    filled,
    plain,
)
from mlops_ci.reports.visible import TOGETHER, clip, keep_units, visible, visible_lines

LIMIT = 65_536
"""Characters, code points as `len` counts them, that GitHub says it takes in a comment (HTTP 422, `Body is too long`).
What it was measured to take are 262,144 bytes of UTF-8, which no 65,536 code points exceed:
https://github.com/dead-claudia/github-limits/pull/13."""
_LONGEST_TITLE = 1_000
_LONGEST_SIGN = 14
"""What one visible sign may become: `<span>$</span>`."""
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
    """Markdown of at most `limit` characters: whole sections are left out, and a line says so.

    The most needed sections have the first choice of the room; one that does not fit leaves it to those below.

    `files`: address that paths of the repository are put behind, ending in `/` (`https://…/blob/COMMIT/`); without one
    places are plain text. `charts`: address of a chart, `%s` in it for its name: beside the text where nothing is said,
    None where no picture can be shown; they are then drawn with letters.
    """
    heading = f"### {title(document)}\n\n"
    return heading + sections(document, files=files, charts=charts, limit=limit - len(heading))


def sections(document: Document, *, files: str = "", charts: str | None = "%s.svg", limit: int = LIMIT) -> str:
    """What `render` writes below the title; of no section where none fits."""
    room = limit - min(_MARGIN, limit // 4)
    writer = _Writer(files, charts)
    parts = {
        section.name: "\n\n".join(writer.block(block) for block in section.blocks) for section in document.sections
    }
    kept = []
    for section in sorted(document.sections, key=lambda section: -section.keep):
        size = len(parts[section.name]) + 2
        if size <= room:
            kept.append(section.name)
            room -= size
    dropped = [section.name for section in document.sections if section.name not in kept]
    texts = [parts[section.name] for section in document.sections if section.name in kept]
    if dropped:
        texts.append(f"*Left out for length: {', '.join(dropped)}. The whole report: `mlops-ci report`.*")
    return "\n\n".join(texts) + "\n"


def title(document: Document) -> str:
    """The verdict in one sentence."""
    told = _Writer("", None).spans(document.title)
    return told if len(told) <= _LONGEST_TITLE else brief(plain(document.title), _LONGEST_TITLE)


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
            return "\n\n".join(map(self.block, chart.drawn)) or f"*{text(chart.alt)}*"
        return f"![{text(chart.alt)}]({self.charts.replace('%s', quote(chart.name))})"

    def table(self, whole: Table) -> str:
        table = filled(whole)
        ruler = "|".join("--:" if align is Align.RIGHT else "---" for align in table.align)
        lines = [f"| {' | '.join(text(name) for name in table.head)} |", f"|{ruler}|"]
        lines += [f"| {' | '.join(map(self.cell, row, table.align))} |" for row in table.rows]
        return "\n".join(lines)

    def cell(self, spans: Spans, align: Align) -> str:
        """Where numbers stand, one is not parted from its sign, its unit or the other end of its interval."""
        if align is Align.RIGHT:
            return "".join(map(_whole, map(self.span, spans)))
        return self.spans(spans)

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
                return _answer(span)
        return text(span.text)

    def place(self, place: Place) -> str:
        if not self.files:
            return code(str(place))
        line = f"#L{place.line}" if place.line else ""
        return f"[{code(str(place))}]({self.files}{quote(place.file)}{line})"


def text(value: str) -> str:
    """Running text with nothing in it that Markdown or GitHub would act on."""
    escaped = _MARKUP.sub(_escape, keep_units(visible(value)))
    escaped = _AUTOMATIC.sub(lambda found: found[0] + _BREAK, escaped)
    return escaped.replace("$", "<span>$</span>")


def brief(value: str, most: int) -> str:
    """Running text of at most `most` characters of Markdown, however much there is to escape in it."""
    told = text(value)
    return told if len(told) <= most else text(clip(visible(value), most // _LONGEST_SIGN))


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
            return _answer(span)
    return _html(span.text)


def _answer(answer: Answer) -> str:
    return f"{answer.symbol}{TOGETHER}{answer.word}"


def _whole(shown: str) -> str:
    """A span of a number on one line; a blank between two spans is where a line may end, a name in code stays."""
    return shown if shown == " " or shown.startswith(("`", "<code>", "[`", "[<code>")) else shown.replace(" ", TOGETHER)


def _html(value: str) -> str:
    cut = _AUTOMATIC.sub(lambda found: found[0] + _BREAK, keep_units(visible(value, 300)))
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
