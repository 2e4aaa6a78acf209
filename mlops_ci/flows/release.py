"""release: a passed decision → export → bundle → loaded by itself → image → store → number → decision."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from mlops_ci.errors import UsageError, UserCodeError
from mlops_ci.flows.check import check
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Result
from mlops_ci.reports.release import parity
from mlops_ci.steps.bundle import Bundle, judged_model, make_bundle
from mlops_ci.steps.case import Asked, Case, settle
from mlops_ci.steps.examine import look_at_data, make_model
from mlops_ci.steps.export import Exported, export
from mlops_ci.steps.image import require_base
from mlops_ci.steps.load_with import loads_with
from mlops_ci.steps.progress import Clock, Progress, Silent
from mlops_ci.steps.project import open_project
from mlops_ci.steps.registration import register
from mlops_ci.steps.release import Released, Wish, answers_as_judged, describe, write_release
from mlops_ci.steps.release_decision import Candidate, Passed
from mlops_ci.steps.signatures import signer
from mlops_ci.steps.trust import require_signer
from mlops_ci.steps.workshop import Workshop
from mlops_ci.steps.write import Checked


class Packaged(NamedTuple):
    """A bundle, how its model was converted, and what was found out about it."""

    bundle: Bundle
    exported: Exported
    results: tuple[Result, ...]


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
    )
    released = write_release(candidate, clock, msgspec.structs.replace(wish, signer=by))
    register(released, case.project.state, clock)
    return released


def package(case: Case, clock: Clock) -> Packaged:
    """The bundle of a commit, loaded by itself. UserCodeError where there is no model to package."""
    workshop = Workshop(case.project, case.head, lambda text: clock.say("environment", text))
    found = make_model(case, look_at_data(case, workshop, Clock(Silent())), workshop, Clock(Silent()))
    if wrong := next((one for one in found.results if one.status is Status.ERRORED), None):
        raise UserCodeError(f"there is no model to package: {wrong.message}")
    with clock.step("export", "converting the model and comparing it with the judged one") as line:
        exported = export(judged_model(case, found, workshop), say=lambda text: clock.say("export", text))
        line.found = f"{exported.answer.format}, {parity(exported.answer.parity)}"
    with clock.step("bundle", "putting the bundle together") as line:
        bundle = make_bundle(case, found, exported, workshop)
        line.found = f"{bundle.files} files{', restored' if bundle.restored else ''}"
    with clock.step("load", "loading the bundle by itself") as line:
        results = answers_as_judged(bundle, clock)
        line.found = results[0].message
    if results[0].status is Status.PASSED:
        wanted = case.head.config.package.load_with
        results += loads_with(bundle, exported.answer.format, wanted, lambda text: clock.say("load", text))
    return Packaged(bundle=bundle, exported=exported, results=results)
