"""How numbers are written, everywhere the same: 0.838, 1,904, −0.0031, 12.3 %, 65 MB.

Digits follow the uncertainty by the rule of the Particle Data Group (https://pdg.lbl.gov, Introduction, 5.3): of an
uncertainty whose first three digits are 100 to 354 two digits are kept, of any other one.
"""

from __future__ import annotations

import math

MINUS = "−"
NONE = "–"
_MOST_DECIMALS = 9


def count(value: int) -> str:
    """1904 -> 1,904"""
    return f"{value:,}".replace("-", MINUS)


def signed_count(value: int) -> str:
    """29425 -> +29,425"""
    return f"{value:+,}".replace("-", MINUS)


def decimals(uncertainty: float) -> int:
    """How many digits after the point a value with this uncertainty deserves, 0 to 9."""
    if not math.isfinite(uncertainty) or uncertainty <= 0:
        return 3
    exponent = math.floor(math.log10(uncertainty))
    first_three = round(uncertainty / 10.0 ** (exponent - 2))
    digits = 2 if first_three < 355 or first_three >= 1000 else 1
    return min(max(digits - 1 - exponent, 0), _MOST_DECIMALS)


def fixed(value: float | None, places: int) -> str:
    """With that many decimals, a real minus sign and no negative zero: -0.0031, 4 -> −0.0031"""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return {"inf": "∞", "-inf": f"{MINUS}∞"}.get(str(value), "not a number")
    text = f"{value:,.{places}f}"
    if text.startswith("-") and not text.strip("-0.,"):
        text = text[1:]
    return text.replace("-", MINUS)


def signed(value: float | None, places: int) -> str:
    """As `fixed`, with a plus for what is above zero."""
    text = fixed(value, places)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.,") else text


def natural(value: float) -> int:
    """Decimals of a number with no known uncertainty: three significant digits, three decimals below one."""
    if value == 0 or not math.isfinite(value):
        return 0
    size = math.floor(math.log10(abs(value)))
    if size < -3:
        return min(2 - size, _MOST_DECIMALS)
    return 3 if size < 0 else max(2 - size, 0)


def exact(value: float | None) -> str:
    """A number somebody wrote (a threshold), with as many digits as it has: 0.38, −0.005, 1,000"""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return fixed(value, 0)
    digits = f"{value:.12f}".rstrip("0").rstrip(".")
    return fixed(value, len(digits.partition(".")[2]))


def apart(value: float, other: float, places: int) -> int:
    """Enough decimals that two different numbers are not written alike, beginning with `places`."""
    while places < _MOST_DECIMALS and value != other and fixed(value, places) == fixed(other, places):
        places += 1
    return places


def percent(share: float | None, places: int = 1) -> str:
    """0.1234 -> 12.3 %"""
    return NONE if share is None else f"{fixed(share * 100, places)} %"


def size(bytes_: float) -> str:
    """65000000 -> 65 MB (powers of 1000)"""
    unit, value = "bytes", float(bytes_)
    for larger in ("kB", "MB", "GB", "TB"):
        if abs(value) < 999.5:
            break
        unit, value = larger, value / 1000
    places = 0 if unit == "bytes" or abs(value) >= 9.95 else 1
    return f"{fixed(value, places)} {unit}"


def duration(seconds: float) -> str:
    """0.31 -> 0.3 s, 125 -> 2 min 5 s"""
    if 0 < seconds < 0.00995:
        milliseconds = seconds * 1000
        return f"{fixed(milliseconds, max(1, natural(milliseconds) if seconds < 0.001 else 1)).removesuffix('.0')} ms"
    if 0 < seconds < 1:
        return f"{fixed(seconds * 1000, 0)} ms" if seconds < 0.05 else f"{fixed(seconds, 1)} s"
    if seconds < 59.95:
        return f"{fixed(seconds, 1)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def with_unit(value: float | None, unit: str, places: int | None = None) -> str:
    """A value in its unit: `bytes` and `s` choose a readable size, any other unit follows the number."""
    if value is None:
        return NONE
    if unit in {"bytes", "B"}:
        return size(value)
    if unit in {"s", "seconds"}:
        return duration(value)
    if unit in {"rows", "count"}:
        return fixed(value, 0)
    text = fixed(value, natural(value) if places is None else places)
    return f"{text} {unit}" if unit else text


def short(digest: str) -> str:
    """The first digits of a digest or commit, enough to recognise it."""
    return digest.removeprefix("sha256:")[:7]


def plural(number: int, one: str, many: str = "") -> str:
    """1 row, 2 rows"""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
