"""From a model's answers, and those of its rivals, to verdicts. Nothing of the project's code runs here."""

from __future__ import annotations

import msgspec

from mlops_ci.evaluation.evaluate import evaluate
from mlops_ci.evaluation.own import registry
from mlops_ci.gates.question import Question
from mlops_ci.gates.waivers import waive
from mlops_ci.records.evaluation import Champion
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import added
from mlops_ci.steps import verdicts
from mlops_ci.steps.case import Case
from mlops_ci.steps.decide import Found
from mlops_ci.steps.own_metrics import Measured
from mlops_ci.steps.promise import Use, use
from mlops_ci.steps.worse_slices import find_worse_slices

replace = msgspec.structs.replace


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What the candidate, the champion and the anchor answer on the same rows, the project's own metrics with them."""

    measured: Measured
    anchor: Champion | None
    apart: Answers | None = None
    """The same on the gate part, where there is one."""


def judge_answers(case: Case, found: Found, answers: Answers, *, used: Use | None = None) -> Found:
    """Everything that follows from the answers: metrics, slices, the look they are, verdicts.

    `used`: the use that is made of the rows, where the gate part is not at hand and it was settled elsewhere.
    """
    data, model, measured = found.data, found.model, answers.measured
    if data is None or model is None:
        raise ValueError("there are no answers without data and a model")
    found = replace(found, anchor=answers.anchor)
    shown = evaluate(
        data.holdout,
        measured.candidate,
        measured.champion,
        slices=case.head.config.slices,
        metrics=registry(measured.own),
    )
    at_hand = data.snapshot.told is None
    searched = find_worse_slices(data.snapshot, data.holdout, model.predictions, case.head.config) if at_hand else None
    asked = verdicts.question(case, data, found, measured)
    asked = replace(asked, gate_part=_gate_part(found, asked, answers.apart))
    used = used or use(case, asked, data.snapshot.info)
    asked, passed = verdicts.settled(asked, used)
    judge = case.judge
    both = (*verdicts.ask(judge.gates, asked, passed), *verdicts.ask(judge.head_gates, asked, passed))
    both, idle = waive(both, judge.waivers, day=case.day)
    gates, own = both[: len(judge.gates)], both[len(judge.gates) :]
    return replace(
        found,
        results=(*found.results, *measured.results),
        model=replace(model, predictions=measured.candidate),
        champion=measured.champion,
        own=measured.own,
        evaluation=replace(shown, worse_slices=searched),
        facts=asked.facts,
        missing_facts=asked.missing_facts,
        gates=gates,
        idle_waivers=idle,
        head_gates=own,
        use=used,
        environments=verdicts.ask_environments(judge.environments, asked),
    )


def gates_line(found: Found) -> str:
    """How many gates passed, in words; the commit's own count as they do in the verdict."""
    answers = (*found.gates, *added(found.gates, found.head_gates))
    passed = sum(verdict.verdict is Status.PASSED for verdict in answers)
    waived = sum(bool(verdict.waived) for verdict in answers)
    told = f"{passed} of {len(answers)} passed" if answers else "none"
    return f"{told}, {waived} waived" if waived else told


def _gate_part(found: Found, asked: Question, apart: Answers | None) -> Question | None:
    """The same question about the gate part. What the project's metrics said there of errors is not told."""
    if apart is None or found.data is None or found.data.gate_part is None or found.model is None:
        return None
    return verdicts.asked_of(
        found.data.gate_part,
        apart.measured.candidate,
        apart.measured.champion,
        anchor=apart.anchor,
        model=found.model.training.digest,
        facts=asked.facts,
        missing_facts=asked.missing_facts,
        own=apart.measured.own,
    )
