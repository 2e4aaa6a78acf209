"""Gates over what only a release has: its bundle, its server, its image. A check skips them, or judged an estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.gates import grammar
from mlops_ci.gates.facts import FACTS
from mlops_ci.gates.gate import TermKind
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.records.decisions import Absence, FactNote
from mlops_ci.records.due import Cost
from mlops_ci.records.evaluation import Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.reports import numbers

if TYPE_CHECKING:
    from mlops_ci.gates.gate import Undecided
    from mlops_ci.records.verdicts import Verdict
    from mlops_ci.steps.release_decision import Candidate

replace = msgspec.structs.replace
_NO_IMAGE = Absence(status=Status.SKIPPED, reason="the release has no image")
_SIZE, _CPU, _IMAGE = "bundle_size", "cpu_per_request", "image_size"
_NO_ROWS = np.empty(0, dtype=np.int32)


def of_bundle(candidate: Candidate) -> Candidate:
    """The candidate with the verdicts of the gates that its bundle alone decides: before an image is made."""
    size, cost = candidate.info.bytes, candidate.cost
    told = f"The bundle takes {numbers.size(size)}, its runtime, lock and papers with the model"
    measured = Cost(
        facts={_SIZE: float(size)} | cost.facts,
        notes={_SIZE: FactNote(unit=FACTS[_SIZE].unit, told=told)} | cost.notes,
        missing=cost.missing,
    )
    return _judged(candidate, frozenset((_SIZE, _CPU)), measured)


def of_image(candidate: Candidate) -> Candidate:
    """The same with those that its image decides."""
    image = candidate.image or None
    if image is None:
        return _judged(candidate, frozenset((_IMAGE,)), Cost(missing={_IMAGE: _NO_IMAGE}))
    told = f"The image of the server takes {numbers.size(image.bytes)} unpacked, with its base"
    note = FactNote(unit=FACTS[_IMAGE].unit, told=told)
    return _judged(candidate, frozenset((_IMAGE,)), Cost(facts={_IMAGE: float(image.bytes)}, notes={_IMAGE: note}))


def _judged(candidate: Candidate, names: frozenset[str], measured: Cost) -> Candidate:
    """Ask the gates that passed the model, as they were written then, if they are about these facts and no other.

    A fact that nobody measured is an errored gate.
    """
    passed, rules = candidate.passed.decision.numbered_gates, _when_undecided(candidate)
    written = [
        (one, grammar.parse(one.gate, name=one.name, when_undecided=rules.get(one.gate, "refuse"), where=one.where))
        for one in passed
    ]
    named = {one.gate: {term.name for term in gate.terms if term.kind is TermKind.FACT} for one, gate in written}
    about = [pair for pair in written if named[pair[0].gate] and named[pair[0].gate] <= names]
    if not about:
        return candidate
    verdicts = judge([gate for _, gate in about], about_facts(measured))
    wanted = set().union(*(named[one.gate] for one, _ in about)) & measured.facts.keys()
    told = {name: measured.notes[name] for name in sorted(wanted)}
    return replace(
        candidate,
        gates=(*candidate.gates, *map(_let_through, (one for one, _ in about), verdicts)),
        facts=candidate.facts | {name: measured.facts[name] for name in told},
        fact_notes=candidate.fact_notes | told,
    )


def _when_undecided(candidate: Candidate) -> dict[str, Undecided]:
    """Gate as it is written -> its rule; of one that base and head both have, base's. A verdict does not hold it."""
    judge = candidate.case.judge
    return {gate.text: gate.when_undecided for gate in (*judge.head_gates, *judge.gates)}


def _let_through(before: Verdict, now: Verdict) -> Verdict:
    """What a waiver let through in the check is let through by the same."""
    if now.verdict is Status.FAILED and before.waived:
        return replace(now, waived=before.waived, blocking=before.blocking)
    return now


def about_facts(measured: Cost) -> Question:
    """What gates are asked that no row has a say in."""
    nobody = Holdout(task=Task.BINARY, digest="", ids=_NO_ROWS.astype(np.uint64), truth=_NO_ROWS, classes=("0", "1"))
    return Question(
        holdout=nobody,
        predictions=Predictions(digest="", labels=_NO_ROWS),
        facts=measured.facts,
        missing_facts=measured.missing,
    )
