"""What a run says of models, of its tests and of what was measured: the branch's word, and of which kind it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part
from mlops_ci.steps.runs import Kept
from tests.e2e.bad_input import GOOD, SETTINGS, csv_text, rows
from tests.github.judging import Sent, repository
from tests.helpers import git

METRIC = """\
def profit(holdout, predictions):
    return (holdout["late"] == predictions["label"]).map({True: 3.0, False: -1.0})
"""
RULES = SETTINGS.replace(
    "gates:\n",
    "metrics:\n  profit: {function: pipeline.metrics:profit, higher_is_better: true, range: [-1, 3]}\n"
    "gates:\n  - profit >= 1\n  - bundle_size <= 1 MB\n  - accuracy - champion.accuracy > -0.9 @ 95%\n",
)
BASE = {**GOOD, "mlops.yaml": RULES, "pipeline/metrics.py": METRIC}
DRIER = [[*row[:2], f"{float(row[2]) - 0.01:.2f}", *row[3:]] if int(row[0]) % 3 == 0 else row for row in rows()]
CHANGE = {"params.yaml": "limit: 5.1\n", "data/trains.csv": csv_text(DRIER)}
"""Of a third of the rows the champion has to be asked again."""
UNASKED = "and its model is not asked here"
NOT_MEASURED = "rain: could not be judged. Bundle size: bundle_size was not measured"
NO_NUMBERS = "rain: could not be judged. profit: profit could not be computed"


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    with repository(tmp_path_factory.mktemp("answers"), BASE) as judging:
        commit = judging.branch(CHANGE)
        # A job has the ledger of the remote, not that of a desk.
        git(judging.desk, "branch", "--quiet", "--delete", "--force", "mlops-reports")
        git(judging.desk, "fetch", "--quiet", "origin", "+mlops-reports:refs/remotes/origin/mlops-reports")
        evidence = judging.checked()
        yield Sent(judging, commit, evidence, judging.judged(judging.left(evidence, commit)))


def evidence(kept: Kept, **other: Any) -> Kept:
    return replace(kept, evidence=replace(kept.evidence, **other))


def arrays(kept: Kept, **other: Any) -> Kept:
    held = {**kept.arrays, **other}
    return replace(kept, arrays={name: array for name, array in held.items() if array is not None})


def fact_excused(kept: Kept) -> Kept:
    """A text is how older evidence says that a fact was skipped, which does not block."""
    return evidence(kept, facts={}, missing_facts={"bundle_size": "it is not measured here"})


def fact_left_out(kept: Kept) -> Kept:
    return evidence(kept, facts={})


def metric_out_of_range(kept: Kept) -> Kept:
    return arrays(kept, metric_profit=np.full_like(kept.arrays["metric_profit"], 100))


def metric_of_its_own_range(kept: Kept) -> Kept:
    wider = tuple(replace(one, high=1000.0) for one in kept.evidence.own_metrics)
    return evidence(metric_out_of_range(kept), own_metrics=wider)


def metric_of_fewer_rows(kept: Kept) -> Kept:
    return arrays(kept, metric_profit=kept.arrays["metric_profit"][:3])


def metric_excused(kept: Kept) -> Kept:
    excused = tuple(replace(one, reason="it is not computed here") for one in kept.evidence.own_metrics)
    return evidence(arrays(kept, metric_profit=None, champion_metric_profit=None), own_metrics=excused)


def metric_left_out(kept: Kept) -> Kept:
    return evidence(arrays(kept, metric_profit=None, champion_metric_profit=None), own_metrics=())


def failed_tests_that_do_not_block(kept: Kept) -> Kept:
    checks = tuple(
        replace(one, status=Status.FAILED, blocking=False) if one.part is Part.TESTS else one
        for one in kept.decision.checks
    )
    return replace(kept, decision=replace(kept.decision, checks=checks))


def other_classes(kept: Kept) -> Kept:
    assert kept.holdout is not None
    return replace(kept, holdout=replace(kept.holdout, classes=kept.holdout.classes[::-1]))


@pytest.mark.parametrize(
    ("change", "state", "status"),
    [
        (fact_excused, "error", NOT_MEASURED),
        (fact_left_out, "error", NOT_MEASURED),
        (metric_out_of_range, "error", NO_NUMBERS),
        (metric_of_its_own_range, "error", NO_NUMBERS),
        (metric_of_fewer_rows, "error", NO_NUMBERS),
        (metric_excused, "error", NO_NUMBERS),
        (metric_left_out, "error", NO_NUMBERS),
        (failed_tests_that_do_not_block, "failure", "rain: refused."),
        (other_classes, "error", "rain: could not be judged. The run has other classes than the data"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_cannot_be_believed_passes_nothing(
    change: Callable[[Kept], Kept], state: str, status: str, sent: Sent, tmp_path: Path
) -> None:
    told = sent.told(tmp_path, change)
    assert (told.state, told.status[: len(status)]) == (state, status), told.status


def test_what_is_believed_is_told(sent: Sent) -> None:
    assert sent.honest.state == "success", sent.honest
    assert sent.honest.decision["reported"] == [
        "predictions",
        "environment and training",
        "what the champion answers on new or changed rows",
        "model tests",
        "measured facts",
        "the project's own metrics",
    ]
    assert sent.honest.decision["champion"]["reason"] == ""


def of_another_decision(kept: Kept) -> Kept:
    assert kept.decision.champion is not None
    return replace(kept, decision=replace(kept.decision, champion=replace(kept.decision.champion, decision="2" * 64)))


def no_classes(kept: Kept) -> Kept:
    return arrays(kept, champion_labels=np.full_like(kept.arrays["champion_labels"], 9))


def no_answers(kept: Kept) -> Kept:
    return arrays(kept, champion_unanswered=np.ones(len(kept.arrays["labels"]), np.bool_))


@pytest.mark.parametrize("change", [of_another_decision, no_classes, no_answers], ids=lambda one: one.__name__)
def test_what_the_champion_answers_is_taken_where_it_is_the_champion_that_answers(
    change: Callable[[Kept], Kept], sent: Sent, tmp_path: Path
) -> None:
    told = sent.told(tmp_path, change)
    assert UNASKED in told.decision["champion"]["reason"]
    assert told.decision["champion"]["decision"] == sent.honest.decision["champion"]["decision"]


def test_where_rows_pair_the_champion_answers_from_the_ledger(sent: Sent, tmp_path: Path) -> None:
    """The run says that it was wrong about every row, and is believed of the rows that changed."""

    def wrong(kept: Kept) -> Kept:
        assert kept.holdout is not None
        return arrays(kept, champion_labels=(1 - kept.holdout.truth).astype(np.int32))

    told = sent.told(tmp_path, wrong)
    [at] = [one for one in told.decision["gates"] if one["gate"].startswith("accuracy - ")]
    [before] = [one for one in sent.honest.decision["gates"] if one["gate"].startswith("accuracy - ")]
    changed = told.decision["champion"]
    assert changed["reason"] == ""
    assert 0 < at["champion"]["value"] < before["champion"]["value"]
