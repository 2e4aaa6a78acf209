"""Gates asked again from what was kept of a decision: nothing is trained, nothing of the project's code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.errors import UsageError
from mlops_ci.gates import grammar
from mlops_ci.gates.gate import Gate
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.gates.verdict_only import METHOD
from mlops_ci.records.decisions import Absence, ChampionRef, Decision, Evidence
from mlops_ci.records.evaluation import Champion, Predictions
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.steps.champion import UNANSWERED
from mlops_ci.steps.decide import array_name, outcome_of
from mlops_ci.steps.given import predictions_digest
from mlops_ci.steps.looks import JUDGED
from mlops_ci.steps.promise import wear_of
from mlops_ci.steps.runs import Kept
from mlops_ci.steps.verdicts import ask_environments, asked_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def question_of(kept: Kept) -> Question:
    """What the gates were asked, from the evidence. UsageError when the rows were not kept."""
    predictions = stored_predictions(kept, "")
    if kept.holdout is None or predictions is None:
        raise no_rows(kept)
    asked = asked_of(
        kept.holdout,
        predictions,
        _rival(kept, kept.decision.champion, "champion_"),
        anchor=_rival(kept, kept.decision.anchor or None, "anchor_"),
        model=kept.evidence.training.digest if kept.evidence.training else "",
        facts=kept.evidence.facts,
        missing_facts=_absences(kept.evidence),
        own=kept.evidence.own_metrics,
    )
    return msgspec.structs.replace(asked, wear=wear_of(kept.evidence.promise, kept.arrays.get(JUDGED)))


def no_rows(kept: Kept) -> UsageError:
    """Of a decision that nothing can be asked of by row."""
    if kept.no_rows:
        return UsageError(
            f"the rows of decision {kept.id[:12]} are not to be had: {kept.no_rows}",
            "Ask where they are at hand, or name another decision: mlops-ci history lists them.",
        )
    return UsageError(
        f"decision {kept.id[:12]} kept no rows",
        "It ended before there were predictions, or `evidence: {rows: none}` is set. "
        "Name another one: mlops-ci history lists them.",
    )


def gates_of(kept: Kept) -> tuple[Gate, ...]:
    """The gates as they were written when it was decided."""
    return as_written(kept.decision.gates)


def as_written(verdicts: Sequence[Verdict]) -> tuple[Gate, ...]:
    """The gates that some verdicts are about. ConfigError where one cannot be read."""
    return tuple(grammar.parse(verdict.gate, name=verdict.name, where=verdict.where) for verdict in verdicts)


def judged_again(kept: Kept) -> tuple[Verdict, ...]:
    """The verdicts that follow from the evidence now."""
    return judge(gates_of(kept), question_of(kept))


def disagreements(kept: Kept) -> tuple[str, ...]:
    """Where the evidence says something else than the decision does, or its answers something else than its outcome."""
    return (*told_otherwise(kept), *outcome_told(kept.decision), *_verdicts(kept))


def told_otherwise(kept: Kept) -> tuple[str, ...]:
    """Verdicts that are let through by nothing, and those of the gate part that are not what its look tells."""
    return (*_let_through(kept.decision), *_one_answer(kept))


def _let_through(decision: Decision) -> tuple[str, ...]:
    """Gates that would have to block: only an undecided one may be let through, a failed one only by a waiver."""
    may = (Status.PASSED, Status.SKIPPED, Status.UNDECIDED)
    return tuple(
        f"{one.gate}: {one.verdict}, and nothing lets it through"
        for one in (*decision.gates, *decision.judge.head_verdicts)
        if not one.blocking and one.verdict not in may and not (one.waived and one.verdict is Status.FAILED)
    )


def _one_answer(kept: Kept) -> tuple[str, ...]:
    """Verdicts of the gate part that are not the one its look tells, or that tell more."""
    look = kept.evidence.look
    told = Status.PASSED if look is not None and look.passed is True else Status.UNDECIDED
    return tuple(
        f"{one.gate}: recorded {one.verdict}, its look says {told}"
        for one in (*kept.decision.gates, *kept.decision.judge.head_verdicts)
        if only_told(kept, one) and (one.verdict is not told or one.observed is not None)
    )


def outcome_told(decision: Decision) -> tuple[str, ...]:
    """The outcome its answers come to; undecided in place of passed where a reason is told."""
    now = outcome_of(decision.gates, decision.checks, decision.judge.head_verdicts)
    held_back = now is Outcome.PASSED and decision.outcome is Outcome.UNDECIDED and decision.reason != ""
    return () if now is decision.outcome or held_back else (f"recorded {decision.outcome}, its answers say {now}",)


def _verdicts(kept: Kept) -> tuple[str, ...]:
    """Empty for a decision that stopped before gates."""
    if kept.holdout is None or all(verdict.verdict is Status.SKIPPED for verdict in kept.decision.gates):
        return ()
    decision = kept.decision
    pairs = [*zip(decision.gates, judged_again(kept), strict=True)]
    pairs += zip(decision.environments or (), environments_again(kept), strict=True)
    return tuple(
        f"{recorded.gate}: recorded {recorded.verdict}, the evidence says {now.verdict}"
        for recorded, now in pairs
        if not only_told(kept, recorded) and (recorded.verdict, recorded.observed) != (now.verdict, now.observed)
    )


def only_told(kept: Kept, recorded: Verdict) -> bool:
    """Its rows are not kept, so that nothing of them is told: the verdict is the word of who judged."""
    promise = kept.evidence.promise
    return promise is not None and promise.verdicts_only and recorded.method == METHOD


def environments_again(kept: Kept) -> tuple[Verdict, ...]:
    """Those of environments, each list on its own as it was judged."""
    lists: dict[str, list[Verdict]] = {}
    for verdict in kept.decision.environments or ():
        lists.setdefault(verdict.environment or "", []).append(verdict)
    gates = {name: as_written(verdicts) for name, verdicts in lists.items()}
    return ask_environments(gates, question_of(kept)) if gates else ()


def _absences(evidence: Evidence) -> dict[str, Absence]:
    return {
        name: Absence(status=Status.SKIPPED, reason=found) if isinstance(found, str) else found
        for name, found in evidence.missing_facts.items()
    }


def stored_predictions(kept: Kept, prefix: str) -> Predictions | None:
    """The candidate's predictions (prefix ""), the champion's ("champion_") or the anchor's ("anchor_"), as kept."""
    arrays = kept.arrays
    labels = arrays.get(f"{prefix}labels")
    if labels is None:
        return None
    found = arrays.get(f"{prefix}scores")
    scores = None if found is None else found.astype(np.float32)
    own = _stored_numbers(kept, prefix)
    return Predictions(digest=predictions_digest(labels, scores), labels=labels, scores=scores, own=own)


def _stored_numbers(kept: Kept, prefix: str) -> dict[str, NDArray[np.float32]]:
    """What the project's own metrics gave."""
    found = {}
    for metric in kept.evidence.own_metrics:
        value = {"": metric.value, "champion_": metric.champion}.get(prefix)
        rows = kept.arrays.get(array_name(metric.name, prefix))
        if metric.by_row and rows is not None:
            found[metric.name] = rows.astype(np.float32)
        elif not metric.by_row and value is not None:
            found[metric.name] = np.asarray(value)
    return found


def unanswered(arrays: dict[str, NDArray[np.generic]], prefix: str = "champion_") -> NDArray[np.bool_] | None:
    """The rows the champion, or the anchor, has no answer for, from the evidence; None: it answered all."""
    found = arrays.get(f"{prefix}{UNANSWERED}")
    return None if found is None else found.astype(np.bool_)


def _rival(kept: Kept, ref: ChampionRef | None, prefix: str) -> Champion | None:
    if ref is None:
        return None
    return Champion(
        name=ref.name,
        decision=ref.decision,
        commit=ref.commit,
        model=ref.model,
        predictions=stored_predictions(kept, prefix),
        reason=ref.reason,
        unanswered=unanswered(kept.arrays, prefix),
    )
