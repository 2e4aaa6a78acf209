"""Which facts the gates ask for, and measuring those that a check does not know anyway."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from mlops_ci.gates.facts import AT_RELEASE, FACTS
from mlops_ci.gates.gate import TermKind
from mlops_ci.records.decisions import Absence, FactNote
from mlops_ci.steps.case import Case
from mlops_ci.steps.decide import Found
from mlops_ci.steps.facts import at_hand, determinism, latency, robustness, training
from mlops_ci.steps.facts.material import Answer, Material, Number
from mlops_ci.steps.judge import Judge
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.workshop import Workshop

MEASURES: dict[str, Callable[[str, Material], Answer]] = {
    "bundle_size": at_hand.bundle_size,
    **dict.fromkeys(AT_RELEASE, at_hand.at_release),
    "training_seconds": at_hand.training_seconds,
    "data.duplicates": at_hand.duplicates,
    "trivial": at_hand.trivial_metric,
    "calibration.slope": at_hand.calibration_slope,
    "calibration.intercept": at_hand.calibration_intercept,
    "robustness.noise": robustness.robustness,
    "robustness.missing": robustness.robustness,
    "robustness.typos": robustness.robustness,
    "determinism.predict": determinism.determinism_predict,
    "determinism.train": determinism.determinism_train,
    "train_gap": training.train_gap,
    "seed_noise": training.seed_noise,
    "latency_p50": latency.latency,
    "latency_p95": latency.latency,
    "latency_p99": latency.latency,
    "latency.cpu_ratio": latency.cpu_ratio,
}
"""Fact, or the part before the point of those that exist for every metric -> how it is measured."""


def measure_facts(case: Case, found: Found, workshop: Workshop, clock: Clock) -> Found:
    """Measure what gates name, the judge's, head's and those of environments, and no other step finds."""
    names = [name for name in wanted(case.judge) if how(name) is not None]
    if found.data is None or found.model is None or not names:
        return found
    material = Material(case=case, data=found.data, model=found.model, workshop=workshop, clock=clock)
    answers: dict[str, Answer] = {}
    with clock.step("facts", "measuring") as line:
        for name in names:
            clock.say("facts", f"measuring {name}")
            measure = how(name)
            if measure is not None:
                answers[name] = measure(name, material)
        line.found = _line(answers)
    measured = {name: answer for name, answer in answers.items() if isinstance(answer, Number)}
    return msgspec.structs.replace(
        found,
        # Nine digits: the order of a floating sum must not show in a decision's id.
        facts={name: float(f"{number.value:.9g}") for name, number in measured.items()},
        missing_facts={name: answer for name, answer in answers.items() if isinstance(answer, Absence)},
        fact_notes={name: FactNote(unit=FACTS[name].unit, told=number.told) for name, number in measured.items()},
    )


def how(name: str) -> Callable[[str, Material], Answer] | None:
    """What measures a fact; None where another step finds it."""
    return MEASURES.get(name) or MEASURES.get(name.partition(".")[0])


def wanted(judge: Judge) -> list[str]:
    """The facts that its gates name, head's and those of environments too: known before anything runs."""
    return sorted({term.name for gate in judge.every_gate for term in gate.terms if term.kind is TermKind.FACT})


def _line(answers: dict[str, Answer]) -> str:
    missing = [name for name, answer in answers.items() if isinstance(answer, Absence)]
    told = f"{len(answers) - len(missing)} of {len(answers)} measured"
    return f"{told}; no number for {', '.join(missing)}" if missing else told
