"""release: a passed decision → export → bundle → loaded by itself → image → store → number → decision."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.errors import UsageError, UserCodeError
from mlops_ci.flows.check import check
from mlops_ci.records.due import Cost
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.steps import request_cost
from mlops_ci.steps.case import Asked, Case, settle
from mlops_ci.steps.examine import look_at_data, make_model
from mlops_ci.steps.image import require_base
from mlops_ci.steps.packed import Packed, pack
from mlops_ci.steps.progress import Clock, Progress, Silent
from mlops_ci.steps.project import open_project
from mlops_ci.steps.registration import register
from mlops_ci.steps.release import Released, Wish, describe, write_release
from mlops_ci.steps.release_decision import Candidate, Passed
from mlops_ci.steps.signatures import signer
from mlops_ci.steps.store_items import laid_snapshot
from mlops_ci.steps.trust import require_signer
from mlops_ci.steps.workshop import Workshop
from mlops_ci.steps.write import Checked


def release(start: Path, wish: Wish, progress: Progress) -> Released | Checked:
    """Package the model of this commit and give it a number; the check's answer where that does not let it through."""
    case = settle(open_project(start), Asked())
    if case.head.dirty:
        raise UsageError("there are changes that are not committed", "Commit them: a release is a commit's.")
    if case.head.config.package.image:
        require_base(case.project)
    clock = Clock(progress)
    by = signer(clock)
    require_signer(case.head.root, case.head.config, by, lambda text: clock.say("sign", text))
    checked = check(start, Asked(), progress)
    if checked.decision.outcome is not Outcome.PASSED:
        return checked
    passed = Passed(decision=checked.decision, decision_id=checked.story.decision_id, evidence=checked.story.evidence)
    made = package(case, clock)
    candidate = Candidate(
        case=case,
        passed=passed,
        bundle=made.bundle,
        info=describe(made.bundle, made.exported, passed.decision_id),
        results=made.results,
        table=made.table,
        cost=_cost(made, passed, clock),
    )
    released = write_release(candidate, clock, msgspec.structs.replace(wish, signer=by))
    register(released, case.project.state, clock)
    return released


def _cost(made: Packed, passed: Passed, clock: Clock) -> Cost:
    fine = all(result.status in (Status.PASSED, Status.SKIPPED) for result in made.results)
    return request_cost.measure(made.bundle, clock) if fine and request_cost.asked_by(passed.decision) else Cost()


def package(case: Case, clock: Clock) -> Packed:
    """The bundle of a commit, loaded by itself. UserCodeError where there is no model to package."""
    workshop = Workshop(case.project, case.head, lambda text: clock.say("environment", text))
    found = make_model(case, look_at_data(case, workshop, Clock(Silent())), workshop, Clock(Silent()))
    if wrong := next((one for one in found.results if one.status is Status.ERRORED), None):
        raise UserCodeError(f"there is no model to package: {wrong.message}")
    packed = pack(case, found, workshop, clock)
    if case.head.config.evidence.snapshot == "store" and found.data is not None:
        return msgspec.structs.replace(packed, table=laid_snapshot(case.project, found.data.snapshot))
    return packed
