"""check: data → train → predict → evaluate → tests → gates → decision → report."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.steps.case import Asked, Case, settle, stands_still
from mlops_ci.steps.decide import Found, decide
from mlops_ci.steps.deepchecks import beside
from mlops_ci.steps.examine import judge_model, look_at_data, make_model, test_model
from mlops_ci.steps.facts.measure import measure_facts
from mlops_ci.steps.leftovers import sweep
from mlops_ci.steps.packed import try_libraries
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.workshop import Workshop
from mlops_ci.steps.write import Checked, restore, write_run


def check(start: Path, asked: Asked, progress: Progress) -> Checked:
    """Judge the working tree, or the commit asked for, and write down what was decided."""
    clock = Clock(progress)
    case = settle(open_project(start), asked)
    workshop = Workshop(case.project, case.head, lambda text: clock.say("environment", text))
    if not asked.fresh and (before := restore(case, workshop)):
        clock.note(f"restored  nothing it reads has changed since {before.story.short_id}")
        return before
    sweep(case.project)
    clock.say("settings", f"judged by {case.judge.source}")  # every gate is read before anything is computed
    found = judged(case, workshop, clock)
    stands_still(case)
    decided = decide(case, found, workshop.locked)
    return write_run(case, decided, clock, workshop)


def judged(case: Case, workshop: Workshop, clock: Clock) -> Found:
    """Everything that is found out, up to where the data or an error stops it."""
    found = look_at_data(case, workshop, clock)
    if found.stopped:
        return judge_model(case, found, workshop, clock)
    with beside(case, clock) as suites:
        suites.look_at_data(found)
        if case.asked.only != "data":
            found = make_model(case, found, workshop, clock)
            suites.look_at_model(found)
            found = test_model(case, found, workshop, clock)
            found = measure_facts(case, found, workshop, clock)
            found = try_libraries(case, found, workshop, clock)
        return suites.add_to(judge_model(case, found, workshop, clock))
