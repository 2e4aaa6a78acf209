"""What `check` prints at the end: gates, the verdict and where to go on, as lines without colour.

Names cannot move the cursor, set colours or speak to the runner that reads the log (`##[command]`, `::command::`).
"""

from __future__ import annotations

import re

from mlops_ci.records.outcomes import Status, combine
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import claims, numbers, uses, words
from mlops_ci.reports.document import Spans, Text, plain
from mlops_ci.reports.sections import affected, commands, facts, verdict, waived
from mlops_ci.reports.story import Story
from mlops_ci.reports.visible import visible

_INDENT = " " * 9
_WIDEST_GATE = 60
_ASIDE = 15
_COMMAND = re.compile(r"(?<!\w)::")  # the runner reads it at the start of a line; test_a.py::test_b is no command


def verdict_lines(story: Story) -> tuple[str, ...]:
    """Gates, the verdict sentence, then what to look at, each line safe to print."""
    told = (*_gates(story), *_own(story), *_environments(story), *_checks(story), _verdict(story), *_pairs(story))
    return tuple(line.rstrip() for line in told)


def sentence(story: Story) -> str:
    """The verdict's reason as plain text on one line: `Recall at origin=JFK fell from 0.412 to 0.361, below 0.38`."""
    return safe(plain(verdict.sentence(story)))


def safe(text: str, most: int = 300) -> str:
    """Visible text that no terminal and no runner acts on."""
    return _COMMAND.sub(": :", visible(text, most).replace("##[", "## ["))


def _gates(story: Story) -> list[str]:
    gates = story.decision.gates
    if not gates:
        return []
    if all(one.verdict is Status.SKIPPED for one in gates) and len({one.reason for one in gates}) == 1:
        return [f"gates    {words.SYMBOLS[Status.SKIPPED]} none of {len(gates)} was judged: {safe(gates[0].reason)}"]
    lines = _lines(gates, story, first=1)
    return [("gates    " if not place else _INDENT) + line for place, line in enumerate(lines)]


def _own(story: Story) -> list[str]:
    """The gates that this commit brings, which must hold too."""
    gates = story.decision.own_gates
    told = [f"{_INDENT}and of this commit, new or changed:"] if gates else []
    return told + [_INDENT + line for line in _lines(gates, story, first=len(story.decision.gates) + 1)]


def _lines(gates: tuple[Verdict, ...], story: Story, *, first: int) -> list[str]:
    """Each gate with its number, by which `rows`, `waive` and `explain` know it."""
    digits = len(str(len(story.decision.numbered_gates)))
    names = [safe(one.gate, _WIDEST_GATE) for one in gates]
    width = max(map(len, names), default=0)
    found = [_found(one, story) for one in gates]
    right = max(map(len, found), default=0)
    lines = []
    for number, (one, name, numbers_) in enumerate(zip(gates, names, found, strict=True), first):
        where = safe(str(one.where)) if one.where and one.verdict is not Status.PASSED else ""
        where = f"waived  {where}".rstrip() if one.waived else where
        lines.append(f"{number:>{digits}} {words.SYMBOLS[one.verdict]} {name:<{width}}  {numbers_:<{right}}  {where}")
    return lines


def _environments(story: Story) -> list[str]:
    """`for production: refused, 1 of 2 gates passed`, and below it the gates that do not hold."""
    lines = []
    for name, gates in claims.by_environment(story.decision).items():
        answer = words.OUTCOMES[combine(one.verdict for one in gates if one.blocking)]
        passed = sum(one.verdict is Status.PASSED for one in gates)
        told = numbers.plural(len(gates), "gate")
        lines.append(f"{_INDENT}for {safe(name)}: {answer}, {passed} of {told} passed (does not decide this check)")
        for one in gates:
            if one.verdict is not Status.PASSED:
                where = f"  {safe(str(one.where))}" if one.where else ""
                shown = f"{safe(one.gate, _WIDEST_GATE)}  {_found(one, story)}"
                lines.append(f"{_INDENT}  {words.SYMBOLS[one.verdict]} {shown}{where}")
    return lines


def _found(one: Verdict, story: Story) -> str:
    if one.verdict in {Status.SKIPPED, Status.ERRORED} or one.observed is None:
        return safe(one.reason or words.STATUSES[one.verdict], 80)
    value = f"{claims.observed(one)}{_uncertainty(one)}"
    aside = [claims.counts(one.candidate)]
    if one.anchor and one.anchor.value is not None:
        aside.append(f"{safe(story.anchor, 30) or 'anchor'}: {claims.beside(one, one.anchor)}")
    elif one.champion is not None and one.champion.value is not None and not one.difference:
        aside.append(f"{safe(story.champion.partition(',')[0], 30) or 'champion'} {claims.beside(one, one.champion)}")
    shown = "; ".join(part for part in aside if part)
    return f"{value}  ({shown})" if shown else value


def _uncertainty(one: Verdict) -> str:
    """` ±0.022` where the interval is about even, else ` [low, high]`."""
    if one.low is None or one.high is None or one.observed is None or one.high <= one.low:
        return ""
    digits, half = claims.places(one), (one.high - one.low) / 2
    even = abs(one.observed - (one.low + one.high) / 2) <= 0.05 * half
    if even and one.verdict is not Status.UNDECIDED and not one.unit:
        return f" ±{numbers.fixed(half, digits)}"
    return f" {claims.interval(one)}"


def _checks(story: Story) -> list[str]:
    """Checks that block, one a line."""
    bad = {Status.FAILED, Status.UNDECIDED, Status.ERRORED}
    found = [result for result in story.decision.checks if result.blocking and result.status in bad]
    lines = []
    for result in found[:10]:
        where = f"  {safe(str(result.where))}" if result.where else ""
        lines.append(f"{words.SYMBOLS[result.status]} {safe(result.check, 100)}: {safe(result.message)}{where}")
    if len(found) > 10:
        lines.append(f"  and {len(found) - 10} more")
    return [("checks   " if not place else _INDENT) + line for place, line in enumerate(lines)]


def _verdict(story: Story) -> str:
    return f"{waived.headline(story)}: {_small(verdict.sentence(story))}"


def _small(spans: Spans) -> str:
    """After a colon the sentence goes on: `refused: recall at …`; ROC AUC stays as it is."""
    text = safe(plain(spans), 600)
    return text[:1].lower() + text[1:] if len(text) > 1 and text[1].islower() else text


def _pairs(story: Story) -> list[str]:
    promise = story.evidence.promise
    told = "" if promise is None or promise.worn else safe(plain(uses.note(story)))  # worn out: the gate says it
    noise = [("seed noise", safe(plain(line))) for line in facts.noise(story)]
    pairs = [
        *_waivers(story),
        ("what moved it", _moved(story)),
        ("who", _who(story)),
        ("rows", told),
        *noise,
        *_next(story),
    ]
    return [f"  {name:<{_ASIDE}}{value}" for name, value in pairs if value]


def _waivers(story: Story) -> list[tuple[str, str]]:
    """Who let which gate through, and which waivers are to be looked at."""
    told = [("waived", safe(plain((*waived.terms(one), Text(f" ({one.gate})"))), 600)) for one in story.waivers]
    return told + [("waiver", safe(plain(waived.idle_sentence(one)), 600)) for one in story.idle_waivers]


def _moved(story: Story) -> str:
    change = story.decision.change
    if change.params:
        shown = [f"{one.file} {one.key} {one.before or '–'} -> {one.after or '–'}" for one in change.params[:2]]
        more = len(change.params) - len(shown)
        return safe(", ".join(shown)) + (f" and {more} more" if more else "")
    paths = (*change.data, *change.code, *change.environment, *change.judge)
    if not paths:
        return ""
    kinds = ", ".join(words.KINDS.get(kind, kind) for kind in change.kinds)
    return safe(f"{kinds}: {', '.join(paths[:2])}") + (f" and {len(paths) - 2} more" if len(paths) > 2 else "")


def _who(story: Story) -> str:
    flips = story.evidence.evaluation.flips if story.evidence.evaluation else None
    if flips is None or not flips.changed:
        return ""
    worst = affected.worst_slices(flips)
    most = f", most at {safe(f'{worst[0].column}={worst[0].value}', 80)}" if worst else ""
    return f"{numbers.count(flips.lost)} predictions became wrong, {numbers.count(flips.won)} right{most}"


def _next(story: Story) -> list[tuple[str, str]]:
    folder = commands.folder(story)
    number = commands.blocking_gate(story)
    pairs = []
    if number is not None:
        pairs.append(("which rows", f"mlops-ci{folder} rows --gate {number}"))
    pairs.append(("full report", f"mlops-ci{folder} report"))
    if number is not None:
        pairs.append(("override", f"mlops-ci{folder} waive {number} --reason ... --until ..."))
    return pairs
