"""The rules of an environment: each says yes, no, or that nobody asked; together with what a rollback is held to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from mlops_ci.config.settings import Environment
from mlops_ci.promotion import rules
from mlops_ci.promotion.rules import Asked, Way
from mlops_ci.records.decisions import DecisionKind, Trust
from mlops_ci.records.environments import EnvironmentFile, Quarantined, ReleaseRef, Stay
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.releases import Release
from mlops_ci.records.results import Result, Where
from tests.helpers import decision

NOW = datetime.fromisoformat("2026-11-25T12:00:00Z")
RELEASE = Release(
    version=1, project="flights", release="v3", bundle="3" * 64, decision="d" * 64, judged="e" * 64, commit="c" * 40
)
REF = ReleaseRef(release="v3", bundle="3" * 64)
JUDGED = decision(commit="c" * 40)
MADE = msgspec.structs.replace(JUDGED, kind=DecisionKind.RELEASE)
STAY = Stay(runs=REF, decision="f" * 64, since="2026-11-24T11:00:00Z", commit="a" * 40, by="Ada")


def asked(**changed: Any) -> Asked:
    found = Asked(
        environment="production",
        rules=Environment(after="staging", soak=24 * 3600, trust="desk"),
        where=Where("mlops.yaml", 20),
        state=EnvironmentFile(),
        release=RELEASE,
        project="flights",
        made=MADE,
        bundle="3" * 64,
        judged=JUDGED,
        stay=STAY,
        now=NOW,
        newest="2026-11-25T11:00:00Z",
        way=Way.PUSH,
    )
    return msgspec.structs.replace(found, **changed)


def answer(name: str, found: tuple[Result, ...]) -> tuple[Status, str]:
    one = next(result for result in found if result.check == name)
    return one.status, one.message


def test_a_release_that_meets_all_of_them_may_go() -> None:
    found = rules.promotion(asked())
    assert {one.check: str(one.status) for one in found} == {
        "release": "passed",
        "clock": "passed",
        "evidence": "passed",
        "trust": "passed",
        "quarantine": "passed",
        "order": "passed",
        "soak": "passed",
        "freeze": "skipped",
        "approvals": "skipped",
        "image": "skipped",
    }
    assert answer("soak", found) == (Status.PASSED, "25 h in staging, 24 h are needed")


PICTURED = msgspec.structs.replace(RELEASE, image=f"ghcr.io/acme/flights@sha256:{'a' * 64}")
KUSTOMIZE = Environment(deploy="kustomize")
FROZEN = Environment(freeze=("Wed 11:00 - Wed 14:00 UTC",))


@pytest.mark.parametrize(
    ("rule", "changed", "status", "told"),
    [
        (
            "image",
            {"rules": KUSTOMIZE},
            "failed",
            "v3 has no image: set package.image, and make a release with `mlops-ci release --push`",
        ),
        ("image", {"rules": KUSTOMIZE, "release": PICTURED}, "passed", "sha256:aaaaaaaaaaaa, for kustomize"),
        ("image", {"rules": KUSTOMIZE, "release": PICTURED, "unfit": "f.yaml: no"}, "failed", "f.yaml: no"),
        (
            "image",
            {"rules": Environment(deploy="command", command="x")},
            "skipped",
            "a command deploys it, which may take the bundle",
        ),
        ("release", {"project": "other"}, "failed", "v3 is a release of flights, not of other"),
        ("release", {"made": None}, "failed", "the ledger has no decision dddddddddddd that made v3"),
        ("release", {"made": JUDGED}, "failed", "the decision dddddddddddd that v3 names is a check of flights"),
        (
            "release",
            {"made": msgspec.structs.replace(MADE, outcome=Outcome.FAILED)},
            "failed",
            "the decision dddddddddddd refused v3",
        ),
        ("release", {"bundle": "4" * 64}, "failed", "the decision dddddddddddd made another bundle than v3 names"),
        (
            "clock",
            {"newest": "2026-11-25T12:06:00Z"},
            "errored",
            "it is 2026-11-25 12:00 UTC here, and a commit says 2026-11-25 12:06 UTC: one of the two clocks is wrong",
        ),
        ("clock", {"newest": "2026-11-25T12:05:00Z"}, "passed", "asked at 2026-11-25 12:00 UTC"),
        ("evidence", {"judged": None}, "failed", "the ledger has no decision eeeeeeeeeeee that passed its model"),
        (
            "evidence",
            {"judged": msgspec.structs.replace(JUDGED, outcome=Outcome.UNDECIDED)},
            "failed",
            "the decision eeeeeeeeeeee did not pass its model",
        ),
        (
            "evidence",
            {"judged": decision(commit="b" * 40)},
            "failed",
            "the decision eeeeeeeeeeee is about another commit or project",
        ),
        ("evidence", {"against": "a later word"}, "failed", "a later word"),
        (
            "evidence",
            {"release": msgspec.structs.replace(RELEASE, imported="models:/churn/17")},
            "skipped",
            "v3 was imported: nobody judged its model",
        ),
        (
            "trust",
            {"rules": Environment(trust="default-branch")},
            "failed",
            "decided at trust desk, production takes default-branch",
        ),
        (
            "trust",
            {
                "rules": Environment(trust="pull-request"),
                "made": msgspec.structs.replace(MADE, trust=Trust.DEFAULT_BRANCH),
                "judged": msgspec.structs.replace(JUDGED, trust=Trust.FORK),
            },
            "failed",
            "decided at trust fork, production takes pull-request",
        ),
        (
            "quarantine",
            {
                "state": EnvironmentFile(
                    quarantine=(Quarantined(bundle="3" * 64, release="v2", reason="slow", by="Ada"),)
                )
            },
            "failed",
            "v2 was rolled back by Ada: slow. Only a commit that removes the entry from the file lifts it",
        ),
        ("order", {"stay": None}, "failed", "v3 never ran in staging"),
        (
            "order",
            {"stay": msgspec.structs.replace(STAY, until="2026-11-25T11:30:00Z")},
            "passed",
            "in staging until 2026-11-25T11:30:00Z, from 2026-11-24T11:00:00Z",
        ),
        (
            "soak",
            {"stay": msgspec.structs.replace(STAY, until="2026-11-25T10:30:00Z")},
            "failed",
            "23 h 30 min in staging, 24 h are needed",
        ),
        (
            "soak",
            {"stay": msgspec.structs.replace(STAY, since="2026-11-26T00:00:00Z")},
            "failed",
            "0 min in staging, 24 h are needed",
        ),
        ("soak", {"stay": None}, "failed", "0 min in staging, 24 h are needed"),
        ("freeze", {"rules": FROZEN}, "failed", "Wed 11:00 - Wed 14:00 UTC: frozen until 2026-11-25 14:00 UTC"),
        (
            "freeze",
            {"rules": FROZEN, "now": datetime.fromisoformat("2026-11-25T14:00:00Z")},
            "passed",
            "none of 1 holds at 2026-11-25 14:00 UTC",
        ),
        (
            "approvals",
            {"rules": Environment(approvals=1)},
            "failed",
            "1 approval needed, and a push has none: use --pr",
        ),
        (
            "approvals",
            {"rules": Environment(approvals=2), "way": Way.PULL_REQUEST},
            "skipped",
            "2 approvals needed, asked of the pull request once it is merged",
        ),
    ],
)
def test_each_rule_says_what_was_found(rule: str, changed: dict[str, Any], status: str, told: str) -> None:
    assert answer(rule, rules.promotion(asked(**changed))) == (Status(status), told)


def test_a_rollback_is_not_held_back_by_soak_freeze_order_or_approvals() -> None:
    strict = Environment(after="staging", soak=10**6, approvals=3, freeze=FROZEN.freeze, trust="default-branch")
    found = rules.rollback(asked(rules=strict, stay=None, against="a later word"))
    assert [(one.check, str(one.status)) for one in found] == [
        ("release", "passed"),
        ("clock", "passed"),
        ("quarantine", "passed"),
        ("image", "skipped"),
    ]


def test_the_longest_stay_of_a_bundle_counts_also_one_that_goes_on() -> None:
    short = msgspec.structs.replace(STAY, since="2026-11-01T00:00:00Z", until="2026-11-01T05:00:00Z")
    other = msgspec.structs.replace(STAY, runs=ReleaseRef(release="v2", bundle="2" * 64), since="2026-01-01T00:00:00Z")
    assert rules.longest((STAY, other, short), "3" * 64, NOW) == STAY
    assert rules.longest((short, other), "3" * 64, NOW) == short
    assert rules.longest((other,), "3" * 64, NOW) is None
