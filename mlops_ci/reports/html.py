"""A document as one self-contained page: no script, nothing from elsewhere, light and dark, paper and phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.render import render as render_template
from mlops_ci.reports.document import Document, filled, plain
from mlops_ci.reports.visible import keep_units, visible, visible_lines

if TYPE_CHECKING:
    from markupsafe import Markup

_OPEN = frozenset({"charts"})
"""Sections whose folded parts are shown unfolded: a page has room that a comment has not."""


def render(document: Document) -> str:
    """The whole page. Everything in it is escaped by the template; charts are our own SVG."""
    return render_template(
        "report/page.html",
        document=document,
        heading=visible(plain(document.title), 300),
        kind=_kind,
        text=_text,
        code=_code,
        lines=visible_lines,
        filled=filled,
        drawing=_drawing,
        open_sections=_OPEN,
    )


def _kind(value: object) -> str:
    return type(value).__name__


def _text(value: str) -> str:
    """Visible text in which a number is not parted from its unit."""
    return keep_units(visible(value))


def _code(value: object) -> str:
    return visible(str(value), 300) or "(empty)"


def _drawing(svg: str) -> Markup:
    """A chart of ours (charts.py escapes what it writes) as it is."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704 - made by charts.py, never text from elsewhere
