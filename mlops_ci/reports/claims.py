"""A gate's verdict in words and numbers: what it is about, what was found, what it needs."""

from __future__ import annotations

import re

from mlops_ci.records.decisions import Decision
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Side, Verdict
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import Code, Spans, Text

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|\[[^\]]*\]")
_COMPARISON = re.compile(r">=|<=|==|!=|>|<")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠", ">": ">", "<": "<"}
_MIRRORED = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "==": "==", "!=": "!="}
_MOST_FOR_ENDS = 3
_NOT_METRICS = {"worst", "gap", "n", "o", "d", "by", "min_rows"}


def by_environment(decision: Decision) -> dict[str, tuple[Verdict, ...]]:
    """The verdicts of the gates of each environment, in their order."""
    found: dict[str, tuple[Verdict, ...]] = {}
    for verdict in decision.environments or ():
        name = verdict.environment or ""
        found[name] = (*found.get(name, ()), verdict)
    return found


def comparison(verdict: Verdict) -> str:
    """`>=`, `>`, `<=`, `<`, `==` or `!=`, read with the metric on its left; empty when the gate has none."""
    bare = _QUOTED.sub("", verdict.gate)
    found = _COMPARISON.search(bare)
    if not found:
        return ""
    metric_is_right = not _NAME.search(bare[: found.start()])
    return _MIRRORED[found[0]] if metric_is_right else found[0]


def metric_name(verdict: Verdict) -> str:
    """The metric or fact the gate is about: `recall`, `bundle_size`."""
    for name in _NAME.findall(_QUOTED.sub("", verdict.gate)):
        if name not in _NOT_METRICS:
            return str(name.removeprefix("champion.").removeprefix("anchor."))
    short = {"n": "accuracy", "o": "accuracy", "d": "changed predictions"}
    found = [short[name] for name in _NAME.findall(_QUOTED.sub("", verdict.gate)) if name in short]
    return found[0] if found else verdict.name or verdict.gate


def about(verdict: Verdict) -> Spans:
    """`recall at origin=JFK`; the gate's own name where it has one."""
    if verdict.name and verdict.name not in {verdict.gate, metric_name(verdict)}:
        return (Code(verdict.name),)
    spans: Spans = (words.metric(metric_name(verdict)),)
    if verdict.gate.lstrip().startswith("gap("):
        worse = (Text(", worst at "), Code(verdict.slice), Text(",")) if verdict.slice else ()
        return (Text("the gap in "), *spans, *worse)
    return (*spans, Text(" at "), Code(verdict.slice)) if verdict.slice else spans


def needs(verdict: Verdict) -> str:
    """`≥ 0.38`"""
    sign = _SIGNS.get(comparison(verdict), "") if verdict.threshold is not None else ""
    return f"{sign} {threshold(verdict)}".strip()


def threshold(verdict: Verdict) -> str:
    if verdict.threshold is None:
        return numbers.NONE
    if verdict.unit in {"bytes", "B", "s", "seconds"}:
        return numbers.with_unit(verdict.threshold, verdict.unit)
    unit = f" {verdict.unit}" if verdict.unit not in {"", "rows", "count"} else ""
    return numbers.exact(verdict.threshold) + unit


def places(verdict: Verdict) -> int:
    """Decimals for the numbers of this verdict: from the width of its interval, else three digits."""
    low, high = verdict.low, verdict.high
    if low is not None and high is not None and high > low:
        found = numbers.decimals((high - low) / 2)
    elif verdict.observed is not None:
        found = numbers.natural(verdict.observed)
    else:
        found = 3
    if verdict.observed is not None and float(verdict.observed).is_integer() and low is None:
        found = 0
    if verdict.observed is not None and verdict.threshold is not None:
        found = numbers.apart(verdict.observed, verdict.threshold, found)
    return found


def side_places(verdict: Verdict) -> int:
    """Decimals for the values of the two models: enough to see where they differ, and from the threshold."""
    found = places(verdict)
    new, old = value(verdict.candidate), value(rival(verdict))
    if not verdict.difference:
        new = verdict.observed if new is None else new
        if new is not None and verdict.threshold is not None:
            found = numbers.apart(new, verdict.threshold, found)
    if new is not None and old is not None:
        found = numbers.apart(new, old, found)
    found = max(_clear_of_ends(one, found) for one in (new, old, 0.0) if one is not None)
    return min(found, 6)


def _clear_of_ends(value: float, places: int) -> int:
    """Decimals that do not write 0.997 as 1.00 (no row is wrong) nor −0.001 as 0.00 (no sign), where three will do."""
    enough = max(numbers.apart(value, end, places) for end in (0.0, 1.0))
    return enough if enough <= _MOST_FOR_ENDS else places


def value(side: Side | None) -> float | None:
    return side.value if side else None


def candidate(verdict: Verdict) -> str:
    """The value of this commit: `0.361`, with its interval where the gate is about this value."""
    if verdict.difference:
        return numbers.with_unit(value(verdict.candidate), verdict.unit, side_places(verdict))
    observed = verdict.observed if verdict.observed is not None else value(verdict.candidate)
    return numbers.with_unit(observed, verdict.unit, side_places(verdict))


def rival(verdict: Verdict) -> Side | None:
    """What the gate compares with, the anchor or else the champion; beside a gate that compares nothing the latter."""
    return verdict.anchor or verdict.champion


def beside(verdict: Verdict, side: Side | None) -> str:
    """The value of another model, written as this commit's."""
    return numbers.with_unit(value(side), verdict.unit, side_places(verdict))


def observed(verdict: Verdict) -> str:
    """What the gate judged, a difference with its sign."""
    if verdict.difference and not verdict.unit:
        return numbers.signed(verdict.observed, places(verdict))
    digits = places(verdict) if verdict.difference else side_places(verdict)
    return numbers.with_unit(verdict.observed, verdict.unit, digits)


def bounds(verdict: Verdict) -> tuple[str, str] | None:
    """Low and high as text; a bound that would be written like the threshold gets more digits."""
    low, high = verdict.low, verdict.high
    if low is None or high is None:
        return None
    digits = places(verdict)
    if verdict.threshold is not None:
        digits = numbers.apart(low, verdict.threshold, digits)
        digits = numbers.apart(high, verdict.threshold, digits)
    digits = max(_clear_of_ends(bound, digits) for bound in (low, high))
    return numbers.with_unit(low, verdict.unit, digits), numbers.with_unit(high, verdict.unit, digits)


def interval(verdict: Verdict) -> str:
    """`[−0.060, −0.042]`, or empty."""
    found = bounds(verdict)
    return f"[{found[0]}, {found[1]}]" if found else ""


def counts(side: Side | None) -> str:
    """`997 of 2,760`, or empty."""
    if side is None or side.count is None or side.of is None:
        return ""
    return f"{numbers.count(side.count)} of {numbers.count(side.of)}"


def miss(verdict: Verdict) -> str:
    """Where a failed value lies: `below 0.38`."""
    limit = threshold(verdict)
    if comparison(verdict) in {"==", "!="}:
        return f"not {limit}" if comparison(verdict) == "==" else f"which must not be {limit}"
    if verdict.observed == verdict.threshold:
        return f"not {'above' if '>' in comparison(verdict) else 'below'} {limit}"
    if comparison(verdict) in {">", ">="}:
        return f"below {limit}"
    return f"above {limit}" if comparison(verdict) else f"needs {limit}"


def outcome(verdict: Verdict) -> Spans:
    """The sentence about one verdict, without a full stop: `recall at JFK fell from 0.412 to 0.361, below 0.38`."""
    if verdict.verdict in {Status.SKIPPED, Status.ERRORED} or verdict.observed is None:
        reason = f": {verdict.reason}" if verdict.reason else f" {words.STATUSES[verdict.verdict]}"
        return (*about(verdict), Text(reason))
    if verdict.verdict is Status.UNDECIDED:
        return _undecided(verdict)
    if verdict.difference:
        return (*about(verdict), Text(_moved(verdict)), Text(_by(verdict)))
    end = f", {miss(verdict)}" if verdict.verdict is Status.FAILED else f" (needs {needs(verdict)})"
    return (*about(verdict), Text(_moved(verdict)), Text(end))


def start(verdict: Verdict) -> Spans:
    """What the gate is about and how it moved: `accuracy fell from 0.7954 to 0.7923`."""
    return (*about(verdict), Text(_moved(verdict)))


def _undecided(verdict: Verdict) -> Spans:
    what = "the difference" if verdict.difference else "it"
    found = bounds(verdict)
    if found is None:
        return (*start(verdict), Text(f": {verdict.reason}" if verdict.reason else ""))
    low, high = found
    return (*start(verdict), Text(f"; {what} lies between {low} and {high}, and {threshold(verdict)} is in between"))


def _moved(verdict: Verdict) -> str:
    new = value(verdict.candidate) if verdict.difference else verdict.observed
    old = value(rival(verdict))
    if new is None:
        return ""
    if old is None or verdict.gate.lstrip().startswith("gap("):
        return f" is {candidate(verdict)}"
    whose = "the anchor's " if verdict.anchor else ""
    if new == old:
        return f" stayed at {whose}{candidate(verdict)}"
    was = f"{whose}{beside(verdict, rival(verdict))}"
    if verdict.difference and verdict.low is not None and verdict.high is not None and verdict.low < 0 < verdict.high:
        return f" is {candidate(verdict)} against {was}, no difference the rows can tell"
    return f" {'rose' if new > old else 'fell'} from {was} to {candidate(verdict)}"


def _by(verdict: Verdict) -> str:
    """How far apart the two models are, and by how much that is not enough."""
    inside = f"{observed(verdict)} {interval(verdict)}".rstrip()
    same = verdict.observed == 0 and verdict.verdict is not Status.FAILED and not interval(verdict)
    return ("" if same else f" ({inside})") + (
        f"; it must be {needs(verdict)}" if verdict.verdict is Status.FAILED else ""
    )
