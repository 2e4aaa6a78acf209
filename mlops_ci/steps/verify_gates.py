"""Recorded verdicts judged again from their evidence, each by the method it names, and the outcome they come to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from mlops_ci import __version__
from mlops_ci.errors import MlopsCiError
from mlops_ci.gates import grammar
from mlops_ci.gates.gate import TermKind
from mlops_ci.gates.judge import judge
from mlops_ci.records.decisions import Decision, DecisionKind
from mlops_ci.records.due import Cost
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.verdicts import Side, Verdict
from mlops_ci.records.verified import CheckedGate, Finding, How, Problem
from mlops_ci.steps.rejudge import as_written, environments_again, only_told, outcome_told, question_of, told_otherwise
from mlops_ci.steps.release_gates import about_facts
from mlops_ci.steps.verdicts import ask_environments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.steps.runs import Kept

_HOSTILE = (ArithmeticError, LookupError, TypeError, ValueError)
"""What numpy and the methods answer to rows that nobody's model gave: the file is at fault, not the program."""
_CLOSE = 1e-6
"""Relative: other processors and libraries round otherwise."""
_NUMBERS = ("observed", "low", "high", "threshold", "confidence", "alpha_pass", "alpha_fail", "rows", "groups")
_FINE = (Status.PASSED, Status.SKIPPED)


def verdicts(kept: Kept, judged: Kept | None) -> Iterator[Finding]:
    """Every verdict of a decision. judged: of a promotion, the decision whose rows its gates were asked of."""
    decision, where = kept.decision, f"decision {kept.id[:12]}"
    for told in (*told_otherwise(kept), *_outcome(decision, kept)):
        yield Problem(where=where, message=told)
    if decision.kind is DecisionKind.RELEASE:
        yield from _of_release(kept)
    elif decision.kind in (DecisionKind.PROMOTION, DecisionKind.ROLLBACK):
        yield from _of_move(kept, judged)
    else:
        yield from _of_check(kept)


def _outcome(decision: Decision, kept: Kept) -> tuple[str, ...]:
    """The outcome that follows from the answers, for each kind of decision."""
    if decision.kind is DecisionKind.IMPORT:
        return () if decision.outcome is Outcome.PASSED else (f"recorded {decision.outcome}, an import only passes",)
    if decision.kind is not DecisionKind.RELEASE:
        return outcome_told(decision)
    statuses = [one.status for one in decision.checks] + [one.verdict for one in decision.gates if one.blocking]
    fine, numbered = all(one in _FINE for one in statuses), bool(kept.evidence.bundle and kept.evidence.bundle.number)
    if (decision.outcome is Outcome.PASSED) == (fine and numbered):
        return ()
    return (f"recorded {decision.outcome}, its answers say otherwise",)


def _of_check(kept: Kept) -> Iterator[Finding]:
    decision = kept.decision
    lists = (decision.gates, decision.judge.head_verdicts)
    every = [*lists[0], *lists[1], *(decision.environments or ())]
    if kept.holdout is None or "labels" not in kept.arrays:
        for one in every:
            asked = bool(one.method) or one.observed is not None
            reason = kept.no_rows or "its rows were not kept"
            yield _checked(kept, one, How.UNAVAILABLE if asked else How.RECORDED, reason if asked else one.reason)
        return
    if all(one.verdict is Status.SKIPPED and not one.method for one in every):
        for one in every:
            yield _checked(kept, one, How.RECORDED, one.reason)
        return
    try:
        question = question_of(kept)
        again = [one for listed in lists for one in judge(as_written(listed), question)]
        again += environments_again(kept)
    except MlopsCiError as error:
        yield Problem(where=f"decision {kept.id[:12]}", message=f"it cannot be judged again: {error.message}")
        return
    except _HOSTILE as error:
        yield Problem(where=f"decision {kept.id[:12]}", message=f"it cannot be judged again: {error}")
        return
    for recorded, now in zip(_in_order(every, decision), again, strict=True):
        yield from _compared(kept, recorded, now)


def _in_order(every: list[Verdict], decision: Decision) -> list[Verdict]:
    """Those of environments list by list, as they are judged again."""
    own = every[: len(every) - len(decision.environments or ())]
    lists: dict[str, list[Verdict]] = {}
    for one in decision.environments or ():
        lists.setdefault(one.environment or "", []).append(one)
    return own + [one for listed in lists.values() for one in listed]


def _of_release(kept: Kept) -> Iterator[Finding]:
    """Gates over what a release has: facts that were measured once."""
    measured = about_facts(Cost(facts=kept.evidence.facts))
    for one in kept.decision.gates:
        try:
            (now,) = judge(as_written([one]), measured)
        except MlopsCiError as error:
            yield Problem(where=f"decision {kept.id[:12]}", message=f"{one.gate}: {error.message}")
            continue
        if one.verdict in (Status.PASSED, Status.FAILED) and (told := difference(kept.decision, one, now)):
            yield Problem(where=f"decision {kept.id[:12]}", message=told)
        yield _checked(kept, one, How.RECORDED, "measured when it was released")


def _of_move(kept: Kept, judged: Kept | None) -> Iterator[Finding]:
    gates = kept.decision.gates
    if not gates:
        return
    reason = "the ledger has no decision that passed its model" if judged is None else judged.no_rows
    if judged is None or judged.holdout is None or "labels" not in judged.arrays:
        for one in gates:
            yield _checked(kept, one, How.UNAVAILABLE, reason or "the rows of its model were not kept")
        return
    name = kept.evidence.move.environment if kept.evidence.move else ""
    try:
        again = ask_environments({name: as_written(gates)}, question_of(judged))
    except (MlopsCiError, *_HOSTILE) as error:
        yield Problem(where=f"decision {kept.id[:12]}", message=f"it cannot be judged again: {error}")
        return
    for recorded, now in zip(gates, again, strict=True):
        if recorded.verdict is Status.ERRORED and not recorded.method:
            yield _checked(kept, recorded, How.RECORDED, recorded.reason)
        else:
            yield from _compared(kept, recorded, now)


def _compared(kept: Kept, recorded: Verdict, now: Verdict) -> Iterator[Finding]:
    if only_told(kept, recorded):
        yield _checked(kept, recorded, How.RECORDED, "its rows are kept for one answer alone")
        return
    same_version = kept.decision.judge.version == __version__
    if recorded.method != now.method and not same_version and recorded.method:
        told = f"this version does not know the method {recorded.method}"
        yield _checked(kept, recorded, How.UNAVAILABLE, told)
        return
    if told := difference(kept.decision, recorded, now):
        yield Problem(where=f"decision {kept.id[:12]}", message=told)
    facts = any(term.kind is TermKind.FACT for term in grammar.parse(recorded.gate).terms)
    yield _checked(kept, recorded, How.RECORDED if facts else How.RECOMPUTED, "a recorded fact" if facts else "")


def difference(decision: Decision, recorded: Verdict, now: Verdict) -> str:
    """Where a recorded verdict says something else than the evidence; empty: nowhere. Older versions said less."""
    gate = recorded.gate
    if recorded.verdict is not now.verdict:
        return f"{gate}: recorded {recorded.verdict}, the evidence says {now.verdict}"
    older = decision.judge.version != __version__
    for name in _NUMBERS:
        then, found = getattr(recorded, name), getattr(now, name)
        if not _same(then, found) and not (older and then is None):
            return f"{gate}: recorded {name} {_shown(then)}, the evidence says {_shown(found)}"
    if recorded.method != now.method or recorded.slice != now.slice:
        return f"{gate}: recorded {recorded.method} {recorded.slice}, the evidence says {now.method} {now.slice}"
    for name in ("candidate", "champion", "anchor"):
        if not _same_side(getattr(recorded, name) or None, getattr(now, name) or None):
            return f"{gate}: the recorded value of the {name} is not what the evidence says"
    return ""


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE * _CLOSE)


def _same_side(one: Side | None, other: Side | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(_same(*pair) for pair in zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True))


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"


def _checked(kept: Kept, one: Verdict, how: How, reason: str) -> CheckedGate:
    return CheckedGate(decision=kept.id, gate=one.gate, verdict=one.verdict, how=how, reason=reason)
