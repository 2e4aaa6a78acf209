"""The charts of a report drawn with letters, for e-mail, the page of a run and wherever no picture can be kept.

Every function gives blocks of a few lines, at most 75 letters wide, or none where there is nothing to see.
Names in them are made visible here, so that columns stay in line, and escaped by the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mlops_ci.records.data import ColumnProfile
from mlops_ci.records.evaluation import Curve, MetricValue, SliceValue
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import claims, numbers, words
from mlops_ci.reports.document import Align, Block, CodeBlock, Paragraph, Spans, Table, Text
from mlops_ci.reports.visible import visible

_DRAWN = (Status.PASSED, Status.FAILED, Status.UNDECIDED)
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"
_MOST = 12
_HALF = 14
"""Letters on either side of what a gate needs."""
_BAR = 20
_RATES = (0.01, 0.05, 0.1, 0.2, 0.5)
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def gates(verdicts: Sequence[Verdict]) -> tuple[Block, ...]:
    """Every gate with an interval, each on a scale of its own around what it needs; right is the good side."""
    shown = [v for v in verdicts if None not in (v.observed, v.threshold, v.low, v.high) and v.verdict in _DRAWN]
    lines = [f"  {'← does not hold':>{_HALF}}│{'holds →':<{_HALF}}".rstrip()] if shown else []
    for one in shown[:_MOST]:
        value = visible(claims.observed(one), 24)
        lines += [f"{words.SYMBOLS[one.verdict]} {value}  {_name(one.gate, 48)}", f"  {_strip(one).rstrip()}"]
    return _drawn("Gates: ● the value, ├─┤ its interval, │ what is needed; every row has a scale of its own.", lines)


def _strip(one: Verdict) -> str:
    """A row of 2 * _HALF + 1 letters: the interval, the value in it and the need in the middle."""
    observed, low, high, needs = (value or 0.0 for value in (one.observed, one.low, one.high, one.threshold))
    good = 1 if ">" in claims.comparison(one) else -1
    reach = max(abs(value - needs) for value in (observed, low, high)) or 1.0

    def across(value: float) -> int:
        return _HALF + good * round(_HALF * (value - needs) / reach)

    ends = sorted((across(low), across(high)))
    row = [" "] * (2 * _HALF + 1)
    row[ends[0] : ends[1] + 1] = "─" * (ends[1] - ends[0] + 1)
    row[ends[0]], row[ends[1]] = "├", "┤"
    row[_HALF] = "┼" if ends[0] < _HALF < ends[1] else "│"
    row[across(observed)] = "●"
    return "".join(row)


def roc(curve: Curve, champion: Curve | None, name: str) -> tuple[Block, ...]:
    """The share of positives that is found at a few shares of false positives."""
    lines = []
    for rate in _RATES:
        found = _at(curve, rate)
        before = f"   {_name(name, 16)} {numbers.percent(_at(champion, rate), 0)}" if champion and champion.x else ""
        lines.append(f"{numbers.percent(rate, 0):>5}  {numbers.percent(found, 0):>5}  {_bar(found)}{before}".rstrip())
    return _drawn("ROC: at the share of false positives on the left, this share of the positives is found.", lines)


def calibration(curve: Curve, champion: Curve | None, rows: Curve | None, name: str) -> tuple[Block, ...]:
    """The share that came true for each score; the mark in a bar is where it would be if scores were probabilities."""
    counts = dict(zip(rows.x, rows.y, strict=True)) if rows is not None else {}
    old = dict(zip(champion.x, champion.y, strict=True)) if champion is not None else {}
    lines = []
    for x, y in _few(list(zip(curve.x, curve.y, strict=True))):
        beside = [f"{_name(name, 16)} {numbers.fixed(old[x], 2)}"] if x in old else []
        beside += [numbers.plural(int(counts[x]), "row")] if x in counts else []
        end = f"   {', '.join(beside)}" if beside else ""
        lines.append(f"{numbers.fixed(x, 2):>5}  {numbers.fixed(y, 2)}  {_bar(y, mark=x)}{end}".rstrip())
    return _drawn("Calibration: what was predicted, and the share that came true; │ is where both are equal.", lines)


def errors(curve: Curve, champion: Curve | None, name: str) -> tuple[Block, ...]:
    """Predicted minus true value: this share of the rows has an error of at most this."""
    lines = []
    for share in _SHARES:
        before = f"   {_name(name, 16)} {_number(_at(champion, share))}" if champion and champion.x else ""
        lines.append(f"{numbers.percent(share, 0):>5}  {_number(_at(curve, share)):>10}{before}")
    return _drawn("Errors, predicted minus true: this share of the rows is at most at this.", lines)


def slices(cuts: Sequence[SliceValue], metric: MetricValue, name: str) -> tuple[Block, ...]:
    """One metric on the slices, the worst first; the mark in a bar is the value on all rows."""
    measured = [(value, cut) for cut in cuts if (value := cut.metrics.get(metric.metric)) is not None]
    falling = metric.higher_is_better is False
    measured.sort(key=lambda pair: (-pair[0] if falling else pair[0], pair[1].column, pair[1].value))
    most = max((value for value, _ in measured), default=0.0)
    if most <= 0 or min(value for value, _ in measured) < 0:
        return ()
    mark = metric.value / most if metric.value is not None and metric.value <= most else None
    wide = max(len(_name(_cut(cut), 20)) for _, cut in measured[:_MOST])
    lines = []
    for value, cut in measured[:_MOST]:
        old = cut.champion.get(metric.metric)
        before = f"   {_name(name, 16)} {_number(old)}" if old is not None else ""
        lines.append(
            f"{_name(_cut(cut), 20):<{wide}}  {_number(value):>6}  {_bar(value / most, mark=mark)}{before}".rstrip()
        )
    asked = words.METRICS.get(metric.metric, metric.metric)
    return _drawn(f"{asked} by slice, worst first; │ is all rows.", lines)


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> tuple[Block, ...]:
    """Truth down, prediction across, as a table."""
    if not 2 <= len(classes) <= _MOST or len(counts) != len(classes):
        return ()
    rows: list[tuple[Spans, ...]] = [
        ((Text(_name(truth, 24)),), *((Text(numbers.count(number)),) for number in line))
        for truth, line in zip(classes, counts, strict=True)
    ]
    head = ("truth ↓ predicted →", *(_name(each, 24) for each in classes))
    align = (Align.LEFT, *(Align.RIGHT,) * len(classes))
    return (Table(head=head, align=align, rows=tuple(rows), caption="Confusion"),)


def drift(pairs: Sequence[tuple[ColumnProfile, ColumnProfile]]) -> tuple[Block, ...]:
    """Columns before and after: numbers as two rows of heights, texts as the shares of their common values.

    A letter is a bin; every column's highest bin is as high as a letter can be.
    """
    lines: list[str] = []
    for before, after in pairs[:3]:
        if not before.rows or not after.rows:
            continue
        told = _heights(before, after) or _values(before, after)
        lines += [_name(after.name, 58), *told] if told else []
    return _drawn("Columns that drifted most: share of rows before and after; │ in a bar is before.", lines)


def _heights(before: ColumnProfile, after: ColumnProfile) -> list[str]:
    if before.bins is None or after.bins is None or before.bins.edges != after.bins.edges or not before.bins.edges:
        return []
    edges = before.bins.edges
    sides = [[count / side.rows for count in side.bins.counts] for side in (before, after) if side.bins is not None]
    most = max(max(side) for side in sides) or 1.0
    rows = [
        "".join(_HEIGHTS[round((len(_HEIGHTS) - 1) * share / most)] if share else " " for share in s) for s in sides
    ]
    ends = f"below {_edge(edges[0])} … {_edge(edges[-1])} and above"
    return [f"  before  {rows[0]}", f"  after   {rows[1]}", f"          {ends}"]


def _height(share: float) -> str:
    return _HEIGHTS[round((len(_HEIGHTS) - 1) * share)] if share else " "


def _values(before: ColumnProfile, after: ColumnProfile) -> list[str]:
    old, new = dict(before.common), dict(after.common)
    names = [name for name, _ in after.common[:6]]
    names += [name for name, _ in before.common[:6] if name not in new]
    wide = max((len(_name(name, 12)) for name in names), default=0)
    lines = []
    for name in names[:8]:
        now, was = new.get(name, 0) / after.rows, old.get(name, 0) / before.rows
        moved = f"{numbers.percent(was):>7} → {numbers.percent(now):>7}"
        lines.append(f"  {_name(name, 12):<{wide}} {moved}  {_bar(now, mark=was)}".rstrip())
    return lines


def _drawn(caption: str, lines: list[str]) -> tuple[Block, ...]:
    return (Paragraph((Text(caption),)), CodeBlock("\n".join(lines))) if lines else ()


def _bar(share: float | None, *, mark: float | None = None) -> str:
    """A bar of _BAR letters in eighths of a letter, 0 to 1; `mark` puts a line at another share."""
    eighths = round(8 * _BAR * min(max(share or 0.0, 0.0), 1.0))
    row = list(f"{'█' * (eighths // 8)}{_EIGHTHS[eighths % 8].strip()}".ljust(_BAR))
    if mark is not None:
        row[min(int(_BAR * min(max(mark, 0.0), 1.0)), _BAR - 1)] = "│"
    return "".join(row)


def _at(curve: Curve | None, x: float) -> float | None:
    """The height of a line at x, between two of its points in proportion (Fawcett 2006, section 5)."""
    points = list(zip(curve.x, curve.y, strict=True)) if curve else []
    for (left, low), (right, high) in pairwise(points):
        if left <= x < right:
            return low + (high - low) * (x - left) / (right - left)
    return points[-1][1] if points else None


def _few(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most ten points, evenly taken."""
    step = -(-len(points) // 10) or 1
    return points[::step]


def _cut(cut: SliceValue) -> str:
    return f"{cut.column}={cut.value}"


def _number(value: float | None) -> str:
    return numbers.NONE if value is None else numbers.fixed(value, min(numbers.natural(value), 3))


def _edge(value: float) -> str:
    return numbers.exact(round(value, 3))


def _name(name: str, most: int) -> str:
    """A name that keeps its place: visible, and not longer than there is room."""
    shown = visible(name, most)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
