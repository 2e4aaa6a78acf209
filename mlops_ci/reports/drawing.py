"""SVG by hand: a card with its own background, readable on white and on black, the same bytes every time.

Colours follow the reader's scheme inside the picture, ground and ink together, so a picture on a page of the other
scheme still reads. Everything written into a picture is escaped here.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

from mlops_ci.reports.visible import visible

WIDTH = 480
_STYLE = (
    ".mc{--g:#fff;--i:#1c2024;--s:#5b636d;--l:#d9dbd6;--a:#0b5cad;--b:#8a6d1d;--p:#116b37;--f:#b3261e;--u:#84520a;"
    "font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',Arial,sans-serif}"
    "@media(prefers-color-scheme:dark){.mc{--g:#1b1f23;--i:#e6e8ea;--s:#9da6af;--l:#3a4148;--a:#79b8ff;--b:#d8b55a;"
    "--p:#5fcf8b;--f:#ff8f85;--u:#f0b862}}"
    ".mc .g{fill:var(--g);stroke:var(--l)}.mc text{fill:var(--s)}.mc .i{fill:var(--i)}"
    ".mc .h{fill:var(--i);font-size:14px;font-weight:600}"
    ".mc .l{stroke:var(--l);fill:none}.mc .d{stroke:var(--s);stroke-dasharray:4 4;fill:none}"
    ".mc .a{stroke:var(--a);fill:none;stroke-width:2.2}"
    ".mc .b{stroke:var(--b);fill:none;stroke-width:2;stroke-dasharray:6 3}"
    ".mc .r{stroke:var(--b);fill:none;stroke-width:2}"
    ".mc .fa{fill:var(--a)}.mc .fp{fill:var(--p)}.mc .ff{fill:var(--f)}.mc .fu{fill:var(--u)}"
    ".mc .sp{stroke:var(--p)}.mc .sf{stroke:var(--f)}.mc .su{stroke:var(--u)}"
    ".mc .t{stroke-width:3;stroke-linecap:round}.mc .ta{fill:var(--a);opacity:.3}.mc .tb{fill:var(--b);opacity:.45}"
    ".mc .m{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:11px}"
    ".mc .e{text-anchor:end}.mc .c{text-anchor:middle}"
)


class Plane(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle of the picture with a scale on each side; `low` to `high` on each axis."""

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.across(x), self.down(y)

    def across(self, x: float) -> float:
        low, high = self.x
        return self.left + self.width * _share(x, low, high)

    def down(self, y: float) -> float:
        low, high = self.y
        return self.top + self.height * (1 - _share(y, low, high))


def _share(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5


def picture(name: str, title: str, alt: str, height: float, parts: Sequence[str]) -> str:
    """The whole SVG: `parts` on a card under its title. `alt` is read out to those who cannot see it."""
    safe = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name)
    size = f'viewBox="0 0 {WIDTH} {_n(height)}" width="{WIDTH}" height="{_n(height)}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mc" {size} role="img" aria-labelledby="{safe}-t {safe}-d">'
        f'<title id="{safe}-t">{_t(title)}</title><desc id="{safe}-d">{_t(alt, 400)}</desc><style>{_STYLE}</style>'
    )
    card = f'<rect class="g" x=".5" y=".5" width="{WIDTH - 1}" height="{_n(height - 1)}" rx="8"/>'
    return "".join((head, card, label(18, 27, title, "h"), *parts, "</svg>\n"))


def label(x: float, y: float, text: str, style: str = "", most: int = 60) -> str:
    """Text with its baseline at x, y. Styles: i ink, m monospace, e ends at x, c is centred on x."""
    return f'<text x="{_n(x)}" y="{_n(y)}"{_c(style)}>{_t(text, most)}</text>'


def slanted(x: float, y: float, text: str, style: str = "", most: int = 12) -> str:
    """Text that rises to the right, for columns too narrow for their names."""
    return f'<text transform="translate({_n(x)} {_n(y)}) rotate(-45)"{_c(style)}>{_t(text, most)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, style: str = "l") -> str:
    return f'<path d="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}"{_c(style)}/>'


def path(points: Sequence[tuple[float, float]], style: str, *, closed: bool = False) -> str:
    steps = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    return f'<path d="M{steps}{"Z" if closed else ""}"{_c(style)}/>'


def dot(x: float, y: float, style: str, radius: float = 4) -> str:
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"{_c(style)}/>'


def box(x: float, y: float, width: float, height: float, style: str) -> str:
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"{_c(style)}/>'


def tiles(corners: Sequence[tuple[float, float]], width: float, height: float, style: str, opacity: float) -> str:
    """Equal rectangles of one colour as one path, which keeps large tables small."""
    steps = "".join(f"M{_n(x)} {_n(y)}h{_n(width)}v{_n(height)}h{_n(-width)}z" for x, y in corners)
    return f'<path d="{steps}"{_c(style)} opacity="{opacity:.2f}"/>'


def axes(
    plane: Plane, xs: Sequence[tuple[float, str]], ys: Sequence[tuple[float, str]], x_name: str, y_name: str
) -> list[str]:
    """Grid lines with their numbers, and the names of both axes."""
    right, bottom = plane.left + plane.width, plane.top + plane.height
    parts = [line(plane.left, plane.down(y), right, plane.down(y)) for y, _ in ys]
    parts += [label(plane.left - 8, plane.down(y) + 4, text, "e") for y, text in ys]
    parts += [label(plane.across(x), bottom + 17, text, "c") for x, text in xs]
    return [
        *parts,
        label(plane.left + plane.width / 2, bottom + 35, x_name, "c"),
        label(plane.left, plane.top - 9, y_name),
    ]


def key(y: float, items: Sequence[tuple[str, str]], x: float = 18) -> list[str]:
    """What the lines are: style and name side by side."""
    parts = []
    for style, name in items:
        parts += [line(x, y - 4, x + 22, y - 4, style), label(x + 28, y, name, "i", 34)]
        x += 44 + 6.6 * min(len(name), 34)
    return parts


def _n(value: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def _c(style: str) -> str:
    return f' class="{style}"' if style else ""


def _t(text: str, most: int = 60) -> str:
    return escape(visible(text, most))
