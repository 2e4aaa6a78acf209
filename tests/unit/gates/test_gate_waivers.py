"""What a waiver does to a verdict, and what it cannot do."""

from __future__ import annotations

import msgspec
import pytest

from mlops_ci.gates.waivers import LONGEST_DAYS, last_day, waive
from mlops_ci.records.outcomes import Outcome, Status, combine
from mlops_ci.records.verdicts import Idle, Verdict, Waiver

GATE = "accuracy >= 0.8"
DAY = "2026-11-24"


def verdict(status: Status, gate: str = GATE, *, blocking: bool = True) -> Verdict:
    return Verdict(gate=gate, name=gate, verdict=status, blocking=blocking)


def waiver(until: str = "2026-12-01", gate: str = GATE) -> Waiver:
    return Waiver(gate=gate, reason="broken sensors", owner="Ada", until=until)


def outcome(verdicts: tuple[Verdict, ...]) -> Outcome:
    return combine(one.verdict for one in verdicts if one.blocking)


@pytest.mark.parametrize("status", [Status.FAILED, Status.UNDECIDED])
def test_a_waived_gate_keeps_its_word_and_does_not_block(status: Status) -> None:
    answers, idle = waive([verdict(status)], [waiver()], day=DAY)
    assert (answers[0].verdict, answers[0].waived, idle) == (status, waiver(), ())
    assert outcome(answers) is Outcome.PASSED


def test_another_gate_still_blocks_by_precedence() -> None:
    others = [verdict(Status.FAILED), verdict(Status.UNDECIDED, "f1 >= 0.5")]
    assert outcome(waive(others, [waiver()], day=DAY)[0]) is Outcome.UNDECIDED
    assert outcome(waive(others, [], day=DAY)[0]) is Outcome.FAILED


@pytest.mark.parametrize(
    ("status", "until", "why"),
    [
        (Status.FAILED, "2026-11-23", Idle.EXPIRED),
        (Status.UNDECIDED, "2025-11-24", Idle.EXPIRED),
        (Status.FAILED, "2027-02-23", Idle.TOO_LONG),
        (Status.ERRORED, "2026-12-01", Idle.ERRORED),
        (Status.PASSED, "2026-12-01", Idle.NOT_NEEDED),
        (Status.PASSED, "2026-11-01", Idle.NOT_NEEDED),
    ],
)
def test_a_waiver_that_does_not_count_changes_nothing_and_says_why(status: Status, until: str, why: Idle) -> None:
    before = verdict(status)
    answers, idle = waive([before], [waiver(until)], day=DAY)
    assert answers == (before,)
    assert [one.why for one in idle] == [why]


def test_it_counts_on_its_last_day_and_from_the_first_it_may() -> None:
    for until in (DAY, last_day(DAY)):
        assert waive([verdict(Status.FAILED)], [waiver(until)], day=DAY)[0][0].waived
    assert last_day(DAY) == "2027-02-22"
    assert LONGEST_DAYS == 90


def test_another_threshold_is_another_gate() -> None:
    answers, idle = waive([verdict(Status.FAILED, "accuracy >= 0.7")], [waiver()], day=DAY)
    assert not answers[0].waived
    assert [one.why for one in idle] == [Idle.NO_SUCH_GATE]


def test_spaces_do_not_make_another_gate() -> None:
    assert waive([verdict(Status.FAILED)], [waiver(gate="accuracy  >=  0.8")], day=DAY)[0][0].waived


def test_a_skipped_gate_and_one_that_does_not_block_anyway_are_left_as_they_are() -> None:
    for before in (verdict(Status.SKIPPED), verdict(Status.UNDECIDED, blocking=False)):
        assert waive([before], [waiver()], day=DAY) == ((before,), ())


def test_a_decision_without_waivers_does_not_mention_them() -> None:
    assert b"waive" not in msgspec.json.encode(verdict(Status.FAILED))
    assert msgspec.json.decode(msgspec.json.encode(verdict(Status.FAILED)), type=Verdict) == verdict(Status.FAILED)
    [waived], _ = waive([verdict(Status.FAILED)], [waiver()], day=DAY)
    assert msgspec.json.decode(msgspec.json.encode(waived), type=Verdict) == waived
