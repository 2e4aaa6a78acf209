"""What a reader of real reports stumbled over: each said once, rightly and in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mlops_ci.records.decisions import ChampionRef, Change, JudgeRef
from mlops_ci.records.evaluation import ClassCounts, ClassValue, Flips, MetricValue, SliceValue, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part
from mlops_ci.records.verdicts import Side, Verdict
from mlops_ci.reports import claims, markdown, report
from mlops_ci.reports.document import plain
from mlops_ci.reports.sections import verdict as verdict_section
from mlops_ci.reports.sections.slices import shown_metrics
from mlops_ci.reports.story import Story
from tests.unit.reports.report_stories import (
    RUN,
    decision,
    evidence,
    flights,
    refused,
    regression,
    result,
    snapshot,
    story,
    training,
    undecided,
    verdict,
)

replace = msgspec.structs.replace


def told(decided: Any = None, **more: Any) -> Story:
    return story(decided or decision(), evidence(**more))


def text(one: Story) -> str:
    return markdown.render(report.build(one)).replace("\u00a0", " ")


def test_slices_show_what_gates_name_then_the_usual_whatever_the_order_they_were_kept_in() -> None:
    names = ("accuracy", "balanced_accuracy", "brier", "f1", "log_loss", "precision", "recall", "roc_auc")
    cuts = (SliceValue(column="plan", value="annual", rows=30, metrics=dict.fromkeys(names, 0.5)),)
    gates = (verdict("roc_auc >= 0.7"), verdict("worst(f1, by=plan) >= 0.2"), verdict("drift.max_psi <= 0.2"))
    assert shown_metrics(told(decision(gates=gates)), cuts) == ("roc_auc", "f1", "accuracy", "recall")
    assert shown_metrics(told(), cuts) == ("accuracy", "recall", "precision")


def test_slices_of_numbers_show_mae_and_rmse_and_leave_out_what_no_slice_has() -> None:
    metrics = {"mae": 1.0, "mape": 0.1, "mean_error": 0.0, "median_ae": 1.0, "r2": None, "rmse": 2.0}
    cuts = (SliceValue(column="plan", value="annual", rows=30, metrics=metrics),)
    assert shown_metrics(told(decision(gates=(verdict("r2 >= 0"),))), cuts) == ("mae", "rmse")
    other = (SliceValue(column="plan", value="annual", rows=30, metrics={"net_profit": 3.0}),)
    assert shown_metrics(told(), other) == ("net_profit",)


@pytest.mark.parametrize("message", ["newest 2013-09-30 03:00:00", "mlops.yaml:24: no such metric", "1:0:3:44:5"])
def test_times_and_places_stay_whole_in_markdown(message: str) -> None:
    assert markdown.text(message) == message


@pytest.mark.parametrize("message", [":100:", ":1234:", "a :tada: b", ":+1:", ":8ball:"])
def test_emoji_are_still_cut_apart(message: str) -> None:
    assert "\u200b" in markdown.text(message)


def test_a_gate_without_rows_still_gives_its_number_in_the_verdict() -> None:
    gates = (verdict("data.failed <= 0", observed=0.0, threshold=0.0), verdict("r2 >= 0", observed=0.132, threshold=0))
    sentence = plain(verdict_section.sentence(told(decision(gates=gates))))
    assert sentence == "All 2 gates hold; R² is 0.132 (needs ≥ 0)"


def test_a_champion_is_missed_only_where_a_gate_compares() -> None:
    alone = decision(champion=None, base="", gates=(verdict("r2 >= 0", observed=0.1, threshold=0.0),))
    assert "No champion yet" not in text(told(alone))
    compares = verdict("r2 - champion.r2 > 0", Status.SKIPPED, reason="no model has passed before")
    assert "No champion yet" in text(told(replace(alone, gates=(*alone.gates, compares))))


def test_the_positive_class_and_the_rows_of_each_class_are_named() -> None:
    said = "Held-out rows by class: `False` 24,281, `True` 8,137. The positive class is `True`."
    assert said in text(refused())
    assert "positive class" not in text(regression())


def classes(count: int, shown: int) -> Any:
    """An evaluation of so many classes of 10 rows, of which the first are told, 10 to 1 found; the champion finds 5."""
    names = tuple(f"class {place:02}" for place in range(count))
    told = tuple(
        ClassValue(
            name=name,
            candidate=ClassCounts(rows=10, predicted=10, hits=10 - place),
            champion=ClassCounts(rows=10, predicted=0 if place else 20, hits=0 if place else 5),
        )
        for place, name in enumerate(names[:shown])
    )
    return flights(
        task=Task.MULTICLASS,
        rows=10 * count,
        classes=names,
        class_counts=(10,) * count,
        by_class=told,
        flips=Flips(rows=10 * count, won=0, lost=0, other=0),
        confusion=(),
    )


def test_few_classes_are_told_in_one_table_with_what_the_champion_reached() -> None:
    said = text(told(evaluation=classes(3, 3)))
    assert "Classes, the lowest F1 first; in brackets v12 in production." in said
    assert "| `class 00` | 10 | 1.000 (0.333) | +0.667 | 1.000 (0.250) | 1.000 (0.500) |" in said
    assert "| `class 02` | 10 | 0.800 (0.000) | +0.800 | 0.800 (–) | 0.800 (0.000) |" in said
    assert "Held-out rows by class" not in said


def test_of_many_classes_the_others_are_counted() -> None:
    said = text(told(evaluation=classes(30, 4)))
    assert "in brackets v12 in production. 26 more classes, none with a lower F1." in said
    assert said.count("| `class ") == 4
    assert "Held-out rows by class: `class 00` 10," in said


def test_a_champion_without_all_answers_is_compared_by_class_on_the_rows_it_has() -> None:
    partly = replace(classes(3, 3), flips=Flips(rows=24, won=0, lost=0, other=0))
    assert "in brackets v12 in production; on the 24 rows that it has answers for." in text(told(evaluation=partly))


def test_classes_stand_alone_where_there_is_no_champion_and_where_they_were_not_counted() -> None:
    alone = classes(3, 3)
    alone = replace(alone, flips=None, by_class=tuple(replace(one, champion=None) for one in alone.by_class))
    assert "| class | rows | F1 | precision | recall |\n" in text(told(evaluation=alone))
    assert "| class | rows |" not in text(told(evaluation=replace(alone, by_class=msgspec.UNSET)))


@pytest.mark.parametrize(
    ("rung", "said"),
    [
        ("command", "The training command could read the held-out rows"),
        ("model", "The model was trained elsewhere"),
        ("predictions", "The predictions were made elsewhere"),
    ],
)
def test_a_holdout_that_is_not_protected_is_said_at_the_top_with_its_reason(rung: str, said: str) -> None:
    open_ = text(told(snapshot=snapshot(holdout_protected=False), training=training(rung=rung)))
    assert f"**Holdout: not protected.** {said}" in open_.partition("#### ")[0]
    assert "not protected" not in text(told(training=training(rung=rung)))


def test_rules_of_the_base_that_cannot_be_used_are_not_told_as_missing() -> None:
    why = "the rules at e824080 cannot be used (mlops.yaml:24: `@` on mae is not yet possible)"
    head = JudgeRef(commit="", digest="d1ce" * 16, version="0.3.0", source="head", differences=(why,))
    said = text(told(decision(judge=head)))
    assert "no mlops.yaml" not in said
    assert said.count("cannot be used") == 1
    assert "the base has no mlops.yaml" in text(told(decision(judge=replace(head, differences=()))))


def test_what_the_judge_changes_is_told_once() -> None:
    judge = replace(decision().judge, differences=("slices changed",))
    said = text(told(decision(judge=judge, change=Change(kinds=("judge",), judge=("mlops.yaml",)))))
    assert "**The judge changes:** the rules of `9e8d7c6` decide, not those of this commit.\n" in said
    assert said.count("**Judge:**") == 1
    assert "- **Judge:** slices changed" in said


def _auc(candidate: float, champion: float, low: float, high: float) -> Verdict:
    return verdict(
        "roc_auc - champion.roc_auc > -0.072 @ 95%",
        observed=candidate - champion,
        low=low,
        high=high,
        threshold=-0.072,
        confidence=0.95,
        difference=True,
        candidate=Side(value=candidate),
        champion=Side(value=champion),
    )


def test_a_value_below_one_is_never_written_as_one_and_a_bound_keeps_its_sign() -> None:
    one = _auc(0.9636, 0.9967, -0.1042, -0.0014)
    assert (claims.candidate(one), claims.beside(one, one.champion)) == ("0.964", "0.997")
    assert claims.interval(one) == "[−0.104, −0.001]"
    perfect = _auc(0.98, 1.0, -0.04, 0.01)
    assert claims.beside(perfect, perfect.champion) == "1.000"


def test_bounds_are_not_drawn_out_to_many_digits() -> None:
    wide = verdict("roc_auc >= 0.5 @ 95%", observed=0.9969, low=0.9291, high=0.99999999, threshold=0.5, confidence=0.95)
    assert claims.interval(wide) == "[0.929, 1.000]"


def test_nothing_that_moved_is_not_given_as_a_difference() -> None:
    same = verdict(
        "mae - champion.mae < 0.5",
        observed=0.0,
        threshold=0.5,
        difference=True,
        candidate=Side(value=1.9),
        champion=Side(value=1.9),
    )
    assert plain(claims.outcome(same)) == "MAE stayed at 1.9"


_OPEN = "the difference lies between −0.090 and −0.050, and −0.072 is in between"


def _pinned(candidate: float, anchor: float, low: float, high: float, **more: Any) -> Verdict:
    return replace(
        _auc(candidate, anchor, low, high),
        gate="roc_auc - anchor.roc_auc > -0.072 @ 95%",
        name="",
        champion=None,
        anchor=Side(value=anchor),
        **more,
    )


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            _pinned(0.78, 0.86, -0.09, -0.075, verdict=Status.FAILED),
            "ROC AUC fell from the anchor's 0.860 to 0.780 (−0.080 [−0.090, −0.075]); it must be > −0.072",
        ),
        (
            _pinned(0.87, 0.86, -0.01, 0.03),
            "ROC AUC is 0.870 against the anchor's 0.860, no difference the rows can tell (+0.010 [−0.010, 0.030])",
        ),
        (_pinned(0.86, 0.86, -0.01, 0.01), "ROC AUC stayed at the anchor's 0.860 (0.000 [−0.010, 0.010])"),
        (
            _pinned(0.79, 0.86, -0.09, -0.05, verdict=Status.UNDECIDED),
            f"ROC AUC fell from the anchor's 0.860 to 0.790; {_OPEN}",
        ),
    ],
)
def test_what_is_compared_with_the_anchor_says_so(one: Verdict, sentence: str) -> None:
    assert plain(claims.outcome(one)) == sentence


def test_an_anchor_that_answers_in_part_or_not_at_all_is_told() -> None:
    ref = ChampionRef(name="the anchor, a1b2c3d", commit="", decision="", reason="no decision begins so here")
    written = text(told(decision(anchor=ref), evaluation=flights()))
    assert "and **the anchor, a1b2c3d**" in written
    assert "**Not compared in full with the anchor:** no decision begins so here." in written


def test_a_model_test_that_only_says_passed_is_not_repeated() -> None:
    tests = (result("test_a.py::test_order", "passed", part=Part.TESTS),)
    said = text(told(decision(checks=tests)))
    assert "- ✓ passed `test_a.py::test_order`\n" in said


def test_a_mean_error_is_best_near_zero() -> None:
    said = text(told(decision(metrics=(MetricValue(metric="mean_error", value=-0.03, higher_is_better=False),))))
    assert "| mean error | −0.030 | nearer 0 |" in said


def test_data_that_nothing_touched_is_said_to_be_unchanged() -> None:
    params = decision(change=Change(kinds=("params",)), checks=(result("nulls"),))
    assert "unchanged since the base" in text(told(params, data_change=None))
    code = decision(change=Change(kinds=("code",)), checks=(result("nulls"),))
    assert "unchanged since the base" not in text(told(code, data_change=None))
    assert "unchanged since the base" not in text(told(replace(params, base=""), data_change=None))


def test_the_cost_begins_with_what_took_longest() -> None:
    run = replace(RUN, timings={"data": 0.3, "predict": 6.1, "train": 14.7})
    said = text(replace(undecided(), run=run))
    assert "train 14.7 s · predict 6.1 s · data 0.3 s" in said
