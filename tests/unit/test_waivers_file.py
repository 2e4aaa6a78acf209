"""waivers.yaml: what is read, what is refused with its place, and how an entry is put in."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config.waivers import day, parse, with_waiver
from mlops_ci.errors import ConfigError
from mlops_ci.records.results import Where
from mlops_ci.records.verdicts import Waiver

FILE = """\
# Reviewed every Monday.
version: 1
waivers:
  # The sensors were replaced in May.
  - gate: accuracy >= 0.8
    reason: broken sensors  # ask Ada
    owner: Ada Example
    until: 2026-12-01

  # Until the new airport has a year of data.
  - gate: "recall[origin=JFK] >= 0.38 @ 95%"
    reason: too few rows
    owner: Bob
    until: 2026-11-01
# the end
"""
ADA = Waiver(gate="accuracy >= 0.8", reason="broken sensors", owner="Ada Example", until="2026-12-01")


def said(text: str) -> list[Waiver]:
    return [msgspec.structs.replace(one, where=None) for one in parse(text)]


def test_every_entry_is_read_with_its_line() -> None:
    first, second = parse(FILE)
    assert msgspec.structs.replace(first, where=None) == ADA
    assert (first.where, second.where) == (Where("waivers.yaml", 5), Where("waivers.yaml", 11))
    assert second.gate == "recall[origin=JFK] >= 0.38 @ 95%"


@pytest.mark.parametrize("text", ["version: 1\n", "version: 1\nwaivers:\n", "version: 1\nwaivers: []\n"])
def test_a_file_without_entries_waives_nothing(text: str) -> None:
    assert parse(text) == ()


REFUSED = {
    "unknown key": (
        FILE.replace("owner: Bob", "ownr: Bob"),
        "waivers.yaml:13: waivers[1].ownr: there is no key 'ownr'",
        "owner?",
    ),
    "unknown key at the top": (
        FILE.replace("waivers:\n", "waiver:\n"),
        "waivers.yaml:3: waiver: there is no key",
        "waivers?",
    ),
    "no owner": (FILE.replace("    owner: Bob\n", ""), "waivers.yaml:11: waivers[1]: waivers[1].owner is missing", ""),
    "an empty reason": (FILE.replace("too few rows", "''"), "waivers.yaml:12: waivers[1].reason: found", "text"),
    "not a day": (FILE.replace("2026-11-01", "2026-11-31"), "waivers.yaml:14: waivers[1].until: found", "2026-12-01"),
    "another form of day": (FILE.replace("2026-11-01", "20261101"), "waivers.yaml:14: waivers[1].until: found", "text"),
    "a time": (FILE.replace("2026-11-01", "2026-11-01T10:00"), "waivers.yaml:14: waivers[1].until: found", ""),
    "a gate twice": (
        FILE.replace('"recall[origin=JFK] >= 0.38 @ 95%"', "accuracy  >= 0.8"),
        "waivers.yaml:11: waivers[1].gate: accuracy  >= 0.8 is waived twice (first at waivers.yaml:5)",
        "one",
    ),
    "a newer version": (FILE.replace("version: 1", "version: 2"), "waivers.yaml:2: version: found version", "reads"),
    "no version": (FILE.replace("version: 1\n", ""), "waivers.yaml:2: found version nothing", "reads"),
    "a mapping of gates": ("version: 1\nwaivers: {accuracy: x}\n", "waivers.yaml:2: waivers: found a mapping", "list"),
    "an escape in the reason": (FILE.replace("too few rows", '"\\e[31m"'), "waivers.yaml:12: waivers[1].reason", "one"),
    "nothing": ("", "waivers.yaml: nothing is written in it", "until: 2026-12-01"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_with_its_place(name: str) -> None:
    text, message, advice = REFUSED[name]
    with pytest.raises(ConfigError) as refused:
        parse(text)
    told = f"{refused.value.where}: {refused.value.message}"
    assert told.startswith(message)
    assert advice in refused.value.advice


def test_the_first_waiver_makes_the_file() -> None:
    assert said(with_waiver(None, ADA)) == [ADA]


def test_another_gate_is_put_after_the_last_and_nothing_else_changes() -> None:
    new = Waiver(gate="f1 >= 0.5", reason="a: 'quoted' # reason", owner="Zoë", until="2026-12-24")
    text = with_waiver(FILE, new)
    assert said(text) == [*said(FILE), new]
    before = FILE.splitlines()
    assert [line for line in text.splitlines() if line in before] == before


def test_the_same_waiver_again_changes_nothing() -> None:
    assert with_waiver(FILE, ADA) == FILE


def test_a_waiver_that_is_renewed_takes_the_place_of_the_old_one_and_keeps_what_stands_around_it() -> None:
    text = with_waiver(FILE, msgspec.structs.replace(ADA, until="2027-01-15"))
    assert [one.until for one in parse(text)] == ["2027-01-15", "2026-11-01"]
    for remark in ("# Reviewed every", "  # The sensors were", "  # Until the new airport", "# the end"):
        assert remark in text
    assert text.count("\n") == FILE.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nwaivers:\n",
        "version: 1\n",
        "waivers:\nversion: 1\n",
        "version: 1\nwaivers:\n- gate: f1 >= 0.1\n  reason: x\n  owner: y\n  until: 2026-01-01",
        FILE.replace("\n", "\r\n"),
    ],
)
def test_an_entry_finds_its_place_in_other_shapes(text: str) -> None:
    assert said(with_waiver(text, msgspec.structs.replace(ADA, gate="f1 >= 0.2")))[-1].gate == "f1 >= 0.2"


def test_a_list_written_in_one_line_is_left_alone_and_the_lines_to_add_are_shown() -> None:
    with pytest.raises(ConfigError) as refused:
        with_waiver("version: 1\nwaivers: []\n", ADA)
    assert "owner: " in refused.value.advice


printable = st.text(st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn", "Zl", "Zp")), min_size=1).map(str.strip)


@given(printable.filter(bool), printable.filter(bool))
def test_any_reason_and_owner_read_back_as_they_were(reason: str, owner: str) -> None:
    new = Waiver(gate="f1 >= 0.5", reason=reason, owner=owner, until="2026-12-24")
    assert said(with_waiver(FILE, new)) == [*said(FILE), new]


def test_a_day_is_one_form_only() -> None:
    assert day("2026-12-01") == "2026-12-01"
    assert [day(text) for text in ("2026-12-1", "20261201", "2026-W49-2", "tomorrow", "")] == [None] * 5
