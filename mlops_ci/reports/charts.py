"""The charts of a report: plain values in, an SVG under 8 KB out, or None where there is nothing to see."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mlops_ci.records.data import ColumnProfile
from mlops_ci.records.evaluation import Curve, MetricValue, SliceValue
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import claims, numbers, words
from mlops_ci.reports.drawing import WIDTH, Plane, axes, box, dot, key, label, line, path, picture, slanted, tiles

_UNIT = ((0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1"))
_TONES = {Status.PASSED: "p", Status.FAILED: "f", Status.UNDECIDED: "u"}
_MOST_ROWS = 14


def roc(curve: Curve, champion: Curve | None, name: str, alt: str) -> str:
    """True against false positive rate; the diagonal is guessing."""
    plane = Plane(left=52, top=82, width=404, height=270, x=(0, 1), y=(0, 1))
    parts = axes(plane, _UNIT, _UNIT, "false positives, share of all negatives", "found, share of all positives")
    parts.append(line(*plane.at(0, 0), *plane.at(1, 1), "d"))
    parts += _both(plane, curve, champion)
    return picture("roc", "ROC", alt, 402, [*key(54, _names(champion, name)), *parts])


def calibration(curve: Curve, champion: Curve | None, rows: Curve | None, name: str, alt: str) -> str:
    """Share that came true against the score, with the number of rows behind each point where it is known."""
    plane = Plane(left=52, top=82, width=404, height=230, x=(0, 1), y=(0, 1))
    parts = axes(plane, _UNIT, _UNIT, "", "came true")
    parts.append(line(*plane.at(0, 0), *plane.at(1, 1), "d"))
    parts += _both(plane, curve, champion)
    parts += [dot(*plane.at(x, y), "fa", 3.2) for x, y in _points(curve, 25)]
    bottom = 340.0
    if rows is not None and rows.y and max(rows.y) > 0:
        parts += _row_bars(plane, rows, bottom)
        bottom += 52
    parts.append(label(plane.left + plane.width / 2, bottom + 12, "predicted", "c"))
    return picture("calibration", "Calibration", alt, bottom + 28, [*key(54, _names(champion, name)), *parts])


def _row_bars(plane: Plane, rows: Curve, top: float) -> list[str]:
    most, width = max(rows.y), 10.0
    bars = [
        box(plane.across(x) - width / 2, top + 40 - 40 * y / most, width, 40 * y / most, "ta")
        for x, y in zip(rows.x, rows.y, strict=True)
    ]
    return [
        *bars,
        line(plane.left, top + 40, plane.left + plane.width, top + 40),
        label(plane.left - 8, top + 38, "rows", "e"),
        label(plane.left + plane.width, top + 14, f"at most {numbers.count(int(most))}", "e"),
    ]


def errors(curve: Curve, champion: Curve | None, name: str, alt: str) -> str:
    """Predicted minus true value, from the lowest to the highest: the share of rows whose error is at most this."""
    seen = (0.0, *curve.y, *(champion.y if champion else ()))
    low, high = min(seen), max(seen) or 1.0
    plane = Plane(left=70, top=82, width=386, height=250, x=(0, 1), y=(low, high))
    ys = [(low + (high - low) * step / 4, _scale(low + (high - low) * step / 4)) for step in range(5)]
    xs = [(share, numbers.percent(share, 0)) for share, _ in _UNIT]
    parts = [*axes(plane, xs, ys, "share of rows", "error at most"), *_both(plane, curve, champion)]
    parts.append(line(plane.left, plane.down(0), plane.left + plane.width, plane.down(0), "d"))
    return picture("errors", "Errors, lowest to highest", alt, 382, [*key(54, _names(champion, name)), *parts])


def gates(verdicts: Sequence[Verdict], alt: str) -> str | None:
    """Every gate with an interval, each on a scale of its own around what it needs; right is the good side."""
    shown = [v for v in verdicts if None not in (v.observed, v.threshold, v.low, v.high) and v.verdict in _TONES][
        :_MOST_ROWS
    ]
    if not shown:
        return None
    middle, half = WIDTH / 2, 196.0
    bottom = 62.0 + 58 * len(shown)
    parts = [
        line(middle, 48, middle, bottom, "d"),
        label(middle + 8, 56, "holds →"),
        label(middle - 8, 56, "← does not hold", "e"),
    ]
    for place, verdict in enumerate(shown):
        parts += _gate(verdict, 82.0 + 58 * place, middle, half)
    parts.append(label(middle, bottom + 18, "what the gate needs", "c"))
    return picture("gates", "Gates and their uncertainty", alt, bottom + 34, parts)


def _gate(verdict: Verdict, y: float, middle: float, half: float) -> list[str]:
    observed, low, high, needs = (
        value or 0.0 for value in (verdict.observed, verdict.low, verdict.high, verdict.threshold)
    )
    good = 1 if ">" in claims.comparison(verdict) else -1
    reach = max(abs(value - needs) for value in (observed, low, high)) or 1.0

    def across(value: float) -> float:
        return middle + good * half * (value - needs) / reach

    tone = _TONES[verdict.verdict]
    return [
        label(18, y, verdict.gate, "m i", 64),
        label(18, y + 15, f"{claims.observed(verdict)}, needs {claims.needs(verdict)}"),
        line(across(low), y + 31, across(high), y + 31, f"t s{tone}"),
        dot(across(observed), y + 31, f"f{tone}", 5),
    ]


def slices(cuts: Sequence[SliceValue], metric: MetricValue, name: str, alt: str) -> str | None:
    """One metric on every slice: this commit as a dot, the champion as a ring beside it, the whole as a line."""
    asked, overall = metric.metric, metric.value
    measured = [(value, cut) for cut in cuts if (value := cut.metrics.get(asked)) is not None]
    measured.sort(
        key=lambda pair: (pair[0] if metric.higher_is_better is not False else -pair[0], pair[1].column, pair[1].value)
    )
    shown = [cut for _, cut in measured[:_MOST_ROWS]]
    if not shown:
        return None
    values = [v for cut in shown for v in (cut.metrics.get(asked), cut.champion.get(asked)) if v is not None]
    values += [overall] if overall is not None else []
    low, high = _padded(min(values), max(values))
    bottom = 74.0 + 24 * len(shown)
    plane = Plane(left=186, top=70, width=266, height=bottom - 70, x=(low, high), y=(0, 1))
    parts = [line(plane.across(overall), 66, plane.across(overall), bottom, "d")] if overall is not None else []
    for place, cut in enumerate(shown):
        parts += _slice(cut, asked, plane, 84.0 + 24 * place)
    parts += [
        label(plane.across(low), bottom + 18, _scale(low), "c"),
        label(plane.across(high), bottom + 18, _scale(high), "c"),
    ]
    legend = [dot(24, 50, "fa"), label(34, 54, "this commit", "i")]
    if any(cut.champion.get(asked) is not None for cut in shown):
        legend += [_ring(122, 50), label(132, 54, name, "i", 34)]
    return picture(
        "slices", f"{words.METRICS.get(asked, asked)} by slice, worst first", alt, bottom + 32, [*legend, *parts]
    )


def _slice(cut: SliceValue, metric: str, plane: Plane, y: float) -> list[str]:
    value, champion = cut.metrics[metric], cut.champion.get(metric)
    parts = [label(18, y + 4, f"{cut.column}={cut.value}", "m i", 22), line(plane.left, y, plane.left + plane.width, y)]
    if champion is not None:
        parts.append(_ring(plane.across(champion), y))
    return [*parts, dot(plane.across(value or 0.0), y, "fa")]


def _ring(x: float, y: float) -> str:
    return dot(x, y, "r", 4.5)


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], alt: str) -> str | None:
    """Truth down, prediction across; the darker the more of the truth's rows. Blue is right, red is wrong."""
    if not 2 <= len(classes) <= 12 or len(counts) != len(classes):
        return None
    wide = min(344.0 / len(classes), 84.0)
    left, top = (116.0, 84.0) if wide >= 60 else (100.0, 128.0)
    high = min(wide, 40.0)
    parts = [label(left, 54, "predicted →"), label(18, top - 10, "truth ↓")]
    tones: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for row, (truth, numbers_) in enumerate(zip(classes, counts, strict=True)):
        y, total = top + row * high, sum(numbers_)
        parts.append(label(left - 8, y + high / 2 + 4, truth, "e i", 14))
        parts.append(_column_name(left + row * wide, top - 8, wide, truth))
        for column, number in enumerate(numbers_):
            share = number / total if total else 0.0
            tone = "fa" if row == column else "ff"
            tones.setdefault((tone, math.ceil(share * 8)), []).append((left + column * wide, y))
            if number and (len(classes) <= 6 or share >= 0.02):
                parts.append(label(left + (column + 0.5) * wide, y + high / 2 + 4, _brief(number, wide), "c i"))
    cells = [tiles(corners, wide - 2, high - 2, tone, 0.06 + 0.05 * level) for (tone, level), corners in tones.items()]
    return picture("confusion", "Confusion", alt, top + high * len(classes) + 18, [*cells, *parts])


def _column_name(x: float, y: float, wide: float, name: str) -> str:
    if wide >= 60:
        return label(x + wide / 2, y, name, "c i", 10)
    return slanted(x + wide / 2, y, name, "i")


def drift(pairs: Sequence[tuple[ColumnProfile, ColumnProfile]], alt: str) -> str | None:
    """Columns before and after, each as a histogram of shares."""
    parts, top = [*key(54, (("b", "before"), ("a", "after")))], 74.0
    drawn = 0
    for before, after in pairs[:3]:
        bars = _histogram(before, after, top)
        if bars:
            parts += bars
            top, drawn = top + 96, drawn + 1
    return picture("drift", "Columns that drifted", alt, top + 8, parts) if drawn else None


def _histogram(before: ColumnProfile, after: ColumnProfile, top: float) -> list[str]:
    if before.bins is not None and after.bins is not None and before.bins.edges == after.bins.edges:
        old, new, names = before.bins.counts, after.bins.counts, _edges(before.bins.edges)
    else:
        values = [value for value, _ in before.common[:8]]
        values += [value for value, _ in after.common[:8] if value not in values]
        first, second = dict(before.common), dict(after.common)
        old, new = tuple(first.get(v, 0) for v in values), tuple(second.get(v, 0) for v in values)
        names = (values[0], values[-1]) if values else ("", "")
    if not old or not before.rows or not after.rows:
        return []
    shares = [count / before.rows for count in old], [count / after.rows for count in new]
    most, width = max(*shares[0], *shares[1]) or 1.0, 444 / len(old)
    bars = [label(18, top + 12, after.name, "m i", 50)]
    for style, inset, side in (("tb", 0.06, shares[0]), ("ta", 0.06, shares[1])):
        bars += [
            box(18 + width * (i + inset), top + 70 - 50 * s / most, width * (1 - 2 * inset), 50 * s / most, style)
            for i, s in enumerate(side)
            if s
        ]
    return [
        *bars,
        line(18, top + 70, 462, top + 70),
        label(18, top + 84, names[0], "", 24),
        label(462, top + 84, names[1], "e", 24),
    ]


def _edges(edges: Sequence[float]) -> tuple[str, str]:
    return (
        (f"below {numbers.exact(round(edges[0], 3))}", f"{numbers.exact(round(edges[-1], 3))} and above")
        if edges
        else ("", "")
    )


def _both(plane: Plane, curve: Curve, champion: Curve | None) -> list[str]:
    old = [path([plane.at(x, y) for x, y in _points(champion)], "b")] if champion is not None and champion.x else []
    return [*old, path([plane.at(x, y) for x, y in _points(curve)], "a")]


def _points(curve: Curve, most: int = 101) -> list[tuple[float, float]]:
    return list(zip(curve.x, curve.y, strict=True))[:most]


def _names(champion: Curve | None, name: str) -> list[tuple[str, str]]:
    return [("a", "this commit"), *([("b", name)] if champion is not None else [])]


def _padded(low: float, high: float) -> tuple[float, float]:
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _scale(value: float) -> str:
    return numbers.fixed(value, min(numbers.natural(value), 3))


def _brief(number: int, cell: float) -> str:
    """A count that fits its cell: 12,345 or 12k."""
    text = numbers.count(number)
    return text if len(text) * 7.2 <= cell or number < 1000 else f"{number / 1000:.0f}k"
