"""What people read, kept as files: pytest --update-golden writes them anew; then look at what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mlops_ci.reports import document, html, markdown, report, terminal
from tests.conftest import GOLDEN
from tests.unit.reports.report_stories import STORIES, new_data, refused, regression


def texts() -> Iterator[tuple[str, str]]:
    for name, story in STORIES.items():
        told = story()
        built = report.build(told)
        yield f"report-{name}.md", markdown.render(built)
        yield f"report-{name}.html", html.render(built)
        yield f"report-{name}.txt", "\n".join(terminal.verdict_lines(told)) + "\n"
    for story in (new_data, refused, regression):
        for name, svg in document.charts(report.build(story())).items():
            yield f"report-chart-{name}-{story.__name__}.svg", svg


@pytest.mark.parametrize(("name", "text"), [pytest.param(*pair, id=pair[0]) for pair in texts()])
def test_the_text_people_read_is_the_golden_one(name: str, text: str, golden: Callable[[str, str], None]) -> None:
    golden(name, text)


def test_every_golden_belongs_to_a_story() -> None:
    assert {path.name for path in GOLDEN.glob("report-*")} == {name for name, _ in texts()}
