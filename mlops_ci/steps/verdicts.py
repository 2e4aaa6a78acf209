"""Ask the gates: the judge's, which decide, and head's beside them where they differ."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_ci.gates import verdict_only
from mlops_ci.gates.gate import Gate
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.records.decisions import Absence
from mlops_ci.records.evaluation import Champion, Holdout, OwnMetric, Predictions
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.records.verdicts import Verdict
from mlops_ci.steps.case import Case
from mlops_ci.steps.decide import Found
from mlops_ci.steps.own_metrics import Measured
from mlops_ci.steps.promise import Use
from mlops_ci.steps.suites import DataFound


def question(case: Case, data: DataFound, found: Found, measured: Measured) -> Question:
    """Everything a gate may name."""
    if found.model is None:
        raise ValueError("there are no predictions to ask about")
    facts, missing = known_facts(data, found.results, only=case.asked.only)
    return asked_of(
        data.holdout,
        measured.candidate,
        measured.champion,
        anchor=found.anchor,
        model=found.model.training.digest,
        facts=facts | found.facts,
        missing_facts=missing | found.missing_facts,
        own=measured.own,
    )


def asked_of(
    holdout: Holdout,
    predictions: Predictions,
    champion: Champion | None,
    *,
    anchor: Champion | None,
    model: str,
    facts: dict[str, float],
    missing_facts: dict[str, Absence],
    own: tuple[OwnMetric, ...],
) -> Question:
    """The same question whether it is asked in a check or again from recorded evidence."""

    def known(rival: Champion | None) -> Champion | None:
        """The same file and the same answers: what came before the model did not change either."""
        if rival is None or rival.predictions is None:
            return rival
        same = model != "" and rival.model == model and rival.predictions.digest == predictions.digest
        return replace(rival, same_model=same)

    return Question(
        holdout=holdout,
        predictions=predictions,
        champion=known(champion),
        anchor=known(anchor),
        facts=facts,
        missing_facts=missing_facts,
        own=own,
    )


def settled(asked: Question, used: Use) -> tuple[Question, bool | None]:
    """The question with what is left of its rows, and the one answer of the gate part where it has one."""
    apart = used.promise is not None and used.promise.verdicts_only
    if asked.gate_part is None:  # its rows may be known only to whoever settled the use
        return replace(asked, wear=used.wear), (used.look.passed is True) if apart else None
    return replace(asked, gate_part=replace(asked.gate_part, wear=used.wear)), used.look.passed is True


def ask(gates: tuple[Gate, ...], asked: Question, passed: bool | None) -> tuple[Verdict, ...]:
    """One verdict a gate, in the order of mlops.yaml. passed: the one answer that may be told; None: all may be."""
    return judge(gates, asked) if passed is None else verdict_only.verdicts(gates, asked, passed=passed)


def ask_environments(environments: dict[str, tuple[Gate, ...]], asked: Question) -> tuple[Verdict, ...]:
    """The gates of each environment, each list on its own; they never decide the check."""
    return tuple(
        replace(verdict, environment=name) for name, gates in environments.items() for verdict in judge(gates, asked)
    )


def not_judged(gates: tuple[Gate, ...], reason: str) -> tuple[Verdict, ...]:
    """Every gate skipped for one reason."""
    return tuple(
        Verdict(gate=gate.text, name=gate.name, verdict=Status.SKIPPED, reason=reason, where=gate.where)
        for gate in gates
    )


def known_facts(
    data: DataFound, results: tuple[Result, ...], *, only: str | None
) -> tuple[dict[str, float], dict[str, Absence]]:
    """The facts that every check finds anyway."""
    info = data.snapshot.info
    tests = [result.status for result in results if result.part is Part.TESTS]
    failed = [result for result in results if result.part is Part.DATA and result.status is Status.FAILED]
    facts = {
        "data.rows": float(info.rows),
        "data.train_rows": float(info.train_rows),
        "data.holdout_rows": float(info.holdout_rows),
        "data.failed": float(len(failed)),
        "tests.failed": float(sum(status in (Status.FAILED, Status.ERRORED) for status in tests)),
        "tests.passed": float(sum(status is Status.PASSED for status in tests)),
    }
    missing = {}
    if only == "model":  # the checks of the data do not count then
        del facts["data.failed"]
        missing["data.failed"] = Absence(status=Status.SKIPPED, reason="only the model was asked for")
    if data.max_drift is None:
        reason = "the data did not change, or there is no base to compare with"
        missing["drift.max_psi"] = Absence(status=Status.SKIPPED, reason=reason)
        return facts, missing
    return facts | {"drift.max_psi": data.max_drift}, missing
