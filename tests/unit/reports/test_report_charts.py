from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from mlops_ci.records.data import ColumnProfile
from mlops_ci.records.evaluation import Curve, MetricValue, SliceValue
from mlops_ci.records.tables import Kind
from mlops_ci.reports import charts, document, report
from tests.unit.reports.report_stories import ACCURACY, HOSTILE, RECALL, STORIES, curve

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("story", STORIES.values())
def test_every_chart_is_small_well_formed_and_has_words(story) -> None:
    for name, svg in document.charts(report.build(story())).items():
        root = ET.fromstring(svg)
        assert len(svg.encode()) < 8_000, name
        assert root.tag == f"{SVG}svg"
        assert root.find(f"{SVG}title").text
        assert root.find(f"{SVG}desc").text
        assert {child.tag.removeprefix(SVG) for child in root.iter()} <= {
            "svg",
            "title",
            "desc",
            "style",
            "rect",
            "text",
            "path",
            "circle",
        }
        assert "http" not in re.sub(r'xmlns="[^"]*"|<(text|title|desc)[^<]*', "", svg)


def test_each_task_has_its_charts() -> None:
    drawn = {name: set(document.charts(report.build(story()))) for name, story in STORIES.items()}
    assert drawn["refused"] == {"gates", "slices", "roc", "calibration", "confusion"}
    assert drawn["new-data"] >= {"drift"}
    assert drawn["regression"] == {"gates", "slices", "errors"}
    assert drawn["multiclass"] == {"gates", "confusion"}
    assert drawn["leak"] == drawn["crashed"] == set()


def test_a_gate_that_fails_is_drawn_on_the_left_and_one_that_passes_on_the_right() -> None:
    svg = charts.gates([RECALL, ACCURACY], "alt")
    middle = 240.0
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', svg)]
    assert dots[0] < middle < dots[1]
    low, high = re.findall(r'<path d="M([\d.]+) [\d.]+L([\d.]+) [\d.]+" class="t su"', svg)[0]
    assert float(low) < middle < float(high)


def test_the_worst_slice_is_on_top_also_where_lower_is_better() -> None:
    cuts = [
        SliceValue(column="c", value=name, rows=9, metrics={"mae": value})
        for name, value in (("good", 1.0), ("bad", 3.0))
    ]
    svg = charts.slices(cuts, MetricValue(metric="mae", value=2.0, higher_is_better=False), "", "alt")
    assert svg.index("c=bad") < svg.index("c=good")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_a_chart(name: str) -> None:
    cuts = [SliceValue(column=name, value=name, rows=9, metrics={name: 0.5}, champion={name: 0.4})]
    profile = ColumnProfile(name=name, kind=Kind.TEXT, rows=3, missing=0, distinct=1, common=((name, 3),))
    for svg in (
        charts.slices(cuts, MetricValue(metric=name, value=0.5), name, name),
        charts.drift([(profile, profile)], name),
        charts.roc(curve(0.5), curve(0.4), name, name),
        charts.confusion([[1, 2], [3, 4]], [name, name], name),
    ):
        root = ET.fromstring(svg)
        assert not any(
            element.tag.removeprefix(SVG) in {"script", "img", "a", "image", "foreignObject"} for element in root.iter()
        )
        assert not any(key.startswith("on") for element in root.iter() for key in element.attrib)


@pytest.mark.parametrize("points", [(), (0.5,), (0.0, 0.0)])
def test_few_or_equal_points_still_draw(points: tuple[float, ...]) -> None:
    line = Curve(x=points, y=points)
    for svg in (charts.errors(line, None, "", "alt"), charts.roc(Curve(x=(0.0, 1.0), y=(0.0, 1.0)), None, "", "alt")):
        assert "nan" not in svg.lower()
        ET.fromstring(svg)


def test_nothing_to_draw_is_no_chart() -> None:
    assert charts.gates([], "alt") is None
    assert charts.slices([], MetricValue(metric="f1", value=None), "", "alt") is None
    assert charts.confusion([], [], "alt") is None
    assert charts.drift([], "alt") is None
