"""ledger.history and ledger.page: a decision in one line, and the page of the branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from mlops_ci.ledger.history import HistoryRow, parse_row
from mlops_ci.ledger.page import ROWS, page
from mlops_ci.ledger.statements import decision_id, encode
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part, Result
from tests import helpers

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.records.decisions import Decision

HOSTILE = (
    "a|b\n# <img src=x onerror=alert(1)> [click](javascript:x) `c` @team ~~x~~ \u202eevil\x07 https://evil.example $x$"
)


def row(decision: Decision) -> HistoryRow:
    path = f"decisions/2024/05/01/{decision_id(decision)}/decision.json"
    return parse_row(path, encode(decision))


def test_a_line_holds_what_a_list_shows() -> None:
    decision = helpers.decision(number=7)
    assert row(decision) == HistoryRow(
        id=decision_id(decision),
        kind="check",
        project="flights",
        outcome="passed",
        trust="desk",
        commit=f"{7:040x}",
        title="change number 7",
        time="2024-05-01T12:00:00Z",
        verdict="1 of 1 gates passed",
        path=f"decisions/2024/05/01/{decision_id(decision)}",
    )


@pytest.mark.parametrize(
    ("kind", "word", "cell"),
    [("check", "passed", "✓ passed"), ("release", "released", "✓ released"), ("import", "imported", "· imported")],
)
def test_what_passed_is_called_by_what_was_done(kind: str, word: str, cell: str) -> None:
    done = msgspec.structs.replace(row(helpers.decision()), kind=kind)
    assert done.word == word
    assert f"| {cell} |" in page([done])
    assert msgspec.structs.replace(done, outcome="failed").word == "failed"


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNDECIDED, Outcome.ERRORED])
def test_a_line_says_which_gate_stopped_it(outcome: Outcome) -> None:
    assert row(helpers.decision(outcome=outcome)).verdict == f"roc_auc >= 0.72 (0.7): {outcome}"


def test_the_gravest_blocking_gate_is_named_and_a_reason_comes_first() -> None:
    decision = helpers.decision(outcome=Outcome.FAILED)
    gate = decision.gates[0]
    gates = (
        msgspec.structs.replace(gate, name="warned", verdict=Status.FAILED, blocking=False),
        msgspec.structs.replace(gate, name="unsure", verdict=Status.UNDECIDED),
        msgspec.structs.replace(gate, name="refused", verdict=Status.FAILED),
    )
    assert row(msgspec.structs.replace(decision, gates=gates)).verdict == "refused (0.7): failed"
    reason = "the judge changes"
    assert row(msgspec.structs.replace(decision, gates=gates, reason=reason)).verdict == reason


def test_a_decision_that_a_check_stopped_is_told_by_the_check() -> None:
    decision = helpers.decision()
    told = Result(check="train", part=Part.MODEL, status=Status.ERRORED, message="training raised TypeError: no")
    advisory = msgspec.structs.replace(told, check="drift", blocking=False)
    skipped = msgspec.structs.replace(decision.gates[0], verdict=Status.SKIPPED)
    found = row(msgspec.structs.replace(decision, gates=(skipped,), checks=(advisory, told)))
    assert found.verdict == "train: training raised TypeError: no"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"predicate":{}}', b'{"predicate":' * 5000])
def test_a_decision_that_cannot_be_read_is_shown_as_such(data: bytes) -> None:
    found = parse_row(f"decisions/2024/05/01/{'ab' * 32}/decision.json", data)
    assert (found.id, found.outcome) == ("ab" * 32, "unreadable")
    assert "unreadable" in page([found])


def test_a_newer_versions_decision_is_still_one_line() -> None:
    data = encode(helpers.decision()).replace(b'"kind":"check"', b'"kind":"audit","news":{"a":1}')
    assert parse_row(f"decisions/2024/05/01/{'ab' * 32}/decision.json", data).kind == "audit"


def test_the_page_is_the_golden_one(golden: Callable[[str, str | bytes], None]) -> None:
    outcomes = (Outcome.PASSED, Outcome.FAILED, Outcome.UNDECIDED, Outcome.ERRORED)
    rows = [row(helpers.decision(number=number, outcome=outcome)) for number, outcome in enumerate(outcomes)]
    golden("ledger-page.md", page([*rows, row(helpers.decision(number=9, project="churn"))]))


def test_the_page_without_decisions_is_a_page() -> None:
    assert page([]).startswith("# Decisions\n")


def test_hostile_text_stays_one_row_of_plain_text() -> None:
    decision = helpers.decision()
    subject = msgspec.structs.replace(decision.subject, commit_title=HOSTILE)
    hostile = row(msgspec.structs.replace(decision, subject=subject, reason=HOSTILE, project=HOSTILE))
    lines = page([hostile]).splitlines()
    assert len(lines) == len(page([row(decision)]).splitlines())
    cells = lines[-1].replace("\\|", "").split("|")
    assert len(cells) == 9
    for mark in ("<", "[", "`", "@", "~", "$"):
        assert f" {mark}" not in "|".join(cells[2:])
    assert "\u202e" not in lines[-1]
    assert "\x07" not in lines[-1]
    assert "https://" not in lines[-1]


def test_the_page_stays_short_and_its_trend_counts_the_last_twenty_checks() -> None:
    rows = [row(helpers.decision(number=n, outcome=Outcome.FAILED if n < 3 else Outcome.PASSED)) for n in range(80)]
    lines = page(rows).splitlines()
    assert sum(line.startswith("| [") for line in lines) == ROWS
    assert f"flights: {'✓' * 17}✗✗✗ (17 of the last 20 checks passed, newest on the right)" in lines
