"""The gates as a table, and in plain words those that do not hold."""

from __future__ import annotations

from collections.abc import Callable

from mlops_ci.records.outcomes import Status, combine
from mlops_ci.records.verdicts import Side, Verdict
from mlops_ci.reports import claims, numbers, words
from mlops_ci.reports.document import (
    Align,
    Aside,
    Block,
    Bullets,
    Code,
    Details,
    Heading,
    Paragraph,
    Place,
    Span,
    Spans,
    Strong,
    Table,
    Text,
)
from mlops_ci.reports.sections import facts
from mlops_ci.reports.story import Story

_SideOf = Callable[[Verdict], Side | None]
_MOST = 60
_ORDER = (Status.ERRORED, Status.FAILED, Status.UNDECIDED, Status.PASSED, Status.SKIPPED)


def section(story: Story) -> tuple[Block, ...]:
    return (*_of_check(story), *_own(story), *_of_environments(story))


def _of_check(story: Story) -> tuple[Block, ...]:
    gates = story.decision.gates
    if not gates:
        return ()
    if all(verdict.verdict is Status.SKIPPED for verdict in gates) and len({verdict.reason for verdict in gates}) == 1:
        told = f"Gates: none of {len(gates)} was judged, {gates[0].reason}."
        return (Paragraph((Text(told),)),)
    explained = [_explain(verdict) for verdict in ordered(gates) if _speaks(verdict)][:_MOST]
    blocks: list[Block] = [Heading((Text("Gates"),)), _table(story, gates, first=1)]
    explained += facts.noise(story)
    if explained:
        blocks.append(Bullets(tuple(explained)))
    return (*blocks, *_how(gates))


def _own(story: Story) -> tuple[Block, ...]:
    """The gates that this commit brings."""
    gates = story.decision.own_gates
    if not gates:
        return ()
    lead = Paragraph((Strong("This commit's own gates"), Text(", new or changed, must hold too:")))
    explained = tuple(_explain(verdict) for verdict in ordered(gates) if _speaks(verdict))[:_MOST]
    table = _table(story, gates, first=len(story.decision.gates) + 1)
    return (lead, table, *((Bullets(explained),) if explained else ()), *_how(gates))


def _of_environments(story: Story) -> tuple[Block, ...]:
    """A sentence for each environment, and its gates that do not hold."""
    blocks: list[Block] = []
    for name, gates in claims.by_environment(story.decision).items():
        answer = words.OUTCOMES[combine(verdict.verdict for verdict in gates if verdict.blocking)]
        passed = sum(verdict.verdict is Status.PASSED for verdict in gates)
        told = f" {passed} of {numbers.plural(len(gates), 'gate')} passed. Shown beside: they do not decide this check."
        blocks.append(Paragraph((Strong(f"For {name}: {answer}."), Text(told))))
        explained = [_explain(verdict) for verdict in ordered(gates) if _speaks(verdict)][:_MOST]
        if explained:
            blocks.append(Bullets(tuple(explained)))
        blocks += _how(gates)
    return tuple(blocks)


def ordered(gates: tuple[Verdict, ...]) -> list[Verdict]:
    """What needs attention first; among equals as written."""
    return sorted(gates, key=_urgency)


def _urgency(verdict: Verdict) -> int:
    return _ORDER.index(verdict.verdict)


def _table(story: Story, asked: tuple[Verdict, ...], *, first: int) -> Table:
    """first: the number of the first gate as written, by which commands know it."""
    numbered = sorted(enumerate(asked, first), key=lambda pair: _urgency(pair[1]))[:_MOST]
    rivals = _rivals(story, asked)
    head = ("#", "gate", "this commit", *rivals, "needs")
    align = (Align.LEFT, Align.LEFT, *(Align.RIGHT,) * (len(head) - 2))
    rows = tuple(_row(number, verdict, tuple(rivals.values())) for number, verdict in numbered)
    return Table(head=head, align=align, rows=rows, caption="Gates")


def _rivals(story: Story, gates: tuple[Verdict, ...]) -> dict[str, _SideOf]:
    """The models whose values stand beside this commit's: a name, and what of a verdict is theirs."""
    found: dict[str, _SideOf] = {
        story.champion or "champion": lambda verdict: verdict.champion,
        story.anchor or "anchor": lambda verdict: verdict.anchor or None,
    }
    return {name: of for name, of in found.items() if any(claims.value(of(gate)) is not None for gate in gates)}


def _row(number: int, verdict: Verdict, rivals: tuple[_SideOf, ...]) -> tuple[Spans, ...]:
    answer = (Text(f"{number}"), Text(" "), words.answer(verdict))
    beside = (_rival(verdict, of(verdict)) for of in rivals)
    return (answer, _name(verdict), _candidate(verdict), *beside, (Text(claims.needs(verdict)),))


def _name(verdict: Verdict) -> Spans:
    spans: Spans = (Code(verdict.gate),)
    if verdict.slice and verdict.slice not in verdict.gate.replace(" ", ""):
        at = " worst at " if verdict.gate.lstrip().startswith("gap(") else " at "
        spans += (Text(at), Code(verdict.slice))
    return (*spans, Text(" "), Place(verdict.where.file, verdict.where.line)) if verdict.where else spans


def _candidate(verdict: Verdict) -> Spans:
    """The value; of a gate about a difference that one too: with a column of its own the table is too wide to read."""
    value = claims.candidate(verdict)
    if verdict.difference:
        if verdict.observed is None:
            return (Text(value),)
        told: Spans = (Text(f"{value},"), Text(" "), Text("difference"), Text(" "))
        return (*told, *_with_interval(Text(claims.observed(verdict)), verdict))
    shown: Span = Strong(value) if verdict.verdict is Status.FAILED else Text(value)
    return _with_counts(_with_interval(shown, verdict), claims.counts(verdict.candidate))


def _rival(verdict: Verdict, side: Side | None) -> Spans:
    """The value of another model; of how many rows is said once, beside this commit's."""
    value: Spans = (Text(claims.beside(verdict, side)),)
    ours = verdict.candidate
    if verdict.difference or side is None or side.count is None:
        return value
    same = ours is not None and ours.count is not None and ours.of == side.of
    return _with_counts(value, numbers.count(side.count) if same else claims.counts(side))


def _with_interval(value: Span, verdict: Verdict) -> Spans:
    interval = claims.interval(verdict)
    return (value, Text(" "), Aside(interval)) if interval else (value,)


def _with_counts(spans: Spans, counts: str) -> Spans:
    return (*spans, Text(" "), Aside(f"({counts})")) if counts else spans


def _speaks(verdict: Verdict) -> bool:
    return verdict.verdict is not Status.PASSED


def _explain(verdict: Verdict) -> Spans:
    reason = verdict.reason.rstrip(".")
    if verdict.verdict in {Status.SKIPPED, Status.ERRORED}:
        said = Text(f": {reason or 'no reason was recorded'}.")
        return (words.answer(verdict), Text(" "), Code(verdict.gate), said)
    head: Spans = (words.answer(verdict), Text(": "))
    if verdict.verdict is Status.UNDECIDED and reason:
        # The reason of an undecided gate holds the bounds and the rows it would take (statistics.md 8).
        return (*head, *claims.start(verdict), Text(f". {_sentence(reason)}."), *_there(verdict))
    told = (*head, *claims.outcome(verdict), Text("."))
    return (*told, Text(f" {_sentence(reason)}.")) if reason and verdict.confidence is not None else told


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]


def _there(verdict: Verdict) -> Spans:
    if verdict.rows is None:
        return ()
    groups = f" in {numbers.plural(verdict.groups, 'group')}" if verdict.groups is not None else ""
    return (Text(f" There are {numbers.plural(verdict.rows, 'row')}{groups}."),)


def _how(gates: tuple[Verdict, ...]) -> tuple[Block, ...]:
    rows: list[tuple[Spans, ...]] = [
        ((Code(verdict.gate),), (Code(verdict.method),), _rows(verdict), (Text(_sides(verdict)),))
        for verdict in ordered(gates)[:_MOST]
        if verdict.method
    ]
    if not rows:
        return ()
    table = Table(
        head=("gate", "method", "rows", "interval"),
        align=(Align.LEFT, Align.LEFT, Align.RIGHT, Align.LEFT),
        rows=tuple(rows),
        caption="How each gate was computed",
    )
    return (Details((Text("How computed"),), (table,)),)


def _rows(verdict: Verdict) -> Spans:
    if verdict.groups is not None:
        return (Text(f"{numbers.plural(verdict.rows or 0, 'row')} in {numbers.plural(verdict.groups, 'group')}"),)
    return (Text(numbers.count(verdict.rows) if verdict.rows is not None else numbers.NONE),)


def _sides(verdict: Verdict) -> str:
    if verdict.low is None:
        return numbers.NONE
    if verdict.confidence is None:
        return "95 % each side, shown only: the value decides"
    level = numbers.exact(round(verdict.confidence * 100, 6))
    if verdict.alpha_pass is None or verdict.alpha_pass >= 0.99 * (1 - verdict.confidence):
        return f"{level} % each side, decides"
    passing = numbers.exact(float(f"{100 * (1 - verdict.alpha_pass):.4f}"))
    return f"{level} % each side, the passing one {passing} % so that it holds for all decisions"
