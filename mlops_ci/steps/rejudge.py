"""Gates asked again from what was kept of a decision: nothing is trained, nothing of the project's code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.errors import UsageError
from mlops_ci.gates import grammar
from mlops_ci.gates.gate import Gate
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.records.evaluation import Champion, Predictions
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.steps.given import predictions_digest
from mlops_ci.steps.runs import Kept
from mlops_ci.steps.verdicts import asked_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def question_of(kept: Kept) -> Question:
    """What the gates were asked, from the evidence. UsageError when the rows were not kept."""
    predictions = stored_predictions(kept.arrays, "")
    if kept.holdout is None or predictions is None:
        raise UsageError(
            f"decision {kept.id[:12]} kept no rows",
            "It ended before there were predictions, or `evidence: {rows: none}` is set.",
        )
    return asked_of(
        kept.holdout,
        predictions,
        _champion(kept),
        model=kept.evidence.training.digest if kept.evidence.training else "",
        facts=kept.evidence.facts,
        missing_facts=kept.evidence.missing_facts,
    )


def gates_of(kept: Kept) -> tuple[Gate, ...]:
    """The gates as they were written when it was decided."""
    return tuple(grammar.parse(verdict.gate, name=verdict.name, where=verdict.where) for verdict in kept.decision.gates)


def judged_again(kept: Kept) -> tuple[Verdict, ...]:
    """The verdicts that follow from the evidence now."""
    return judge(gates_of(kept), question_of(kept))


def disagreements(kept: Kept) -> tuple[str, ...]:
    """Where the evidence says something else than the decision does; empty for a decision that stopped before gates."""
    if kept.holdout is None or all(verdict.verdict is Status.SKIPPED for verdict in kept.decision.gates):
        return ()
    return tuple(
        f"{recorded.gate}: recorded {recorded.verdict}, the evidence says {now.verdict}"
        for recorded, now in zip(kept.decision.gates, judged_again(kept), strict=True)
        if (recorded.verdict, recorded.observed) != (now.verdict, now.observed)
    )


def stored_predictions(arrays: dict[str, NDArray[np.generic]], prefix: str) -> Predictions | None:
    """The candidate's predictions (prefix "") or the champion's ("champion_") from the arrays of the evidence."""
    labels = arrays.get(f"{prefix}labels")
    if labels is None:
        return None
    found = arrays.get(f"{prefix}scores")
    scores = None if found is None else found.astype(np.float32)
    return Predictions(digest=predictions_digest(labels, scores), labels=labels, scores=scores)


def _champion(kept: Kept) -> Champion | None:
    ref = kept.decision.champion
    if ref is None:
        return None
    return Champion(
        name=ref.name,
        decision=ref.decision,
        commit=ref.commit,
        model=ref.model,
        predictions=stored_predictions(kept.arrays, "champion_"),
        reason=ref.reason,
    )
