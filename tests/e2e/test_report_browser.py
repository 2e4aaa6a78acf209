"""The report page in a real browser: Chromium, without its network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from mlops_ci.reports import html, report
from tests.unit.reports.report_stories import HOSTILE, STORIES

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = pytest.mark.needs("chromium")

BROWSER = (
    str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    "--hide-scrollbars", "--virtual-time-budget=4000", "--window-size=1400,2200", "--dump-dom",
)  # fmt: skip

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
    handler = partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def look(pages: tuple[Path, str], name: str, *, width: int = 1280, dark: bool = False) -> dict[str, Any]:
    """What the browser made of a page, with the lines its console printed."""
    folder, address = pages
    probe = PROBE.replace("PAGE", f"{name}.html").replace("WIDTH", str(width))
    (folder / f"probe-{name}-{width}.html").write_text(probe, encoding="utf-8")
    profile = folder.parent / f"{folder.name}-profile"
    done = subprocess.run(
        [*BROWSER, f"--user-data-dir={profile}", f"--blink-settings=preferredColorScheme={0 if dark else 1}",
         f"{address}/probe-{name}-{width}.html"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line and "favicon" not in line]
    return {**json.loads(unescape(found[1])), "console": console}


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
        assert _contrast(found["ink"], found["ground"]) >= 7
        assert _contrast(found["answer"], found["ground"]) >= 4.5


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


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two `rgb(...)` colours (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
