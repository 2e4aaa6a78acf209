"""From everything found to one Decision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.errors import ConfigError, SourceError, UserCodeError
from mlops_ci.ledger.entries import with_evidence
from mlops_ci.records.decisions import (
    Absence,
    ChampionRef,
    Decision,
    DecisionKind,
    Evidence,
    FactNote,
    Opening,
    TrainingInfo,
)
from mlops_ci.records.evaluation import Champion, Evaluation, Holdout, OwnMetric, Predictions
from mlops_ci.records.outcomes import Outcome, Status, combine
from mlops_ci.records.results import Part, Result, Where
from mlops_ci.records.verdicts import IdleWaiver, Verdict
from mlops_ci.steps.case import Case, subject
from mlops_ci.steps.champion import FEATURES, UNANSWERED, feature_digests
from mlops_ci.steps.fit import Fitted
from mlops_ci.steps.looks import JUDGED
from mlops_ci.steps.promise import Use
from mlops_ci.steps.store_items import rows_item
from mlops_ci.steps.suites import DataFound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ModelFound(msgspec.Struct, frozen=True, kw_only=True):
    """A model's answers on the holdout; `fitted` and the folder of its answers where the model itself is at hand."""

    training: TrainingInfo
    predictions: Predictions
    gate_part: Predictions | None = None
    """On the rows of which nothing but one answer may be told."""
    protected: bool = False
    """It was made without the held-out rows."""
    fitted: Fitted | None = None
    answers: Path | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one check has found so far; steps give a fuller one back."""

    results: tuple[Result, ...] = ()
    data: DataFound | None = None
    model: ModelFound | None = None
    champion: Champion | None = None
    anchor: Champion | None = None
    evaluation: Evaluation | None = None
    own: tuple[OwnMetric, ...] = ()
    facts: dict[str, float] = {}
    missing_facts: dict[str, Absence] = {}
    fact_notes: dict[str, FactNote] = {}
    gates: tuple[Verdict, ...] = ()
    head_gates: tuple[Verdict, ...] = ()
    idle_waivers: tuple[IdleWaiver, ...] = ()
    environments: tuple[Verdict, ...] = ()
    use: Use | None = None
    changes: tuple[str, ...] = ()
    """What changes the judge beyond its settings and files: an owner has to agree to it as well."""
    unproved: str = ""
    """Which verdicts are nothing but the word of the branch's own code."""
    outdated: str = ""
    """Why the rules that decided are not those that hold now."""
    opened: Opening | None = None
    """Who agreed to what changes the judge."""
    unfinished: bool = False
    """Something this machine lacks kept an answer away: the next run asks again instead of restoring this one."""

    @property
    def stopped(self) -> bool:
        """A blocking check said no, or something could not be found out: nothing more is computed."""
        return any(
            result.blocking and result.status in (Status.FAILED, Status.ERRORED)
            for result in self.results
            if result.part is not Part.TESTS
        )


def errored(name: str, error: SourceError | UserCodeError | ConfigError, part: Part) -> Result:
    """An error of the data or of the project's code, as the Result that makes the decision *could not be judged*."""
    file, _, line = error.where.partition(":")
    number = line.partition(":")[0]
    return Result(
        check=name,
        part=part,
        status=Status.ERRORED,
        message=error.message,
        where=Where(file, int(number) if number.isdigit() else None) if file else None,
        details="\n".join(filter(None, (error.advice, getattr(error, "details", "")))),
    )


def evidence(found: Found) -> Evidence:
    """What the decision is computed from, without the arrays."""
    data, model = found.data, found.model
    protected = model is None or model.protected
    return Evidence(
        snapshot=msgspec.structs.replace(data.snapshot.info, holdout_protected=protected) if data else None,
        profile=data.snapshot.profile if data else None,
        data_change=data.change if data else None,
        training=model.training if model else None,
        evaluation=found.evaluation,
        own_metrics=found.own,
        facts=found.facts,
        missing_facts={**found.missing_facts},
        fact_notes=found.fact_notes or msgspec.UNSET,
        holdout=data.holdout.digest if data and model else "",
        predictions=model.predictions.digest if model else "",
        looks=found.use.number if found.use else 0,
        look=found.use.look if found.use else None,
        promise=found.use.promise if found.use else None,
    )


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with everything it was computed from."""

    decision: Decision
    evidence: Evidence
    arrays: dict[str, NDArray[np.generic]]
    holdout: Holdout | None
    found: Found


def decide(case: Case, found: Found, environment: str) -> Decided:
    """The Decision, its evidence pinned by digest. `environment`: digest of the one that is locked, or empty."""
    outcome, reason = _outcome(case, found)
    decision = Decision(
        kind=DecisionKind.CHECK,
        project=case.head.config.project,
        outcome=outcome,
        trust=case.trust,
        subject=subject(case, environment, found.data.snapshot.info.digest if found.data else ""),
        base=case.base_commit,
        champion=_champion(case, found),
        change=case.change,
        judge=msgspec.structs.replace(
            case.judge.ref(),
            differences=(*case.judge.differences, *found.changes),
            head_verdicts=found.head_gates,
            idle_waivers=found.idle_waivers or msgspec.UNSET,
        ),
        gates=found.gates,
        metrics=found.evaluation.metrics if found.evaluation else (),
        checks=found.results,
        evidence={},
        reason=reason,
        environments=found.environments or msgspec.UNSET,
        anchor=_ref(found.anchor) if found.anchor else msgspec.UNSET,
        opened=found.opened or msgspec.UNSET,
    )
    kept, where = evidence(found), case.head.config.evidence.rows
    arrays = row_arrays(found) if where != "none" else {}
    holdout = found.data.holdout if where != "none" and found.data and found.model else None
    if where == "store" and holdout is not None:
        kept = msgspec.structs.replace(kept, rows=rows_item(arrays, holdout))
    return Decided(
        decision=with_evidence(decision, kept, arrays, holdout),
        evidence=kept,
        arrays=arrays,
        holdout=holdout,
        found=found,
    )


def row_arrays(found: Found) -> dict[str, NDArray[np.generic]]:
    """The outputs by row, in the order of the holdout: what a verdict can be recomputed from."""
    arrays: dict[str, NDArray[np.generic]] = {}
    if found.model is None or found.data is None:
        return arrays
    rivals = {"champion_": found.champion, "anchor_": found.anchor}
    answers = {prefix: rival.predictions for prefix, rival in rivals.items() if rival is not None}
    for prefix, predictions in {"": found.model.predictions, **answers}.items():
        if predictions is not None:
            arrays[f"{prefix}labels"] = predictions.labels
            if predictions.scores is not None:
                arrays[f"{prefix}scores"] = predictions.scores
            arrays |= {array_name(name, prefix): values for name, values in predictions.own.items() if values.ndim > 0}
    for prefix, rival in rivals.items():
        if rival is not None and rival.unanswered is not None:
            arrays[f"{prefix}{UNANSWERED}"] = rival.unanswered
    features = feature_digests(found.data.snapshot, found.model.training.features)
    if features is not None:
        arrays[FEATURES] = features
    if found.use and found.use.wear and found.use.wear.rows is not None:
        arrays[JUDGED] = found.use.wear.rows
    return arrays


def array_name(metric: str, prefix: str) -> str:
    """The name of the numbers of one of the project's own metrics among the arrays of the evidence."""
    return f"{prefix}metric_{metric}"


def outcome_of(
    gates: tuple[Verdict, ...], results: tuple[Result, ...], head_gates: tuple[Verdict, ...] = ()
) -> Outcome:
    """What the answers that block come to; a waived gate does not block. `head_gates`: where head changes the gates."""
    statuses = [verdict.verdict for verdict in (*gates, *head_gates) if verdict.blocking]
    statuses += [result.status for result in results if result.blocking]
    return combine(statuses)


def _outcome(case: Case, found: Found) -> tuple[Outcome, str]:
    """Where head changes the gates, base's and head's must hold (statistics.md 14): no rule is loosened by its user."""
    by_base = outcome_of(found.gates, found.results)
    outcome = outcome_of(found.gates, found.results, found.head_gates)
    if outcome is not by_base:
        decisive = next(one for one in found.head_gates if one.blocking and one.verdict == outcome.value)
        return outcome, f"this commit's own gate {decisive.gate} does not hold: {decisive.reason}"
    why = "" if outcome is not Outcome.PASSED else found.outdated or to_agree_on(case, found)
    return (Outcome.UNDECIDED, why) if why else (outcome, "")


def to_agree_on(case: Case, found: Found) -> str:
    """What an owner has to agree to before this can pass; empty: nothing, or somebody did."""
    changes = "; ".join(filter(None, (case.judge.changes, *found.changes)))
    told = f"the judge changes: {changes}" if changes else f"an owner has to agree: {found.unproved}"
    return told if (changes or found.unproved) and found.opened is None else ""


def _champion(case: Case, found: Found) -> ChampionRef | None:
    if found.champion is not None:
        return _ref(found.champion)
    if case.champion is None:
        return None
    stored = case.champion.stored
    commit = stored.decision.subject.commit
    return ChampionRef(name=commit[:7], commit=commit, decision=stored.id, reason="it was not asked")


def _ref(rival: Champion) -> ChampionRef:
    return ChampionRef(
        name=rival.name, commit=rival.commit, decision=rival.decision, model=rival.model, reason=rival.reason
    )
