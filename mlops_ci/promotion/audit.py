"""What does not hold between an environment's file, the decisions it names, a release and what it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.records.decisions import Decision, DecisionKind, Evidence
from mlops_ci.records.outcomes import Outcome
from mlops_ci.records.verified import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.records.environments import EnvironmentFile, Move
    from mlops_ci.records.releases import Release

_MOVES = (DecisionKind.PROMOTION, DecisionKind.ROLLBACK)


def change(
    where: str, name: str, before: EnvironmentFile, after: EnvironmentFile, decision: Decision | None, move: Move | None
) -> Iterator[Problem]:
    """One change of an environment's file, against the decision it names from then on.

    where: the file and the commit that changed it. decision, move: None where the ledger has no such decision.
    """
    if after.runs is None or (after.runs, after.decision) == (before.runs, before.decision):
        return
    runs, short = after.runs, after.decision[:12]
    if decision is None or move is None:
        yield Problem(where=where, message=f"{runs.release} by the decision {short}, which the ledger does not have")
        return
    if after.decision == before.decision or decision.kind not in _MOVES or decision.outcome is not Outcome.PASSED:
        why = "the one before" if after.decision == before.decision else f"a {decision.kind} that says no"
        yield Problem(where=where, message=f"{runs.release} without a decision of its own: it names {short}, {why}")
        return
    if move.environment != name:
        yield Problem(where=where, message=f"it names {short}, a decision about {move.environment}")
    if move.after != runs:
        told = f"{runs.release} ({runs.bundle[:12]}), and decision {short} is about {move.after.release}"
        yield Problem(where=where, message=f"it was edited by hand: it says {told} ({move.after.bundle[:12]})")
    if (move.before, move.replaced) != (before.runs, before.decision):
        then = move.before.release if move.before else "nothing"
        now = before.runs.release if before.runs else "nothing"
        yield Problem(where=where, message=f"decision {short} was about a file that says {then}, and it said {now}")
    yield from _quarantine(where, before, after, move)


def _quarantine(where: str, before: EnvironmentFile, after: EnvironmentFile, move: Move) -> Iterator[Problem]:
    """A move keeps every entry, and what it installs is in none."""
    gone = [one for one in before.quarantine if one not in after.quarantine]
    for one in gone:
        told = f"the quarantine of {one.release} was lifted together with a move: only a commit of its own does that"
        yield Problem(where=where, message=told)
    if after.runs and (kept := before.quarantined(after.runs.bundle)):
        yield Problem(where=where, message=f"{after.runs.release} is in quarantine: {kept.reason}")
    if move.quarantined and move.quarantined not in after.quarantine:
        told = f"the rollback kept {move.quarantined.release} out, and the file does not say so"
        yield Problem(where=where, message=told)


def release(
    path: str, found: Release, made: Decision | None, evidence: Evidence | None, judged: Decision | None
) -> Iterator[Problem]:
    """A release against the decision that made it and the one that passed its model."""
    _, project, file = path.split("/")
    if found.project != project or f"{found.release}.json" != file:
        yield Problem(where=path, message=f"it says it is {found.release} of {found.project}")
    if made is None or evidence is None:
        yield Problem(where=path, message=f"the ledger has no decision {found.decision[:12]} that made it")
        return
    if made.kind not in (DecisionKind.RELEASE, DecisionKind.IMPORT) or made.project != found.project:
        yield Problem(where=path, message=f"its decision {found.decision[:12]} is a {made.kind} of {made.project}")
    if made.outcome is not Outcome.PASSED:
        yield Problem(where=path, message=f"its decision {found.decision[:12]} refused it")
    for what, here, there in _pairs(found, made, evidence):
        if here != there:
            told = f"its {what} is {here[:80] or 'not said'}, and its decision made {there[:80] or 'none'}"
            yield Problem(where=path, message=told)
    if found.imported:
        return
    if judged is None:
        yield Problem(where=path, message=f"the ledger has no decision {found.judged[:12]} that passed its model")
        return
    if judged.kind is not DecisionKind.CHECK or judged.project != found.project:
        yield Problem(where=path, message=f"its model was judged by {found.judged[:12]}, a {judged.kind}")
    if judged.outcome is not Outcome.PASSED:
        yield Problem(where=path, message=f"the decision {found.judged[:12]} did not pass its model")
    if judged.subject.commit != found.commit:
        yield Problem(where=path, message=f"the decision {found.judged[:12]} is about another commit")


def _pairs(found: Release, made: Decision, evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """What both say, as texts."""
    bundle, imported = evidence.bundle or None, evidence.imported or None
    yield "commit", found.commit, made.subject.commit
    if imported:
        yield "bundle", found.bundle, imported.digest
        yield "number", found.release, imported.release
        return
    yield "bundle", found.bundle, bundle.digest if bundle else ""
    yield "number", found.release, bundle.release if bundle else ""
    yield "judgement", found.judged, bundle.decision if bundle else ""
    signature = (bundle.signature or None) if bundle else None
    yield "signature", found.signature.digest if found.signature else "", signature.digest if signature else ""
    yield "image", found.image or "", evidence.image.reference if evidence.image else ""
    for target, image in (evidence.images or {}).items():
        yield f"image for {target}", found.pushed.get(target, ""), image.reference
    yield "predictions", found.predictions or "", evidence.rows.digest if evidence.rows else ""
    yield "table", found.snapshot or "", evidence.table.digest if evidence.table else ""
