"""The report of a release as people read it, and what its sentences promise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlops_ci.reports import html, markdown, report
from tests.conftest import GOLDEN
from tests.unit.reports.release_stories import STORIES, errored, first, second


@pytest.mark.parametrize("name", STORIES)
def test_the_report_of_a_release_is_the_golden_one(name: str, golden: Callable[[str, str], None]) -> None:
    built = report.build(STORIES[name]())
    golden(f"release/{name}.md", markdown.render(built))
    golden(f"release/{name}.html", html.render(built))


def test_every_golden_belongs_to_a_release() -> None:
    named = {f"{name}.{ending}" for name in STORIES for ending in ("md", "html")}
    assert {path.name for path in (GOLDEN / "release").iterdir()} == named


def test_a_first_release_is_compared_with_nothing() -> None:
    assert "Since" not in markdown.render(report.build(first()))


def test_what_changed_is_told_from_the_release_before() -> None:
    text = markdown.render(report.build(second())).replace("\N{NO-BREAK SPACE}", " ")
    assert "#### Since v1" in text
    assert "| library scikit-learn | 1.8.2 | 1.9.1 |" in text
    assert "| library lightgbm | 4.5.0 | – |" in text
    assert "0.836 to 0.846" in text
    assert "240 MB, 71 MB, 1.2 MB" in text


def test_what_a_hostile_job_left_is_text() -> None:
    text = html.render(report.build(errored()))
    assert "<script>alert" not in text
    assert "could not be" in markdown.render(report.build(errored()))
