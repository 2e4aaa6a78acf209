"""Comments on made-up pull requests, one for each thing that there may be to tell."""

from __future__ import annotations

from typing import Any

import msgspec

from mlops_ci.records.judged import State
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports import comment, report
from mlops_ci.reports.comment import EarlierRun, Mark, Part
from mlops_ci.reports.sections import commands
from mlops_ci.reports.story import Story
from tests.unit.reports.report_stories import HOSTILE, STORIES, digits, hostile, new_data, refused, regression

COMMIT = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
RUN = "https://github.com/acme/ml/actions/runs/1004"
BLOB = "https://github.com/acme/ml/blob"


def mark(**more: Any) -> Mark:
    plain: dict[str, Any] = {
        "run": 1004,
        "attempt": 1,
        "commit": COMMIT,
        "outcome": "failed",
        "decisions": ("3f9c1e27ab04" + "5" * 52,),
    }
    return Mark(**{**plain, **more})


def part(story: Story, *, ledger: str = "c0ffee" + "0" * 34, **more: Any) -> Part:
    """As the recording job makes it; without `ledger`, as where nothing could be pushed."""
    prefix = f"{story.prefix}/" if story.prefix else ""
    folder = f"{BLOB}/{ledger}/decisions/2026/03/04/{story.decision_id}"
    plain: dict[str, Any] = {
        "name": story.decision.project,
        "state": State.JUDGED,
        "decided": story.decision.outcome,
        "decision": story.decision_id,
        "document": report.build(story),
        "report": f"{folder}/report.md" if ledger else "",
        "command": commands.reads(story),
        "files": f"{BLOB}/{COMMIT}/{prefix}",
        "charts": f"{folder}/%s.svg?raw=true" if ledger else None,
    }
    return Part(**{**plain, **more})


def aside(name: str, state: State, reason: str = "") -> Part:
    return Part(name=name, state=state, reason=reason)


def plain_run(story: Story) -> Story:
    """Without what came before and what it took, as the recording job tells it."""
    return msgspec.structs.replace(story, earlier=())


_MISSING = (
    "GitHub does not let this job write to the branch mlops-reports: it lacks the permission contents: write. "
    "Add it to the job `record` in .github/workflows/mlops-record.yml."
)
NOTES = (_MISSING,)
EARLIER = tuple(
    EarlierRun(commit=f"{number}" * 40, outcome=outcome, decisions=(f"{number}" * 12,))
    for number, outcome in enumerate(("passed", "failed", "undecided", "errored", "passed"), 1)
)
UNREADABLE = "the run left nothing that could be judged: its artifact holds no decision"


def several() -> tuple[Part, ...]:
    return (
        part(plain_run(new_data()), name="flight-delay"),
        part(plain_run(regression())),
        part(plain_run(digits())),
        aside("churn", State.NO_EVIDENCE, UNREADABLE),
        aside("fares", State.UNAFFECTED),
        aside("routes", State.UNAFFECTED),
    )


def _body(*parts: Part, of: Mark | None = None, **more: Any) -> str:
    return comment.body(of or mark(), parts, run_address=RUN, **more)


COMMENTS = {
    "refused": lambda: _body(part(plain_run(refused()))),
    "waived": lambda: _body(part(plain_run(STORIES["waived"]())), of=mark(outcome="passed")),
    "no-pictures": lambda: _body(part(plain_run(new_data()), ledger=""), of=mark(outcome="passed")),
    "several": lambda: _body(*several(), of=mark(outcome="errored")),
    "unaffected": lambda: _body(aside("fares", State.UNAFFECTED), of=mark(outcome="passed", decisions=())),
    "unaffected-all": lambda: _body(*several()[-2:], of=mark(outcome="passed", decisions=())),
    "no-evidence": lambda: _body(aside("churn", State.NO_EVIDENCE, UNREADABLE), of=mark(outcome="errored")),
    "removed": lambda: _body(
        aside("churn", State.REMOVED, "this commit removes churn/mlops.yaml, and with it the rules that judge it"),
        of=mark(outcome="undecided", decisions=()),
    ),
    "notes": lambda: _body(part(plain_run(STORIES["leak"]()), ledger=""), notes=NOTES),
    "earlier": lambda: _body(part(plain_run(STORIES["undecided"]())), of=mark(outcome="undecided", earlier=EARLIER)),
    "nothing-left": lambda: _body(
        of=mark(outcome="errored", decisions=()), reason="the job that judges left no answer"
    ),
    "not-recorded": lambda: _body(
        part(plain_run(regression()), ledger=""),
        of=mark(outcome="errored"),
        reason="nothing was recorded: the branch mlops-reports cannot be pushed",
        notes=NOTES,
    ),
    "hostile": lambda: _body(
        part(plain_run(hostile())),
        *(aside(name, State.NO_EVIDENCE, name) for name in HOSTILE),
        *(aside(name, State.UNAFFECTED) for name in HOSTILE),
        of=mark(outcome=Outcome.ERRORED.value),
        notes=HOSTILE,
    ),
}
