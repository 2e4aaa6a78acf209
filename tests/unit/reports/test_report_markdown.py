from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest
from markdown_it import MarkdownIt

from mlops_ci.records.data import ColumnChange
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.reports import document, markdown, report
from mlops_ci.reports.document import Code, Paragraph, Place, Section, Strong, Table, Text
from mlops_ci.reports.story import Story
from mlops_ci.reports.visible import visible
from tests.unit.reports.report_stories import HOSTILE, STORIES, hostile, new_data, refused

ALLOWED = {
    "h3",
    "h4",
    "p",
    "ul",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "strong",
    "b",
    "em",
    "code",
    "pre",
    "details",
    "summary",
    "img",
    "span",
}


class Elements(HTMLParser):
    """Names and attributes of what a reader's browser would be given, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.codeless = ""
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        self.depth += tag in {"code", "pre"}

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in {"code", "pre"}

    def handle_data(self, data: str) -> None:
        self.text += data
        if not self.depth:
            self.codeless += data


def shown(text: str) -> Elements:
    elements = Elements()
    elements.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))
    return elements


def _in_summary(name: str) -> str:
    return (
        f"<details><summary>{markdown.summary(Text(name))}{markdown.summary(Code(name))}</summary>\n\nx\n\n</details>"
    )


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("wrap", [markdown.text, markdown.code, _in_summary])
def test_a_hostile_name_is_shown_as_it_is_and_does_nothing(wrap: Callable[[str], str], name: str) -> None:
    found = shown(wrap(name))
    assert {tag for tag, _ in found.seen} <= {"p", "code", "span", "details", "summary"}
    assert visible(name) in found.text.replace("\u200b", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_in_its_cell(name: str) -> None:
    table = Table(
        head=(name, "b"),
        align=(document.Align.LEFT,) * 2,
        rows=(((Code(name),), (Text(name),)), ((Strong(name),), (Place(name, 2),))),
    )
    text = markdown.render(_document(table))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}


def test_nothing_in_a_hostile_report_becomes_markup() -> None:
    found = shown(markdown.render(report.build(hostile())))
    assert {tag for tag, _ in found.seen} <= ALLOWED
    assert {attrs.get("src") for tag, attrs in found.seen if tag == "img"} <= {
        f"{name}.svg" for name in ("gates", "slices", "roc", "calibration", "confusion", "drift")
    }
    assert all(set(attrs) <= {"src", "alt", "style", "align"} for _, attrs in found.seen)
    assert not re.search(r"@\w|(?<!\w)#\d|GH-\d|://|www\.|:tada:", found.codeless)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", found.text)


@pytest.mark.parametrize("text", ["# one", "- one", "1. one", "2) one", "> one", "+ one", "=== one", "--- one"])
def test_a_line_cannot_begin_something(text: str) -> None:
    assert [tag for tag, _ in shown(markdown.render(_document(Paragraph((Text(text),)))).split("\n\n", 1)[1]).seen] == [
        "p"
    ]


def test_intervals_and_column_names_are_readable_as_plain_text() -> None:
    assert markdown.text("−0.051 [−0.060, −0.042] of dep_delay, > 0") == "−0.051 [−0.060, −0.042] of dep_delay, > 0"
    assert markdown.code("worst(recall, by=origin) >= 0.15 @ 95%") == "`worst(recall, by=origin) >= 0.15 @ 95%`"


def test_a_fence_is_longer_than_any_inside() -> None:
    text = markdown.code_block("```\n````\n</details>")
    assert text.splitlines()[0] == "`````"


def test_places_become_links_where_the_repository_is_known() -> None:
    text = markdown.render(
        report.build(refused()),
        files="https://example.org/o/r/blob/abc/",
        charts="https://example.org/o/r/raw/x/%s.svg",
    )
    assert "[`mlops.yaml:24`](https://example.org/o/r/blob/abc/mlops.yaml#L24)" in text
    assert "](https://example.org/o/r/raw/x/roc.svg)" in text


def _document(*blocks: document.Block) -> document.Document:
    return document.Document(
        project="p",
        outcome=refused().decision.outcome,
        title=(Text("t"),),
        sections=(Section(name="s", keep=1, blocks=blocks),),
    )


def _wide(columns: int) -> Story:
    """Every one of many columns drifted and fails a check with a long hostile name."""
    story = new_data()
    change = story.evidence.data_change
    assert change is not None
    names = [f"column {number} {HOSTILE[number % len(HOSTILE)] * 20}" for number in range(columns)]
    drifted = tuple(
        ColumnChange(column=name, change="drift", before=name, after=name, psi=0.5, floor=0.1) for name in names
    )
    failed = tuple(
        Result(check=name, part=part, status=Status.FAILED, message=name * 3, column=name, details=name * 9)
        for name in names
        for part in (Part.DATA, Part.TESTS)
    )
    evidence = msgspec.structs.replace(story.evidence, data_change=msgspec.structs.replace(change, columns=drifted))
    return msgspec.structs.replace(
        story, evidence=evidence, decision=msgspec.structs.replace(story.decision, checks=failed)
    )


def test_two_thousand_columns_stay_under_githubs_limit() -> None:
    text = markdown.render(report.build(_wide(2_000)))
    assert len(text) < markdown.LIMIT
    assert text.startswith("### flight-delay: **passed**")
    assert "#### Gates" in text
    assert "Left out for length:" in text


@pytest.mark.parametrize("limit", [6_000, 5_000, 4_000, 2_500, 1_000])
def test_whole_sections_are_left_out_and_the_most_needed_choose_first(limit: int) -> None:
    built = report.build(refused())
    assert "Left out" not in markdown.render(built)
    text = markdown.render(built, limit=limit)
    assert len(text) <= limit
    left_out = re.search(r"Left out for length: ([^.]+)\.", text)
    assert left_out
    names = set(left_out[1].split(", "))
    sizes = {
        one.name: len(markdown.sections(msgspec.structs.replace(built, sections=(one,)))) for one in built.sections
    }
    room = (limit - len(text.split("\n")[0])) * 3 / 4
    for dropped in (one for one in built.sections if one.name in names):
        before = sum(sizes[one.name] for one in built.sections if one.keep > dropped.keep and one.name not in names)
        assert before + sizes[dropped.name] > room - 20, dropped.name
    assert text.count("<details>") == text.count("</details>")


def test_a_large_section_does_not_take_smaller_ones_with_it() -> None:
    text = markdown.render(report.build(_wide(2_000)), limit=20_000)
    assert "Left out for length: checks, data" in text
    assert "#### Next" in text
    assert "<b>Provenance: </b>" in text


@pytest.mark.parametrize("name", STORIES)
def test_the_first_line_is_the_verdict(name: str) -> None:
    words = {"passed": "passed", "failed": "refused", "undecided": "undecided", "errored": "could not be judged"}
    story = STORIES[name]()
    waived = {"waived": ", with 2 gates waived"}.get(name, "")
    assert (
        f"**{words[story.decision.outcome.value]}{waived}**. " in markdown.render(report.build(story)).splitlines()[0]
    )
