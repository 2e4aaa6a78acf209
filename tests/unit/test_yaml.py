"""config.yaml: the YAML that settings are written in."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config.yaml import MAX_BYTES, load, scalar
from mlops_ci.errors import ConfigError


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as found:
        load(text, file="mlops.yaml")
    return found.value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("off", "off"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("2013-01-01", "2013-01-01"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("''", ""),
        ("'true'", "true"),
        ('"1"', "1"),
        ("roc_auc >= 0.72 @ 95%", "roc_auc >= 0.72 @ 95%"),
        ("<<", "<<"),
    ],
)
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(written: str, read: object) -> None:
    value = load(f"key: {written}\n", file="f").value["key"]
    assert value == read
    assert type(value) is type(read)


def test_keys_stay_text_as_they_were_written() -> None:
    assert load("2013: a\ntrue: b\nnull: c\n", file="f").value == {"2013": "a", "true": "b", "null": "c"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "twice"),
        ("a:\n  b: 1\n\tc: 2\n", 3, "tab"),
        ("a: &x 1\n", 1, "anchor"),
        ("a: 1\nb: *x\n", 2, "alias"),
        ("a: !!python/object/apply:os.system [id]\n", 1, "tag"),
        ("a: !x 1\n", 1, "tag"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: 1\n? [b]\n: c\n", 2, "key that is a list"),
        ("a: 1\nb: \x00\n", 2, "U+0000"),
        ("a: \ud800\n", 1, "U+D800"),
        ("a: 1\nb: @c\n", 2, "not YAML"),
        ("a: [1,\n", 2, "not YAML"),
        ("a: " + "[" * 40 + "]" * 40, 1, "nested deeper"),
    ],
)
def test_what_settings_have_no_use_for_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    error = refused(text)
    assert error.where == f"mlops.yaml:{line}"
    assert words in error.message
    assert error.advice


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    assert "anchor" in refused(bomb).message


def test_a_file_larger_than_a_megabyte_is_refused() -> None:
    assert "larger than" in refused("a: " + "x" * MAX_BYTES).message


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~\n"])
def test_an_empty_file_shows_the_smallest_one_that_works(text: str) -> None:
    assert "project: churn" in refused(text).advice


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    document = load("\ufeffa: 1\r\nb:\r\n  c: 2\r\n", file="f")
    assert document.value == {"a": 1, "b": {"c": 2}}
    assert document.where(("b", "c")).line == 3


def test_where_gives_the_nearest_line_it_knows() -> None:
    document = load("a: 1\nb:\n  - x\n  - {c: 1}\n", file="f")
    assert document.where(("b", 1, "c")).line == 4
    assert document.where(("b", 1, "missing")).line == 4
    assert document.where(("b", 0)).line == 3
    assert document.where(("none",)).line == 1


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_a_scalar_reads_back_as_the_same_text_in_block_and_flow(text: str) -> None:
    written = scalar(text)
    assert load(f"key: {written}\n", file="f").value == {"key": text}
    assert load(f"key: [{written}, {{{written}: {written}}}] # c\n", file="f").value == {"key": [text, {text: text}]}


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with suppress(ConfigError):
        json.dumps(load(text, file="f").value)


@pytest.mark.parametrize("text", ["true", "null", "~", "1", "0x1", "a: b", "a #b", "- a", "", " a", "@x", "*x", "%x"])
def test_texts_that_yaml_would_read_otherwise_are_quoted(text: str) -> None:
    assert load(f"key: {scalar(text)}\n", file="f").value == {"key": text}
