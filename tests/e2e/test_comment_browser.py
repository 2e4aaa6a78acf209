"""The comment on a pull request as a reader sees it: GitHub's Markdown, GitHub's style sheet, a real browser.

GitHub takes attributes and elements out of comments; here nothing but `<script>` and its like is taken out (the tag
filter of GFM), so that what is inert is so by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from mlops_ci.reports import document, report
from tests import browser
from tests.unit.reports.comment_stories import COMMENTS
from tests.unit.reports.report_stories import STORIES

pytestmark = pytest.mark.needs("chromium")

STYLES = Path(__file__).parents[1] / "data" / "github-markdown-css"
GROUNDS = {"light": "#ffffff", "dark": "#0d1117"}
# Comments have smaller letters than files: `.comment-body` of GitHub's own style sheet.
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>NAME</title><style>STYLE
body { margin: 0; background: GROUND; }
.markdown-body { box-sizing: border-box; padding: 16px; font-size: 14px; }</style>
<article class="markdown-body">COMMENT</article></html>"""
PROBE = """<!doctype html><meta charset="utf-8"><body style="margin:0">FRAMES<pre id="found"></pre><script>
addEventListener("load", () => {
  const told = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, style = (one) => getComputedStyle(page.querySelector(one));
    page.querySelectorAll("details").forEach((part) => { part.open = true; });
    const body = page.querySelector(".markdown-body");
    told[frame.name] = {
      width: page.documentElement.scrollWidth, text: body.innerText, ink: style(".markdown-body").color,
      ground: style("body").backgroundColor, scripts: page.scripts.length, hit: frame.contentWindow.hit === 1,
      scrolled: [...body.querySelectorAll("table")].filter((one) => one.scrollWidth > one.clientWidth).length,
      links: [...page.links].map((one) => one.href),
      images: [...page.images].map((one) => one.complete && one.naturalWidth),
      wide: [...body.querySelectorAll("p, li, h3, h4, summary")]
        .filter((one) => one.scrollWidth > body.clientWidth).length,
      high: page.querySelector("h3").getBoundingClientRect().bottom,
    };
  }
  found.textContent = JSON.stringify(told);
});
</script>"""

# Not ours: it shows that the probe would see what comments must not do.
TWIN = """<h3><span style="display:inline-block;width:2000px">wide</span></h3>
<img src="nothing.svg" onerror="window.hit = 1">

| a | b | c | d |
|---|---|---|---|
| `a.name.that.is.long` | `and.another.that.is.longer` | `and.a.third.that.is.as.long` | `and.the.last.of.the.four` |

https://evil.example"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], dict[str, Any]]:
    """What the browser made of every comment, by width in pixels and theme."""
    folder = tmp_path_factory.mktemp("comments")
    for story in STORIES.values():
        for name, svg in document.charts(report.build(story())).items():
            (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    for theme in GROUNDS:
        for name, told in COMMENTS.items():
            (folder / f"{name}-{theme}.html").write_text(_page(name, told(), theme), encoding="utf-8")
        (folder / f"twin-{theme}.html").write_text(_page("twin", TWIN, theme), encoding="utf-8")
    looks = {}
    with browser.served(folder) as address:
        for width, theme in ((360, "light"), (360, "dark"), (780, "light"), (780, "dark")):
            size = f"width:{width}px;height:900px;border:0"
            names = (*COMMENTS, "twin")
            frames = "".join(f'<iframe name="{one}" src="{one}-{theme}.html" style="{size}"></iframe>' for one in names)
            (folder / "probe.html").write_text(PROBE.replace("FRAMES", frames), encoding="utf-8")
            looks[width, theme] = browser.look(folder, address, "probe.html", dark=theme == "dark")
    return looks


def _page(name: str, told: str, theme: str) -> str:
    """As GitHub shows it; pictures of the ledger lie beside the page."""
    comment = cmarkgfm.github_flavored_markdown_to_html(told, options=Options.CMARK_OPT_UNSAFE)
    beside = re.sub(r'src="https://github\.com/[^"]*/(\w+\.svg)\?raw=true"', r'src="\1"', comment)
    style = (STYLES / f"github-markdown-{theme}.css").read_text(encoding="utf-8")
    page = PAGE.replace("NAME", name).replace("STYLE", style).replace("GROUND", GROUNDS[theme])
    return page.replace("COMMENT", beside)


def each(seen: dict[tuple[int, str], dict[str, Any]]) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
    for (width, theme), found in seen.items():
        for name in COMMENTS:
            yield width, theme, name, found[name]


def test_nothing_is_wider_than_the_page(seen: dict[tuple[int, str], dict[str, Any]]) -> None:
    for width, theme, name, found in each(seen):
        assert found["width"] <= width, (name, theme)
        assert found["wide"] == 0, (name, theme, width)


def test_no_table_is_scrolled_where_there_is_room(seen: dict[tuple[int, str], dict[str, Any]]) -> None:
    """On a phone a table may be; so may one with names as long as hostile ones are."""
    for width, _, name, found in each(seen):
        if width == 780 and name != "hostile":
            assert found["scrolled"] == 0, name
    assert seen[780, "light"]["twin"]["scrolled"] == 1


def test_nothing_runs_and_every_link_and_picture_is_ours(seen: dict[tuple[int, str], dict[str, Any]]) -> None:
    for _, _, name, found in each(seen):
        assert (found["scripts"], found["hit"]) == (0, False), name
        assert all(link.startswith("https://github.com/acme/ml/") for link in found["links"]), name
        assert all(found["images"]), name
    assert len(seen[780, "light"]["refused"]["images"]) == 5
    assert seen[780, "light"]["no-pictures"]["images"] == []


def test_the_verdict_is_at_the_top_of_a_phone(seen: dict[tuple[int, str], dict[str, Any]]) -> None:
    for width, _, name, found in each(seen):
        if width == 360 and name != "hostile":
            assert found["high"] < 260, name


def test_both_themes_can_be_read(seen: dict[tuple[int, str], dict[str, Any]]) -> None:
    for _, theme, name, found in each(seen):
        assert browser.contrast(found["ink"], found["ground"]) >= 7, (name, theme)
    assert seen[780, "light"]["refused"]["ground"] != seen[780, "dark"]["refused"]["ground"]


def test_hostile_names_are_there_to_read(seen: dict[tuple[int, str], dict[str, Any]]) -> None:
    text = seen[780, "light"]["hostile"]["text"].replace("\u200b", "")
    for name in ("<script>alert(1)</script>", "${{ secrets.TOKEN }}", "![x](javascript:alert(1))", "⟨U+202E⟩gnp.exe"):
        assert name in text
    assert "\u202e" not in text


def test_the_mark_is_not_seen(seen: dict[tuple[int, str], dict[str, Any]]) -> None:
    for _, _, name, found in each(seen):
        assert "mlops-ci:report" not in found["text"], name


def test_the_probe_sees_what_is_wide_or_runs_or_leads_elsewhere(seen: dict[tuple[int, str], dict[str, Any]]) -> None:
    found = {look: pages["twin"] for look, pages in seen.items()}[360, "dark"]
    assert (found["hit"], found["wide"], found["images"]) == (True, 1, [0])
    assert found["width"] > 360
    assert found["links"] == ["https://evil.example/"]
