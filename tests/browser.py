"""A real browser: Chromium, without its network, and a server on this machine for the pages it looks at."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import contextmanager
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
_COMMAND = (
    str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    "--hide-scrollbars", "--virtual-time-budget=4000", "--window-size=1400,2200", "--dump-dom",
)  # fmt: skip


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address under which the pages of a folder are to be had."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def look(folder: Path, address: str, probe: str, *, dark: bool = False) -> dict[str, Any]:
    """What the page `probe` of the folder writes into its `<pre id="found">`, with the lines of the console.

    A page that forbids scripts is looked at from outside: the probe holds it in a frame.
    """
    profile = folder.parent / f"{folder.name}-profile"
    done = subprocess.run(
        [*_COMMAND, f"--user-data-dir={profile}", f"--blink-settings=preferredColorScheme={0 if dark else 1}",
         f"{address}/{probe}"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line and "favicon" not in line]
    return {**json.loads(unescape(found[1])), "console": console}


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two `rgb(...)` colours (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
