from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.errors import ConfigError
from mlops_ci.gates.gate import TermKind, Whose
from mlops_ci.gates.grammar import parse
from mlops_ci.records.results import Where


def _refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return str(caught.value)


def _column(message: str) -> int:
    return message.splitlines()[2].index("^") - 2


def test_a_gate_is_read_into_its_parts() -> None:
    gate = parse("roc_auc - champion.roc_auc > -0.01 @ 95%", name="as good", where=Where("mlops.yaml", 12))
    assert (gate.comparison, gate.threshold, gate.confidence, gate.name) == (">", -0.01, 0.95, "as good")
    assert [(term.name, term.coefficient, term.whose) for term in gate.terms] == [
        ("roc_auc", 1.0, Whose.CANDIDATE),
        ("roc_auc", -1.0, Whose.CHAMPION),
    ]
    assert gate.alpha == 0.05


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("latency_p99 <= 20 ms", 0.02),
        ("latency_p99 <= 1.5s", 1.5),
        ("bundle_size <= 50 MB", 50e6),
        ("accuracy >= 78%", 0.78),
        ("accuracy >= 0.8 + 0.03", 0.83),
        ("accuracy - 0.1 >= 0.2", 0.3),
        ("data.rows >= 1_000", 1000.0),
        ("accuracy >= -.5", -0.5),
    ],
)
def test_numbers_and_units_are_exact(text: str, threshold: float) -> None:
    assert parse(text).threshold == threshold


def test_a_gate_with_all_names_on_the_right_is_read_from_the_right() -> None:
    gate = parse("0.8 <= accuracy")
    assert (gate.comparison, gate.threshold, gate.terms[0].coefficient) == (">=", 0.8, 1.0)


def test_a_champion_on_the_right_moves_to_the_left() -> None:
    gate = parse("accuracy >= 0.99 * champion.accuracy - 0.01")
    assert [term.coefficient for term in gate.terms] == [1.0, -0.99]
    assert gate.threshold == -0.01


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("recall[origin=JFK] > 0", "origin", "JFK"),
        ("recall[ month = 2013-01 ] > 0", "month", "2013-01"),
        ("recall[size=10.5] > 0", "size", "10.5"),
        ("recall[n=o] > 0", "n", "o"),
        ('recall["a ] = b"="x \\"y\\" @ 95%"] > 0', "a ] = b", 'x "y" @ 95%'),
        ('recall["gap(" = "+/-"] > 0', "gap(", "+/-"),
        ('recall["]"="d"] > 0', "]", "d"),
        ("worst(recall, by=d) > 0", "d", ""),
        ("worst(recall, by = n, min_rows=5) > 0", "n", ""),
    ],
)
def test_slices_are_bare_or_quoted(text: str, column: str, value: str) -> None:
    term = parse(text).terms[0]
    assert (term.column, term.value) == (column, value)


def test_worst_knows_its_column_and_its_least_rows() -> None:
    term = parse('worst(recall, by="the origin", min_rows=500) >= 0.15 @ 95%').terms[0]
    assert (term.kind, term.name, term.column, term.min_rows) == (TermKind.WORST, "recall", "the origin", 500)


def test_gap_is_read_as_worst_is_and_neither_is_a_reserved_word() -> None:
    term = parse("gap(recall, by=plan, min_rows=100) <= 0.1 @ 95%").terms[0]
    assert (term.kind, term.name, term.column, term.min_rows) == (TermKind.GAP, "recall", "plan", 100)
    assert [term.name for term in parse("gap_size + worst_error > 0").terms] == ["gap_size", "worst_error"]


def test_the_short_names_of_ease_ml_ci_are_accuracies_and_changed_predictions() -> None:
    terms = parse("n - 1.1 * o + d[plan=x] > worst(o, by=plan)").terms
    assert [(term.kind, term.name, term.whose, term.coefficient) for term in terms] == [
        (TermKind.METRIC, "accuracy", Whose.CANDIDATE, 1.0),
        (TermKind.METRIC, "accuracy", Whose.CHAMPION, -1.1),
        (TermKind.CHANGED, "d", Whose.CANDIDATE, 1.0),
        (TermKind.WORST, "accuracy", Whose.CHAMPION, -1.0),
    ]
    assert (terms[2].slice, terms[2].against) == ("plan=x", Whose.CHAMPION)


@pytest.mark.parametrize("text", ["+/- 0.01", "± 0.01", "+ / - 1%", "+/-.01"])
def test_a_tolerance_is_read_with_its_reliability(text: str) -> None:
    gate = parse(f"n - o > 0.02 {text} @ 99.9%")
    assert (gate.threshold, gate.tolerance, gate.confidence) == (0.02, 0.01, 0.999)


def test_dotted_and_listed_names_are_facts() -> None:
    for text in ("drift.max_psi <= 0.25", "bundle_size <= 1 GB", "tests.failed == 0"):
        assert parse(text).terms[0].kind is TermKind.FACT


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("accuracy >= 0.84 @@ 95%", 18, "a number"),
        ("accuracy >= ", 11, "ends too early"),
        ("accuracy", 8, "a comparison"),
        ("accuracy ≥ 0.84", 9, "write >="),
        ("accuracy > −0.1", 11, "write -"),
        ("accuracy >= 0.84 xB", 17, "not a unit"),
        ("recall[origin] > 0.3", 13, "="),
        ("accuracy > 1 > 2", 13, "the end"),
        ("recall * f1 > 0.3", 9, "two names multiplied"),
        ("accuracy > 0.9 @ 95", 17, "write @ 95%"),
        ("accuracy > 0.9 @ 100%", 17, "no number of rows"),
        ("accuracy > 0.9 @ 50%", 17, "above 50 %"),
        ("accuracy > 0.9 @ 95 ms", 20, "no unit but %"),
        ("data.rows[a=b] > 3", 0, "has no slices"),
        ("1 > 2", 0, "without a metric"),
        ("worst(recall, by=origin, min_rows=2.5) > 1", 34, "whole number"),
        ("gap(recall) <= 0.1", 10, "write gap(recall, by=COLUMN, min_rows=100)"),
        ("worst(recall, min_rows=5) > 0.1", 12, "write worst(recall, by=COLUMN"),
        ("gap recall > 0.1", 4, "a comparison"),
        ("n > 0.7 +/- 0 @ 99%", 12, "above 0"),
        ("n > 0.7 +/- -0.1 @ 99%", 12, "above 0"),
        ("n > 0.7 +/- 0.0% @ 99%", 12, "above 0"),
        ("n > 0.7 +/- 1 @ 99%", 12, "allows anything"),
        ("n > 0.7 +/- 0.1", 8, "name the reliability: +/- 0.01 @ 99.9%"),
        ("n > 0.7 ± @ 99%", 10, "a number"),
        ("n > 0.7 @ 99% +/- 0.1", 14, "the end"),
        ("n > 0.7 +/- 0.1 @ 100%", 18, "no number of rows"),
        ("n > 0.7 +/- 0.1 @ 0%", 18, "above 50 %"),
        ("champion.n > 0.1", 0, "o the champion's"),
        ("worst(champion.d, by=plan) > 0.1", 6, "d the share of predictions that differ"),
    ],
)
def test_what_cannot_be_read_has_a_caret_and_an_advice(text: str, at: int, says: str) -> None:
    message = _refused(text)
    assert _column(message) == at
    assert says in message


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("champion.accuracy - anchor.accuracy > 0", 20),
        ("accuracy - 0.5 * champion.accuracy >= 0.5 * anchor.accuracy", 44),
        ("accuracy - anchor.accuracy - d > 0", 29),
        ("n - 0.5 * o > 0.5 * anchor.accuracy", 20),
    ],
)
def test_one_gate_compares_with_one_of_champion_and_anchor(text: str, at: int) -> None:
    message = _refused(text)
    assert "a gate against the champion and the anchor" in message
    assert _column(message) == at


def test_the_anchor_is_named_as_the_champion_is() -> None:
    gate = parse("recall[plan=x] - 1.1 * anchor.recall[plan=x] > worst(anchor.recall, by=plan) - 1")
    assert [(term.name, term.whose) for term in gate.terms] == [
        ("recall", Whose.CANDIDATE),
        ("recall", Whose.ANCHOR),
        ("recall", Whose.ANCHOR),
    ]
    assert gate.against is Whose.ANCHOR
    assert parse('recall["anchor."=x] >= 0.5').against is None
    assert '"anchor.o" is no name' in _refused("n - anchor.o > 0")


def test_what_is_claimed_is_said_in_the_words_of_looks_that_are_recorded() -> None:
    claims = [parse(f"n - {other} > 0 @ 95%").claim for other in ("o", "champion.accuracy", "anchor.accuracy")]
    assert claims[0] == claims[1] != claims[2]
    assert claims[2].count('"anchor":true') == 1
    one = (
        '{"at":0,"champion":%s,"clip":null,"coefficient":%s,"column":"","kind":"metric","metric":null,'
        '"min_rows":1,"name":"accuracy","value":""}'
    )
    assert claims[0] == f"low 0.95 None {one % ('false', '1')} {one % ('true', '-1')}"


def test_the_place_in_the_file_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("accuracy >", where=Where("mlops.yaml", 22))
    assert str(caught.value).startswith("mlops.yaml:22: ")


def test_control_characters_are_not_echoed() -> None:
    assert "\x1b" not in _refused("acc\x1b[31m > 3").splitlines()[1]
    assert "\x1b" not in _refused("acc\x1b[31m > 3")


def test_a_gate_is_not_read_beyond_five_hundred_characters() -> None:
    assert "characters" in _refused("accuracy > 0" + " + 0" * 200)


@given(st.text(max_size=60))
def test_any_text_is_a_gate_or_a_settings_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        parse(text)


_words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)


@given(_words, _words)
def test_any_column_and_value_can_be_quoted(column: str, value: str) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    term = parse(f"recall[{quoted(column)}={quoted(value)}] > 0.5").terms[0]
    assert (term.column, term.value) == (column, value)


def test_a_clip_is_read_with_its_metric() -> None:
    gate = parse("log_loss(clip=5)[origin=JFK] - champion.log_loss(clip=500%) <= 0.1")
    assert [term.clip for term in gate.terms] == [5.0, 5.0]
    assert gate.terms[0].slice == "origin=JFK"
    assert parse("worst(mae(clip=2.5), by=clip, min_rows=3) <= 2").terms[0].clip == 2.5
    assert parse("log_loss <= 0.1").terms[0].clip is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("log_loss(clip=0) <= 1", "a clip of 0"),
        ("log_loss(clip=-1) <= 1", "cannot read"),
        ("log_loss(5) <= 1", "clip=NUMBER"),
        ("log_loss(clip=x) <= 1", "a number"),
        ("drift.max_psi(clip=5) <= 1", "has no losses"),
    ],
)
def test_a_clip_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert says in str(caught.value)
