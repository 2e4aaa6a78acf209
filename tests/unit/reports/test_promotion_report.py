"""The reports of a promotion, a refusal and a rollback, and the chain of reasons, as people read them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from mlops_ci.cli.output import clean
from mlops_ci.ledger.statements import decision_id
from mlops_ci.records.chains import Chain, FileCommit, Link
from mlops_ci.records.decisions import DecisionKind, Evidence
from mlops_ci.records.environments import Move, Quarantined, ReleaseRef, Standing
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.releases import Release
from mlops_ci.records.results import Part, Result
from mlops_ci.reports import html, markdown
from mlops_ci.reports.report import build
from mlops_ci.reports.story import Story
from mlops_ci.reports.why import lines, page
from tests.helpers import decision, run_info

Golden = Callable[[str, str | bytes], None]
V2 = ReleaseRef(release="v2", bundle="2" * 64, image=f"ghcr.io/acme/flights@sha256:{'a' * 64}")
V3 = ReleaseRef(release="v3", bundle="3" * 64, image=f"ghcr.io/acme/flights@sha256:{'b' * 64}")
HOSTILE = "too slow <img src=x> [a](http://evil) | `b` @all"
MOVE = Move(
    environment="production",
    before=V2,
    after=V3,
    replaced="c" * 64,
    released="d" * 64,
    judged="e" * 64,
    ledger="f" * 40,
    at="2026-11-25T12:00:00Z",
)


def rule(check: str, status: Status, message: str) -> Result:
    return Result(check=check, part=Part.RULES, status=status, message=message)


def story(kind: DecisionKind, outcome: Outcome, reason: str, move: Move, *rules: Result) -> Story:
    made = msgspec.structs.replace(
        decision(outcome=outcome), kind=kind, reason=reason, checks=rules, metrics=(), base="b" * 40
    )
    if kind is DecisionKind.ROLLBACK:
        made = msgspec.structs.replace(made, gates=())
    return Story(decision=made, decision_id=decision_id(made), evidence=Evidence(move=move))


BACK = msgspec.structs.replace(
    MOVE,
    before=V3,
    after=V2,
    reason=HOSTILE,
    quarantined=Quarantined(bundle=V3.bundle, release="v3", reason=HOSTILE, by="Ada"),
)
STORIES = {
    "promoted": story(
        DecisionKind.PROMOTION,
        Outcome.PASSED,
        "v3 goes to production, after v2",
        MOVE,
        rule("order", Status.PASSED, "in staging since 2026-11-24T11:00:00Z"),
        rule("freeze", Status.SKIPPED, "there is no freeze"),
    ),
    "refused": story(
        DecisionKind.PROMOTION,
        Outcome.FAILED,
        "v3 does not go to production: soak: 3 h in staging, 24 h are needed",
        MOVE,
        rule("soak", Status.FAILED, "3 h in staging, 24 h are needed"),
    ),
    "rolled-back": story(
        DecisionKind.ROLLBACK,
        Outcome.PASSED,
        f"production goes back to v2, after v3: {HOSTILE}",
        BACK,
        rule("quarantine", Status.PASSED, "its bundle was never rolled back in production"),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_report_of_a_move(golden: Golden, name: str) -> None:
    found = build(STORIES[name])
    text = markdown.render(found)
    golden(f"promotion/{name}.md", text)
    assert "<img" not in text
    assert "@all" not in text
    assert "<img" not in html.render(found)


def test_the_chain_of_reasons_in_a_screenful_and_on_a_page(golden: Golden) -> None:
    back, judged = STORIES["rolled-back"], decision()

    def link(one: Story) -> Link:
        return Link(id=one.decision_id, decision=one.decision, evidence=one.evidence, run=None)

    chain = Chain(
        project="flights",
        standing=Standing(
            name="production",
            release="v2",
            digest=V2.bundle,
            image=V2.image,
            since="2026-11-25T12:00:00Z",
            decision=back.decision_id,
            by="Ada",
            quarantine=(Quarantined(bundle=V3.bundle, release="v3", reason=HOSTILE, by="Ada"),),
        ),
        file="environments/production.yaml",
        commit=FileCommit(commit="9" * 40, title="Roll back", by="Ada", time="2026-11-25T12:00:00Z"),
        moved=link(back),
        release=Release(
            version=1,
            project="flights",
            release="v2",
            bundle=V2.bundle,
            decision="d" * 64,
            judged="e" * 64,
            commit="c" * 40,
            image=V2.image,
        ),
        made=None,
        judged=Link(id="e" * 64, decision=judged, evidence=Evidence(), run=run_info()),
        missing=("the ledger here has no decision dddddddddddd, which made v2",),
    )
    golden("promotion/why.txt", "\n".join(clean(line) for line in lines(chain)) + "\n")
    golden("promotion/why.md", markdown.render(page(chain), charts=None))
