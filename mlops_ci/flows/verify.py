"""verify: everything of an environment, a release, a decision or the whole ledger, recomputed offline."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.errors import UsageError
from mlops_ci.records.verified import CheckedGate, Counts, Finding, Note, Problem, Verified
from mlops_ci.steps import environments
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.verify_decision import Scene, decision, look_up, scene
from mlops_ci.steps.verify_environment import environment
from mlops_ci.steps.verify_heads import authenticity, heads
from mlops_ci.steps.verify_ledger import ledger_files, ledger_history
from mlops_ci.steps.verify_release import numbered_once, release
from mlops_ci.steps.verify_wish import Wanted, wanted_of


def verify(start: Path, asked: str, progress: Progress, *, everything: bool = False, head: str = "") -> Verified:
    """What holds and what does not. asked: an environment, a release or a decision; "" is every environment.

    UsageError where there is no such thing. head: a commit of the ledger that somebody wrote down elsewhere.
    """
    project, clock = open_project(start), Clock(progress)
    at = scene(project, environments.truth(project))
    if at is None:
        raise UsageError("nothing has been decided here yet", "Run `mlops-ci check` first, or fetch mlops-reports.")
    wanted = wanted_of(at, asked, everything=everything)
    with clock.step("heads", "looking for recorded heads of the ledger") as line:
        known = heads(at, head)
        line.found = f"{len(known.good)} recorded elsewhere"
    with clock.step("verify", "recomputing") as line:
        found = [*known.findings, *_findings(at, wanted)]
        line.found = f"{len(wanted.decisions)} decisions, {len(wanted.releases)} releases"
    problems = tuple(dict.fromkeys(one for one in found if isinstance(one, Problem)))
    gates = tuple(one for one in found if isinstance(one, CheckedGate))
    return Verified(
        authenticity=authenticity(at, known, wanted.decisions),
        checked=Counts(
            environments=len(wanted.environments),
            releases=len(wanted.releases),
            decisions=len(wanted.decisions),
            gates=len(gates),
        ),
        problems=problems,
        gates=gates,
        notes=tuple(dict.fromkeys(one for one in found if isinstance(one, Note))),
    )


def _findings(at: Scene, wanted: Wanted) -> list[Finding]:
    found: list[Finding] = []
    look_up(at, wanted.decisions)
    for name in wanted.environments:
        found += environment(at, name)
    for path in wanted.releases:
        found += release(at, path)
    for parts, problems in at.shelf.each(wanted.decisions):
        found += decision(at, parts, problems)
        found += numbered_once(at, parts) if parts else ()
    if wanted.everything:
        found += ledger_files(at.shelf)
        found += ledger_history(at.shelf)
    return found
