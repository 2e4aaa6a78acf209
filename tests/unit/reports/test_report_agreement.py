"""Numbers agree with each other and come from the story."""

from __future__ import annotations

import json
import math
import re

import msgspec
import pytest

from mlops_ci.records.evaluation import SliceTable
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Side, Verdict
from mlops_ci.reports import claims, document, markdown, report, terminal
from mlops_ci.reports.document import plain
from mlops_ci.reports.story import Story
from tests.unit.reports.report_stories import (
    ACCURACY,
    RECALL,
    STORIES,
    digits,
    leak,
    new_data,
    refused,
    regression,
    undecided,
    verdict,
)

TOLD = [story for name, story in STORIES.items() if name != "hostile"]
_NUMBER = re.compile(r"(?<![\w.])[+−]?\d[\d,]*(?:\.\d+)?")


@pytest.mark.parametrize("story", [refused, new_data, undecided, digits])
def test_rows_won_and_lost_are_the_difference_in_accuracy(story) -> None:
    evaluation = story().evidence.evaluation
    accuracy = next(one for one in evaluation.metrics if one.metric == "accuracy")
    flips = evaluation.flips
    assert flips.won - flips.lost == round((accuracy.value - accuracy.champion) * evaluation.rows)
    assert sum(evaluation.class_counts) == evaluation.rows == flips.rows


@pytest.mark.parametrize("story", [refused, undecided, digits])
def test_the_confusion_adds_up_to_the_classes(story) -> None:
    evaluation = story().evidence.evaluation
    assert tuple(map(sum, evaluation.confusion)) == evaluation.class_counts


def test_the_table_by_class_agrees_with_the_confusion_and_the_accuracies() -> None:
    evaluation = digits().evidence.evaluation
    accuracy = next(one for one in evaluation.metrics if one.metric == "accuracy")
    for one in evaluation.by_class:
        place = evaluation.classes.index(one.name)
        assert one.candidate.hits == evaluation.confusion[place][place]
        assert one.candidate.rows == one.champion.rows == evaluation.class_counts[place]
        assert one.candidate.predicted == sum(line[place] for line in evaluation.confusion)
    assert sum(one.candidate.hits for one in evaluation.by_class) == round(accuracy.value * evaluation.rows)
    assert sum(one.champion.hits for one in evaluation.by_class) == round(accuracy.champion * evaluation.rows)


@pytest.mark.parametrize("story", TOLD)
def test_every_number_in_the_report_comes_from_the_story(story) -> None:
    told = story()
    known = set(_known(json.loads(msgspec.json.encode(told))))
    known |= _counted(told)
    text = re.sub(r"`[^`]*`|<[^>]*>", " ", markdown.render(report.build(told)))
    text = re.sub(r"^#+|test set was used|4 times out of 5", " ", text, flags=re.MULTILINE)
    strange = [found for found in _NUMBER.findall(text) if not _is_known(found, known)]
    assert strange == []


def _known(value: object) -> list[float]:
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float):
        return [float(value)]
    if isinstance(value, str):
        return [float(found.replace(",", "").replace("−", "-")) for found in _NUMBER.findall(value)] + [
            float(found) for found in re.findall(r"\d+(?:\.\d+)?", value)
        ]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [number for part in parts for number in _known(part)]


def _counted(story: Story) -> set[float]:
    """What the report counts or adds up from the story: lengths, sums, shares of flips."""
    evaluation, snapshot, found = story.evidence.evaluation, story.evidence.snapshot, {0.0}
    pairs = ((one.value, one.champion) for one in story.decision.metrics)
    found |= {new - old for new, old in pairs if new is not None and old is not None}
    lists: list[int] = [len(story.decision.gates), len(story.decision.checks), len(story.decision.judge.differences)]
    found |= {float(number) for length in lists for number in range(length + 1)}
    if snapshot:
        found.add(float(sum(source.bytes for source in snapshot.sources)))
        found.add(float(len(snapshot.sources)))
    found |= {1.0 - verdict.alpha_pass for verdict in story.decision.gates if verdict.alpha_pass is not None}
    if story.evidence.training:
        found.add(float(len(story.evidence.training.features)))
    if evaluation:
        cut = [one for one in evaluation.cuts if one.column]
        lists = [len(evaluation.metrics), len(cut), len({one.column for one in cut})]
        found |= {float(length) for length in lists}
        for one in evaluation.by_class or ():
            ours, theirs = one.candidate, one.champion
            found |= {share for side in (ours, theirs) for share in (side.precision, side.recall, side.f1)}
            found.add(ours.f1 - theirs.f1)
        if evaluation.flips:
            found |= {float(evaluation.flips.changed), evaluation.flips.changed / evaluation.flips.rows}
            found |= {float(one.won - one.lost) for one in evaluation.flips.by_slice}
    return found


def _is_known(written: str, known: set[float]) -> bool:
    """Some number of the story, in some unit, rounds to what is written."""
    number = float(written.replace(",", "").replace("−", "-"))
    places = len(written.partition(".")[2])
    scaled = (value * factor for value in known for factor in (1.0, 100.0, 1e-3, 1e-6))
    return any(math.isclose(value, number, abs_tol=0.5000001 * 10.0**-places, rel_tol=0) for value in scaled)


@pytest.mark.parametrize("story", STORIES.values())
def test_the_same_story_gives_the_same_bytes(story) -> None:
    one, other = report.build(story()), report.build(story())
    assert markdown.render(one) == markdown.render(other)
    assert document.charts(one) == document.charts(other)


@pytest.mark.parametrize("story", [refused, new_data, regression])
def test_slices_are_told_the_same_however_they_were_kept(story) -> None:
    replace, one = msgspec.structs.replace, story()
    table = SliceTable.of(one.evidence.evaluation.slices)
    other = replace(one, evidence=replace(one.evidence, evaluation=replace(one.evidence.evaluation, slices=table)))
    assert markdown.render(report.build(one)) == markdown.render(report.build(other))
    assert document.charts(report.build(one)) == document.charts(report.build(other))


def test_the_stored_report_does_not_depend_on_the_run() -> None:
    stored = msgspec.structs.replace(refused(), run=None)
    text = markdown.render(report.build(stored))
    assert "Cost" not in text
    assert "desk" not in text.replace("at your desk", "")


@pytest.mark.parametrize("story", STORIES.values())
def test_the_texts_of_one_check_stay_under_100_kb(story) -> None:
    told = story()
    built = report.build(told)
    size = len(markdown.render(built).encode()) + sum(len(svg.encode()) for svg in document.charts(built).values())
    size += len(msgspec.json.encode(told.decision)) + len(msgspec.json.encode(told.evidence))
    assert size < 100_000


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("recall >= 0.5", ">="),
        ("0.5 <= recall", ">="),
        ('recall["a>b"=1] < 3', "<"),
        ("recall[a=b<c] > 1", ">"),
        ("drift", ""),
        ("n - o > 0.02 +/- 0.01", ">"),
    ],
)
def test_the_direction_of_a_gate_is_read_with_the_metric_on_the_left(gate: str, expected: str) -> None:
    assert claims.comparison(verdict(gate)) == expected


def _said(one: Verdict) -> str:
    return plain(claims.outcome(one))


_SIZE = verdict("bundle_size <= 50 MB", Status.FAILED, observed=65e6, threshold=50e6, unit="bytes")
_GAP = verdict("gap(recall, by=plan) <= 0.1", Status.FAILED, observed=0.2, threshold=0.1)
_DRIFT = verdict("drift.max_psi <= 0.25", Status.FAILED, name="drift of the sources", observed=0.31, threshold=0.25)
_WORSE = verdict(
    "accuracy - champion.accuracy > -0.005",
    Status.FAILED,
    difference=True,
    observed=-0.01,
    low=-0.012,
    high=-0.008,
    threshold=-0.005,
    candidate=Side(value=0.78),
    champion=Side(value=0.79),
)
_BETWEEN = "the difference lies between −0.0053 and −0.0009, and −0.005 is in between"


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (RECALL, "recall at origin=JFK fell from 0.412 to 0.361, below 0.38"),
        (ACCURACY, f"accuracy fell from 0.7954 to 0.7923; {_BETWEEN}"),
        (_SIZE, "bundle size is 65 MB, above 50 MB"),
        (_GAP, "the gap in recall is 0.200, above 0.1"),
        (_DRIFT, "drift of the sources is 0.310, above 0.25"),
        (_WORSE, "accuracy fell from 0.7900 to 0.7800 (−0.0100 [−0.0120, −0.0080]); it must be > −0.005"),
        (verdict("tests.failed <= 0", Status.FAILED, observed=2.0, threshold=0.0), "tests.failed is 2, above 0"),
        (verdict("data.rows == 9", Status.FAILED, observed=8.0, threshold=9.0), "data.rows is 8, not 9"),
        (verdict("recall > 0.38", Status.FAILED, observed=0.38, threshold=0.38), "recall is 0.380, not above 0.38"),
        (verdict("recall >= 0.38", Status.FAILED, observed=0.37996, threshold=0.38), "recall is 0.37996, below 0.38"),
        (verdict("roc_auc >= 0.7", Status.SKIPPED, reason="there is no champion"), "ROC AUC: there is no champion"),
    ],
)
def test_a_verdict_is_one_sentence_with_its_numbers(one: Verdict, sentence: str) -> None:
    assert _said(one) == sentence


def test_data_that_stops_the_run_says_that_no_model_was_trained() -> None:
    text = markdown.render(report.build(leak()))
    assert "**The data:** refused. **The model:** not trained" in text
    assert "#### Gates" not in text


def test_a_first_decision_says_what_it_was_not_compared_with() -> None:
    text = markdown.render(report.build(regression()))
    assert "nothing to compare with" in text
    assert "**No champion yet:**" in text
    assert "1 skipped" in text.splitlines()[0]


def test_new_data_is_told_apart_from_the_model() -> None:
    text = markdown.render(report.build(new_data()))
    assert "**The data:** passed. **The model:** passed." in text
    assert "On the 5,885 held-out rows it was not judged on, v12 in production, unchanged, has accuracy 0.746" in text


def test_the_gates_keep_their_numbers_in_the_commands() -> None:
    lines = terminal.verdict_lines(refused())
    assert any("mlops-ci rows --gate 2" in line for line in lines)
    assert refused().decision.gates[1].verdict is Status.FAILED


def test_lines_of_the_terminal_hold_no_control_characters_and_no_commands_of_the_runner() -> None:
    for line in terminal.verdict_lines(STORIES["hostile"]()):
        assert line.isprintable()
        assert "##[" not in line
        assert not line.lstrip().startswith("::")
        assert " ::" not in line


def test_gates_line_up_in_the_terminal() -> None:
    gates = [line for line in terminal.verdict_lines(refused()) if line[11:12] in set("✓✗?!–")]
    assert len(gates) == 4
    assert {
        line[line.index("mlops.yaml") - 2 : line.index("mlops.yaml")] for line in gates if "mlops.yaml" in line
    } == {"  "}
    assert len({line.index("mlops.yaml") for line in gates if "mlops.yaml" in line}) == 1


def test_predictions_that_changed_are_told_by_which_way() -> None:
    text = markdown.render(report.build(refused())).replace("\u00a0", " ")
    assert "**1,904 of 32,418** predictions changed (5.9 %): **1,002 became wrong**, 902 became right." in text
    assert "| `origin=JFK` | 10,720 | 385 | 280 | −105 |" in text


def test_code_that_crashed_is_named_as_it_is_with_its_traceback_in_sight() -> None:
    text = markdown.render(report.build(STORIES["crashed"]()))
    assert "**could not be judged**. pipeline.train:train raised KeyError" in text.splitlines()[0]
    assert "**The data:** passed. **The model:** could not be judged." in text
    assert "\n```\nTraceback (most recent call last):" in text.split("<details>")[0]
    assert "mlops-ci explain" not in text
