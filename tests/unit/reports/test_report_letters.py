"""Charts drawn with letters: small, in line, and true."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest

from mlops_ci.records.data import Bins, ColumnProfile
from mlops_ci.records.evaluation import Curve, MetricValue, SliceValue
from mlops_ci.records.outcomes import Status
from mlops_ci.records.tables import Kind
from mlops_ci.reports import document, letters, markdown, report
from mlops_ci.reports.document import Block, CodeBlock, Table
from tests.unit.reports.report_stories import ACCURACY, AUC, HOSTILE, RECALL, SIZE, STORIES, curve, verdict
from tests.unit.reports.test_report_markdown import shown


def lines(blocks: tuple[Block, ...]) -> list[str]:
    return [line for block in blocks if isinstance(block, CodeBlock) for line in block.text.splitlines()]


@pytest.mark.parametrize("name", STORIES)
def test_every_chart_is_drawn_with_letters_too(name: str, golden: Callable[[str, str], None]) -> None:
    built = report.build(STORIES[name]())
    drawn = msgspec.structs.replace(built, sections=tuple(one for one in built.sections if one.name == "charts"))
    told = markdown.sections(drawn, charts=None)
    assert "![" not in told
    if name in {"refused", "new-data", "regression", "multiclass", "hostile"}:
        golden(f"letters-{name}.md", told)


def test_drawings_are_narrow_and_their_lines_are_whole() -> None:
    for story in STORIES.values():
        for section in report.build(story()).sections:
            for block in _all(section.blocks):
                if isinstance(block, document.Chart):
                    for line in lines(block.drawn):
                        assert len(line) <= 75, line
                        assert line.isprintable()


def _all(blocks: tuple[Block, ...]) -> list[Block]:
    return [one for block in blocks for one in (*_all(getattr(block, "blocks", ())), block)]


def test_what_holds_is_on_the_right_of_what_is_needed_also_where_less_is_better() -> None:
    less = verdict("mae <= 3", observed=2.5, low=2.4, high=2.6, threshold=3.0)
    for one, side in ((RECALL, -1), (AUC, 1), (less, 1)):
        strip = lines(letters.gates([one]))[2]
        need, value = strip.index("│"), strip.index("●")
        assert (value - need) * side > 0
        assert strip.index("├") < value < strip.index("┤")
        assert need == 2 + 14
    across = lines(letters.gates([ACCURACY]))[2]
    assert across[16] == "┼"


def test_a_gate_without_an_interval_is_not_drawn() -> None:
    assert letters.gates([SIZE]) == ()
    skipped = verdict("a > 0", Status.SKIPPED, observed=1.0, low=0.0, high=2.0, threshold=0.0)
    assert letters.gates([skipped]) == ()


def test_a_curve_is_read_between_its_points() -> None:
    straight = Curve(x=(0.0, 0.1, 1.0), y=(0.0, 0.5, 1.0))
    told = lines(letters.roc(straight, None, ""))
    assert [re.findall(r"(\d+) %", line)[1] for line in told] == ["5", "25", "50", "56", "72"]


def test_a_bar_is_as_long_as_its_share() -> None:
    told = lines(letters.calibration(Curve(x=(0.9, 0.95), y=(0.5, 1.0)), None, None, ""))
    assert told[0].count("█") == 10
    assert told[1].count("█") == 19  # the mark is on the last but one letter
    assert told[1].endswith("█│")


def test_confusion_is_a_table_with_truth_down() -> None:
    (table,) = letters.confusion([[8, 2], [1, 9]], ["no", "yes"])
    assert isinstance(table, Table)
    assert markdown.render(_document(table)).split("\n")[2:] == [
        "| truth ↓ predicted → | no | yes |",
        "|---|--:|--:|",
        "| no | 8 | 2 |",
        "| yes | 1 | 9 |",
        "",
    ]


def _document(*blocks: Block) -> document.Document:
    built = report.build(STORIES["refused"]())
    return msgspec.structs.replace(built, sections=(document.Section(name="charts", keep=1, blocks=blocks),))


def test_heights_follow_the_shares() -> None:
    bins = Bins(edges=(1.0, 2.0), counts=(0, 40, 100))
    one = ColumnProfile(name="c", kind=Kind.FLOAT, rows=140, missing=0, distinct=9, bins=bins)
    assert lines(letters.drift([(one, one)]))[1] == "  before   ▄█"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_a_drawing(name: str) -> None:
    cuts = [SliceValue(column=name, value=name, rows=9, metrics={name: 0.5}, champion={name: 0.4})]
    profile = ColumnProfile(name=name, kind=Kind.TEXT, rows=3, missing=0, distinct=1, common=((name, 3),))
    blocks = (
        *letters.gates([msgspec.structs.replace(RECALL, gate=name)]),
        *letters.slices(cuts, MetricValue(metric=name, value=0.5), name),
        *letters.drift([(profile, profile)]),
        *letters.roc(curve(0.5), curve(0.4), name),
        *letters.confusion([[1, 2], [3, 4]], [name, name]),
    )
    found = shown(markdown.render(_document(*blocks)).split("\n", 1)[1])
    assert {tag for tag, _ in found.seen} <= {"p", "pre", "code", "table", "thead", "tbody", "tr", "th", "td", "span"}
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", found.text)


def test_nothing_to_draw_is_nothing() -> None:
    assert letters.gates([]) == letters.slices([], MetricValue(metric="f1", value=None), "") == ()
    assert letters.confusion([], []) == letters.drift([]) == ()
