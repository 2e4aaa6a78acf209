"""Gates against the anchor: judged as those against the champion are, and by its answers alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.errors import ConfigError
from mlops_ci.gates.explain import explain
from mlops_ci.gates.gate import Gate
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.gates.validate import validate
from mlops_ci.records.evaluation import Champion, Factor, Holdout, OwnMetric, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Where
from mlops_ci.records.verdicts import Verdict

ROWS = 3_000
GATES = (
    "accuracy - {0}.accuracy > -0.02 @ 95%",
    "roc_auc - {0}.roc_auc > -0.02 @ 95%",
    "f1 - {0}.f1 > -0.02 @ 95%",
    "brier - {0}.brier < 0.02 @ 95%",
    "log_loss(clip=5) - {0}.log_loss(clip=5) < 0.02 @ 95%",
    "recall[town=Bonn] - {0}.recall[town=Bonn] > -0.02 @ 99%",
    "{0}.accuracy - accuracy < 0.02",
    "accuracy >= 0.98 * {0}.accuracy",
    "worst(recall, by=town) - worst({0}.recall, by=town) > -0.05",
    "gap({0}.recall, by=town) - gap(recall, by=town) > -0.1",
    "accuracy - {0}.accuracy > -0.02 +/- 0.1 @ 99%",
    "accuracy - 1.1 * {0}.accuracy > -0.2 +/- 0.1 @ 99%",
)


def _answers(seed: int, noise: float, truth: np.ndarray) -> Predictions:
    scores = 1 / (1 + np.exp(-(truth * 2.0 - 1.0 + noise * np.random.default_rng(seed).normal(size=len(truth)))))
    labels = (scores > 0.5).astype(np.int32)
    return Predictions(digest=str(seed), labels=labels, scores=scores.astype(np.float32))


def _question(*, group: bool = False, **anchor: Any) -> Question:
    """A candidate beside a much better champion and an anchor that is about as good."""
    truth = (np.random.default_rng(0).random(ROWS) < 0.4).astype(np.int32)
    towns = Factor(codes=(np.arange(ROWS) % 3).astype(np.int32), values=("Aachen", "Bonn", "Celle"))
    holdout = Holdout(
        task=Task.BINARY,
        digest="",
        ids=np.arange(ROWS, dtype=np.uint64),
        truth=truth,
        classes=("no", "yes"),
        group=np.arange(ROWS, dtype=np.int64) // 30 if group else None,
        slices={"town": towns},
    )
    pinned = {"predictions": _answers(3, 1.5, truth)} | anchor
    return Question(
        holdout=holdout,
        predictions=_answers(1, 1.5, truth),
        champion=Champion(name="v2", decision="d2", commit="c2", predictions=_answers(2, 0.5, truth)),
        anchor=Champion(name="the anchor, a1b2c3d", decision="d1", commit="c1", **pinned),
    )


def _one(text: str, question: Question) -> Verdict:
    (found,) = judge([parse(text)], question)
    return found


def _numbers(found: Verdict) -> Verdict:
    """Without whose they are."""
    reason = found.reason.replace("the champion", "the anchor")
    return replace(found, gate="", name="", champion=found.anchor or found.champion, anchor=None, reason=reason)


@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("silent", [0, 90, ROWS])
@pytest.mark.parametrize("text", GATES)
def test_one_decision_gives_one_verdict_as_champion_and_as_anchor(text: str, silent: int, *, group: bool) -> None:
    lacking = np.arange(ROWS) >= ROWS - silent if silent else None
    question = _question(group=group, unanswered=lacking)
    ours = _one(text.format("anchor"), question)
    theirs = _one(text.format("champion"), replace(question, champion=question.anchor, anchor=None))
    assert _numbers(ours) == _numbers(theirs)
    assert ours.champion is None
    assert "champion" not in ours.reason
    if not silent and not group:
        assert ours.verdict in {Status.PASSED, Status.FAILED, Status.UNDECIDED}
        assert ours.observed is not None


def test_it_is_judged_by_the_answers_of_the_anchor_and_not_of_the_champion() -> None:
    question = _question()
    against = {whose: _one(f"accuracy - {whose}.accuracy > -0.05 @ 95%", question) for whose in ("anchor", "champion")}
    assert against["anchor"].verdict is Status.PASSED
    assert against["champion"].verdict is Status.FAILED
    assert against["champion"].anchor is not None or against["champion"].champion is not None
    assert not against["champion"].anchor


def test_the_same_model_is_looked_for_in_the_rival_that_is_named() -> None:
    question = _question(same_model=True)
    found = _one("accuracy - anchor.accuracy > -0.5 @ 95%", question)
    assert (found.method, found.reason) == (
        "same-model/1",
        "this is the anchor's model, byte for byte: the difference is 0",
    )
    assert _one("accuracy - champion.accuracy > -0.5 @ 95%", question).method != "same-model/1"


def test_few_changes_against_the_champion_say_nothing_of_the_anchor() -> None:
    """`d` is of the champion: beside it Bennett's bound would count the anchor's changes as rare."""
    question = _question()
    question = replace(question, champion=replace(question.champion, predictions=question.predictions))
    few = "d < 0.1 +/- 0.05 @ 99%"
    gates = [parse("n - anchor.accuracy > -0.02 +/- 0.1 @ 99%"), parse(few)]
    assert judge(gates, question)[0] == judge(gates[:1], question)[0]
    assert judge(gates, question)[0].method == "hoeffding-tolerance/1"
    assert judge([parse("n - o > -0.02 +/- 0.1 @ 99%"), parse(few)], question)[0].method == "bennett-tolerance/1"


def test_rows_are_cut_for_the_anchor_too() -> None:
    question = _question(unanswered=np.arange(ROWS) < 10)
    cut = question.cut(np.arange(ROWS) >= 5)
    assert cut.anchor is not None
    assert cut.anchor.predictions is not None
    assert cut.anchor.unanswered is not None
    assert (len(cut.anchor.predictions.labels), int(cut.anchor.unanswered.sum())) == (ROWS - 5, 5)


GATE = "accuracy - anchor.accuracy > -0.02 @ 95%"


def test_an_anchor_that_cannot_be_found_is_errored_and_one_without_answers_undecided() -> None:
    gone = replace(_question(), anchor=Champion(name="the anchor, a1b2c3d", decision="", commit="", reason="not here"))
    assert (_one(GATE, gone).verdict, _one(GATE, gone).reason) == (
        Status.ERRORED,
        "the anchor, a1b2c3d, cannot be used: not here",
    )
    silent = _question(predictions=None, reason="its classes changed")
    assert _one(GATE, silent).verdict is Status.UNDECIDED
    assert "the anchor, a1b2c3d cannot be compared on these rows: its classes changed" in _one(GATE, silent).reason
    never = replace(_question(), anchor=None)
    assert _one(GATE, never).verdict is Status.ERRORED
    assert _one("accuracy - champion.accuracy > -0.5 @ 95%", never).verdict is Status.PASSED


def test_scores_that_only_the_anchor_lacks_are_its_own() -> None:
    question = _question()
    assert question.anchor is not None
    labels = replace(question.anchor.predictions, scores=None)
    found = _one("roc_auc - anchor.roc_auc > 0", replace(question, anchor=replace(question.anchor, predictions=labels)))
    assert found.verdict is Status.ERRORED
    assert "the anchor gives labels only" in found.reason


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("anchor.bundle_size < 50 MB", "facts of the anchor are not kept"),
        ("accuracy - anchor.acuracy > 0", "there is no metric"),
        ("profit - anchor.profit > 0", "own metrics are not computed for the anchor"),
        ("anchor.roc_auc - roc_auc == 0", "is for facts and counts"),
    ],
)
def test_what_can_never_be_judged_is_refused(text: str, says: str) -> None:
    from mlops_ci.evaluation.own import registry

    metrics = registry((OwnMetric(name="profit", function="pipeline.metrics:profit", low=0.0, high=1.0),))
    with pytest.raises(ConfigError, match=says):
        validate([parse(text)], task="classification", slices=[], metrics=metrics)


def test_without_an_anchor_in_the_settings_the_gate_is_refused_with_its_place() -> None:
    def load(gate: Gate, *, anchored: bool) -> None:
        validate([gate], task="classification", slices=[], anchored=anchored)

    gate = parse(GATE, where=Where("mlops.yaml", 7))
    load(gate, anchored=True)
    with pytest.raises(ConfigError) as caught:
        load(gate, anchored=False)
    assert caught.value.where == "mlops.yaml:7"
    assert caught.value.message.splitlines()[2].index("^") == 2 + GATE.index("anchor")
    assert "anchor: a1b2c3d" in caught.value.advice


def test_it_is_explained_by_its_name() -> None:
    assert explain(parse(GATE)).startswith(
        "The candidate's accuracy minus the anchor's, on the same held-out rows, must be above −2 points."
    )
    assert "table truth x candidate x anchor" in explain(parse("f1 - anchor.f1 > 0 @ 95%"))
    assert explain(parse("anchor.mae - mae > 0")).startswith("The anchor's mae minus the candidate's")
