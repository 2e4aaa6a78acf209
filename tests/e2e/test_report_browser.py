"""The report page in a real browser: Chromium, without its network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_ci.reports import html, report
from tests import browser
from tests.unit.reports.report_stories import HOSTILE, STORIES

pytestmark = pytest.mark.needs("chromium")

# The page forbids scripts, so it is looked at from outside: a page of the test holds it in a frame of a phone's width.
PROBE = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe id="frame" src="PAGE" style="width:WIDTHpx;height:2000px;border:0"></iframe><pre id="found"></pre><script>
frame.onload = () => {
  const page = frame.contentDocument, style = (find) => getComputedStyle(page.querySelector(find));
  const parts = [...page.querySelectorAll("details")];
  parts.forEach((part) => { part.open = true; });
  found.textContent = JSON.stringify({
    width: page.documentElement.scrollWidth, ground: style("body").backgroundColor, ink: style("body").color,
    banner: style("header").borderTopColor,
    answer: page.querySelector(".failed") ? style(".failed").color : "",
    scripts: page.scripts.length, images: page.images.length, alert: frame.contentWindow.hit === 1,
    text: page.body.innerText, title: page.title, headings: page.querySelectorAll("h1").length,
    lang: page.documentElement.lang,
    headless: [...page.querySelectorAll("table")].filter((one) => !one.querySelector("th[scope=col]")).length,
    loaded: frame.contentWindow.performance.getEntriesByType("resource").length,
    ids: [...page.querySelectorAll("[id]")].map((one) => one.id),
  });
};
</script>"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder of pages, served on this machine."""
    folder = tmp_path_factory.mktemp("pages")
    for name, story in STORIES.items():
        page = html.render(report.build(story()))
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    # A twin without protection shows that the probe would see a script that runs.
    (folder / "open.html").write_text(
        "<!doctype html><header><script>window.hit = 1</script></header>", encoding="utf-8"
    )
    with browser.served(folder) as address:
        yield folder, address


def look(pages: tuple[Path, str], name: str, *, width: int = 1280, dark: bool = False) -> dict[str, Any]:
    """What the browser made of a page, with the lines its console printed."""
    folder, address = pages
    probe = PROBE.replace("PAGE", f"{name}.html").replace("WIDTH", str(width))
    (folder / f"probe-{name}-{width}.html").write_text(probe, encoding="utf-8")
    return browser.look(folder, address, f"probe-{name}-{width}.html", dark=dark)


@pytest.mark.parametrize("name", ["refused", "hostile"])
def test_a_phone_shows_the_page_without_scrolling_sideways(pages: tuple[Path, str], name: str) -> None:
    found = look(pages, name, width=360)
    assert found["width"] <= 360
    assert found["console"] == []


@pytest.mark.parametrize("name", STORIES)
def test_the_page_is_quiet_complete_and_loads_nothing(pages: tuple[Path, str], name: str) -> None:
    found = look(pages, name)
    assert found["console"] == []
    assert (found["scripts"], found["images"], found["loaded"]) == (0, 0, 0)
    assert (found["headings"], found["lang"], found["headless"]) == (1, "en", 0)
    assert len(found["ids"]) == len(set(found["ids"]))
    assert STORIES[name]().decision.project.split()[0] in found["title"]


def test_dark_mode_has_its_own_colours_and_both_can_be_read(pages: tuple[Path, str]) -> None:
    light, dark = look(pages, "refused"), look(pages, "refused", dark=True)
    for what in ("ground", "ink", "banner", "answer"):
        assert light[what] != dark[what]
    for found in (light, dark):
        assert browser.contrast(found["ink"], found["ground"]) >= 7
        assert browser.contrast(found["answer"], found["ground"]) >= 4.5


def test_a_hostile_name_is_displayed_and_not_run(pages: tuple[Path, str]) -> None:
    found = look(pages, "hostile")
    assert found["alert"] is False
    for name in (
        "<script>alert(1)</script>",
        "${{ secrets.TOKEN }}",
        "<img src=x onerror=alert(1)>",
        "⟨U+202E⟩gnp.exe",
        "⟨U+001B⟩[31mred",
    ):
        assert name in found["text"]
    assert any("\u202e" in name for name in HOSTILE)
    assert "\u202e" not in found["text"]


def test_the_probe_sees_a_script_that_runs(pages: tuple[Path, str]) -> None:
    found = look(pages, "open")
    assert found["alert"] is True
    assert found["scripts"] == 1
