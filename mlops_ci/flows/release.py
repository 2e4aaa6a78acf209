"""release: a passed decision → export → bundle → loaded by itself → store → number → decision."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.errors import UsageError
from mlops_ci.flows.check import check
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports.release import parity
from mlops_ci.steps.bundle import judged_model, make_bundle
from mlops_ci.steps.case import Asked, settle
from mlops_ci.steps.examine import look_at_data, make_model
from mlops_ci.steps.export import export
from mlops_ci.steps.progress import Clock, Progress, Silent
from mlops_ci.steps.project import open_project
from mlops_ci.steps.release import Released, answers_as_judged, describe, write_release
from mlops_ci.steps.workshop import Workshop
from mlops_ci.steps.write import Checked


def release(start: Path, asked: Asked, progress: Progress) -> Released | Checked:
    """Package the model of this commit and give it a number; the check's answer where that does not let it through."""
    case = settle(open_project(start), asked)
    if case.head.dirty:
        raise UsageError("there are changes that are not committed", "Commit them: a release is a commit's.")
    checked = check(start, asked, progress)
    if checked.decision.outcome is not Outcome.PASSED:
        return checked
    clock = Clock(progress)
    workshop = Workshop(case.project, case.head, lambda text: clock.say("environment", text))
    found = make_model(case, look_at_data(case, workshop, Clock(Silent())), workshop, Clock(Silent()))
    with clock.step("export", "converting the model and comparing it with the judged one") as line:
        exported = export(judged_model(case, found, workshop), say=lambda text: clock.say("export", text))
        line.found = f"{exported.answer.format}, {parity(exported.answer.parity)}"
    with clock.step("bundle", "putting the bundle together") as line:
        bundle = make_bundle(case, found, exported, workshop)
        line.found = f"{bundle.files} files{', restored' if bundle.restored else ''}"
    with clock.step("load", "loading the bundle by itself") as line:
        results = answers_as_judged(bundle, clock)
        line.found = results[0].message
    return write_release(case, checked, bundle, describe(bundle, exported, checked), results, clock)
