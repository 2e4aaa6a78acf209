"""waivers.yaml of a project: an entry put in; the waivers of a recorded decision compared with what the base says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import waivers, yaml
from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.gates.waivers import waive
from mlops_ci.records.outcomes import Status
from mlops_ci.steps import project_files
from mlops_ci.steps.case import day_of
from mlops_ci.steps.named_gate import NamedGate, named_gate

if TYPE_CHECKING:
    from mlops_ci.records.decisions import Decision
    from mlops_ci.records.verdicts import Verdict, Waiver
    from mlops_ci.steps.project import Project


def gate_to_waive(project: Project, asked: str) -> NamedGate:
    """As `named_gate`. UsageError for one that could not be judged, too."""
    found = named_gate(project, asked)
    if Status.ERRORED in found.answers:
        raise UsageError(
            f"{found.text} could not be judged in the last check",
            "Only a failed or an undecided gate is waived: mend what keeps it from being judged.",
        )
    return found


def write_waiver(project: Project, waiver: Waiver) -> bool:
    """Put it into the project's file, whole or not at all; False where it is there already."""
    path = project.root / waivers.FILE
    before = yaml.decode(path.read_bytes(), file=waivers.FILE) if path.is_file() else None
    after = waivers.with_waiver(before, waiver)
    if after != before:
        project_files.replace(project.root, {waivers.FILE: after})
    return after != before


def unfounded(project: Project, decision: Decision) -> tuple[str, ...]:
    """The waived gates of a decision whose waiver is not in the commit the rules came from, or did not count then."""
    if not waived_by(decision):
        return ()
    repository, judge = project.repository, decision.judge.commit
    text = repository.show(judge, project.path(waivers.FILE))
    return not_waived(decision, text, day=day_of(repository, decision.subject.commit, judge))


def waived_by(decision: Decision) -> tuple[Verdict, ...]:
    """The verdicts of a decision that a waiver lets through."""
    return tuple(verdict for verdict in (*decision.gates, *decision.judge.head_verdicts) if verdict.waived)


def not_waived(decision: Decision, text: bytes | None, *, day: str) -> tuple[str, ...]:
    """As `unfounded`. text: of the waivers where the rules came from, None where there are none; day: that counts."""
    waived, judge = waived_by(decision), decision.judge.commit
    try:
        there = waivers.parse(yaml.decode(text, file=waivers.FILE)) if text is not None else ()
    except ConfigError as error:
        return (f"waivers.yaml at {judge[:7]} cannot be used ({error.message})",)
    asked = tuple(msgspec.structs.replace(one, blocking=True, waived=msgspec.UNSET) for one in waived)
    again, _ = waive(asked, there, day=day)
    return tuple(
        f"{recorded.gate} is recorded as waived, and {judge[:7]} does not waive it so"
        for recorded, now in zip(waived, again, strict=True)
        if recorded.waived != now.waived
    )
