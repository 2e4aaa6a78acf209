"""Files of environments before and after a change, held against the decision they name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mlops_ci.promotion.changes import differences, goes_back, lifted
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.environments import EnvironmentFile, Move, Quarantined, ReleaseRef, Stay
from mlops_ci.records.outcomes import Outcome
from tests.helpers import decision

V1, V2, V3 = (ReleaseRef(release=f"v{number}", bundle=f"{number:064x}") for number in (1, 2, 3))
KEPT = Quarantined(bundle=V1.bundle, release="v1", reason="slow", by="Ada")
OUT = Quarantined(bundle=V2.bundle, release="v2", reason="wrong", by="Ada")
BEFORE = EnvironmentFile(runs=V2, decision="a" * 64, quarantine=(KEPT,))
AFTER = EnvironmentFile(runs=V3, decision="b" * 64, quarantine=(KEPT,))
MOVE = Move(
    environment="production",
    before=V2,
    after=V3,
    replaced="a" * 64,
    released="c" * 64,
    judged="d" * 64,
    ledger="",
    at="2026-01-01T00:00:00Z",
)
PROMOTION = msgspec.structs.replace(decision(), kind=DecisionKind.PROMOTION)


def wrong(
    *, before: EnvironmentFile = BEFORE, after: EnvironmentFile = AFTER, made: Any = PROMOTION, move: Any = MOVE
) -> list[str]:
    found = differences(before, after, decision=made, move=move, project="flights", environment="production")
    return [f"{one.key}: {one.told}" for one in found]


def with_(value: Any, **what: Any) -> Any:
    return msgspec.structs.replace(value, **what)


def test_what_the_decision_says_is_right() -> None:
    assert wrong() == []
    back = with_(MOVE, quarantined=OUT)
    assert wrong(after=with_(AFTER, quarantine=(KEPT, OUT)), move=back) == []
    there = with_(BEFORE, quarantine=(KEPT, with_(OUT, reason="an earlier one")))
    assert wrong(before=there, after=with_(AFTER, quarantine=there.quarantine), move=back) == []


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"made": decision()}, "decision: decision bbbbbbbbbbbb is a check, and moves nothing"),
        ({"move": None}, "decision: decision bbbbbbbbbbbb is a promotion, and moves nothing"),
        ({"made": with_(PROMOTION, project="other")}, "decision: decision bbbbbbbbbbbb moves production of other"),
        ({"move": with_(MOVE, environment="dev")}, "decision: decision bbbbbbbbbbbb moves dev of flights"),
        (
            {"made": with_(PROMOTION, outcome=Outcome.FAILED)},
            "decision: decision bbbbbbbbbbbb did not let v3 through",
        ),
        ({"after": with_(AFTER, runs=V1)}, "release: decision bbbbbbbbbbbb says v3, the file v1"),
        (
            {"after": with_(AFTER, runs=with_(V3, image="r@sha256:1"))},
            "image: decision bbbbbbbbbbbb says none, the file r@sha256:1",
        ),
        (
            {"before": with_(BEFORE, decision="e" * 64)},
            (
                "decision: decision bbbbbbbbbbbb was made when v2 ran there by another one, and v2 runs there now: "
                "run it again"
            ),
        ),
        (
            {"after": with_(AFTER, quarantine=())},
            "quarantine: the entry of v1 is taken away by a change that moves something: lift it by a commit alone",
        ),
        (
            {"after": with_(AFTER, quarantine=(KEPT, OUT))},
            "quarantine: decision bbbbbbbbbbbb does not make these entries",
        ),
        (
            {"move": with_(MOVE, quarantined=OUT)},
            "quarantine: the entry of v2 is taken away by a change that moves something: lift it by a commit alone",
        ),
    ],
)
def test_what_it_does_not_say_is_named(what: dict[str, Any], told: str) -> None:
    assert wrong(**what)[0] == told


def test_lifting_takes_entries_away_and_nothing_else() -> None:
    assert lifted(BEFORE, with_(BEFORE, quarantine=())) == (KEPT,)
    assert lifted(BEFORE, BEFORE) == ()
    assert lifted(BEFORE, with_(BEFORE, quarantine=(KEPT, OUT))) is None
    assert lifted(BEFORE, with_(BEFORE, quarantine=(with_(KEPT, reason="other"),))) is None
    assert lifted(BEFORE, with_(AFTER, quarantine=())) is None
    two = with_(BEFORE, quarantine=(KEPT, OUT))
    assert lifted(two, with_(two, quarantine=(OUT, KEPT))) is None


def test_back_is_what_ran_before_the_present_one_ever_did() -> None:
    def stays(*refs: ReleaseRef) -> list[Stay]:
        return [Stay(runs=one, decision="", since="", commit="", by="") for one in refs]

    assert goes_back(stays(V2, V1), with_(BEFORE, runs=V1))
    assert goes_back(stays(V2, V1), EnvironmentFile())
    assert not goes_back(stays(V2, V1), with_(BEFORE, runs=V2))
    assert not goes_back(stays(V1, V2, V1), with_(BEFORE, runs=V2))
    assert not goes_back([], EnvironmentFile())
