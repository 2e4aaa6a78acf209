"""The registry of facts: every one is found by somebody, explained, and refused where it cannot exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec
import numpy as np
import pytest

from mlops_ci.errors import ConfigError
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.bounds import clopper_pearson, tango
from mlops_ci.gates.explain import explain, explain_fact
from mlops_ci.gates.facts import FACTS, FAMILIES, KINDS_OF_FACT, Needs
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.gates.validate import validate
from mlops_ci.records.decisions import Absence, Evidence
from mlops_ci.records.evaluation import Champion, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.steps import rejudge
from mlops_ci.steps.facts.measure import MEASURES, how, wanted
from mlops_ci.steps.judge import Judge

if TYPE_CHECKING:
    from mlops_ci.steps.trees import Tree

FOUND_ANYWAY = {
    "data.rows",
    "data.train_rows",
    "data.holdout_rows",
    "data.failed",
    "drift.max_psi",
    "tests.failed",
    "tests.passed",
}


def test_every_fact_that_is_registered_is_found_or_measured_and_nothing_else_is() -> None:
    assert {name for name in FACTS if how(name) is None} == FOUND_ANYWAY
    assert set(MEASURES) <= set(FACTS) | set(FAMILIES)


def test_the_facts_of_every_list_of_gates_are_wanted_and_metrics_are_not() -> None:
    lists = [
        (parse(text),) for text in ("accuracy - trivial.accuracy > 0", "bundle_size <= 1 MB", "latency_p50 <= 9 ms")
    ]
    rules = Judge(
        tree=cast("Tree", None),
        gates=lists[0],
        head_gates=lists[1],
        waivers=(),
        environments={"production": lists[2]},
        source="base",
        digest="",
    )
    assert wanted(rules) == ["bundle_size", "latency_p50", "trivial.accuracy"]


def test_a_family_has_a_fact_for_every_metric_in_its_unit_and_task() -> None:
    for family in FAMILIES:
        for name, metric in METRICS.items():
            fact = FACTS[f"{family}.{name}"]
            assert (fact.unit, fact.tasks) == (metric.unit, metric.tasks)
    assert "trivial.METRIC" in KINDS_OF_FACT
    assert "trivial.accuracy" not in KINDS_OF_FACT


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_fact_is_explained_with_what_it_costs(name: str) -> None:
    told = explain_fact(name)
    assert told.startswith(f"{name}: ")
    assert ("Measured only where a gate names it" in told) is (FACTS[name].needs is not Needs.NOTHING)
    assert name in explain(parse(f"{name} <= 3")).lower()


@pytest.mark.parametrize(
    ("text", "task", "says"),
    [
        ("trivial.rmse <= 3", "classification", "no fact of binary or multiclass"),
        ("calibration.slope >= 0.8", "regression", "it is measured for binary"),
        ("robustness.mising <= 3", "classification", 'did you mean "robustness.missing"?'),
        ("seed_noise.acuracy <= 3", "classification", 'did you mean "seed_noise.accuracy"?'),
        ("nothing.like_it <= 3", "classification", "seed_noise.METRIC"),
        ("champion.determinism.predict == 0", "classification", "facts of the champion are not kept"),
    ],
)
def test_a_fact_that_cannot_be_is_refused(text: str, task: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validate([parse(text)], task=task, slices=[])
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text", ["accuracy - trivial.accuracy >= 0.05", "roc_auc - champion.roc_auc - seed_noise.roc_auc > 0"]
)
def test_facts_and_metrics_are_counted_together(text: str) -> None:
    validate([parse(text)], task="classification", slices=[])


def _question(**more: object) -> Question:
    truth = np.array([0, 1] * 50, dtype=np.int32)
    holdout = Holdout(task=Task.BINARY, digest="", ids=np.arange(100, dtype=np.uint64), truth=truth, classes=("a", "b"))
    labels = np.where(np.arange(100) < 80, truth, 1 - truth).astype(np.int32)
    answers = Predictions(digest="1", labels=labels)
    return Question(**{"holdout": holdout, "predictions": answers, **more})  # type: ignore[arg-type]


def test_a_gain_over_the_trivial_model_is_exact() -> None:
    question = _question(facts={"trivial.accuracy": 0.5})
    [found] = judge([parse("accuracy - trivial.accuracy >= 0.3")], question)
    assert (found.verdict, found.observed) == (Status.PASSED, pytest.approx(0.3))


@pytest.mark.parametrize("status", [Status.SKIPPED, Status.ERRORED, Status.FAILED, Status.UNDECIDED])
def test_a_fact_without_a_number_gives_the_verdict_it_says(status: Status) -> None:
    absent = {"robustness.missing": Absence(status=status, reason="the model cannot answer")}
    [found] = judge([parse("robustness.missing <= 0.1")], _question(missing_facts=absent))
    assert (found.verdict, found.reason, found.observed) == (status, "the model cannot answer", None)


def test_the_bounds_of_fairness_rates_are_those_of_the_counts_they_are() -> None:
    """Selection rate: rows called positive; false positive rate: the mirror image of specificity."""
    question = _question()
    flagged = int((question.predictions.labels == 1).sum())
    selected, alarms, right = judge(
        [parse(f"{name} >= 0.1 @ 95%") for name in ("selection_rate", "false_positive_rate", "specificity")], question
    )
    assert (selected.low, selected.rows) == (clopper_pearson.low(flagged, 100, 0.05), 100)
    assert alarms.rows == right.rows == 50
    assert alarms.low is not None
    assert right.high is not None
    assert alarms.low == clopper_pearson.low(10, 50, 0.05)
    assert alarms.observed == pytest.approx(1 - right.observed)


def test_their_differences_are_paired() -> None:
    question = _question()
    labels = question.predictions.labels.copy()
    labels[:6] = 1  # three more are called positive
    rival = Champion(name="v1", decision="", commit="", predictions=Predictions(digest="2", labels=labels))
    gate = parse("selection_rate - champion.selection_rate > -0.2 @ 95%")
    [found] = judge([gate], _question(champion=rival))
    assert (found.method, found.observed) == (tango.NAME, pytest.approx(-0.03))
    assert found.low == tango.PairedProportion(losses=3, wins=0, of=100).low(0.05, passing=True)


def test_evidence_from_before_absences_had_a_status_is_still_read() -> None:
    old = msgspec.json.decode(b'{"missing_facts": {"drift.max_psi": "there is no base"}}', type=Evidence)
    absent = rejudge._absences(old)
    [found] = judge([parse("drift.max_psi <= 0.2")], _question(missing_facts=absent))
    assert (found.verdict, found.reason) == (Status.SKIPPED, "there is no base")
