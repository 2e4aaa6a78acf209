"""waivers.yaml of a project: an entry put in; the waivers of a recorded decision compared with what the base says."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import waivers, yaml
from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.gates.waivers import waive
from mlops_ci.records.outcomes import Status
from mlops_ci.steps import ledger, project_files
from mlops_ci.steps.case import day_of
from mlops_ci.steps.judge import parse_gates
from mlops_ci.steps.runs import newest_run, read_run
from mlops_ci.steps.trees import working_tree

if TYPE_CHECKING:
    from mlops_ci.records.decisions import Decision
    from mlops_ci.records.verdicts import Waiver
    from mlops_ci.steps.project import Project


class AskedGate(msgspec.Struct, frozen=True, kw_only=True):
    """The gate somebody named, and its last verdict here; None where there is none."""

    text: str
    verdict: Status | None


def find_gate(project: Project, asked: str) -> AskedGate:
    """The gate with this number in the last decision (in mlops.yaml where there is none), text or name.

    UsageError with the nearest where there is no such gate, and for one that could not be judged.
    """
    last = _last_decision(project)
    judged = [(verdict.gate, verdict.name) for verdict in last.gates] if last else []
    written = [(gate.text, gate.name) for gate in parse_gates(working_tree(project))]
    text = _numbered(judged or written, int(asked)) if asked.isdecimal() else _named([*written, *judged], asked)
    verdicts = [verdict.verdict for verdict in last.gates if verdict.gate == text] if last else []
    if Status.ERRORED in verdicts:
        raise UsageError(
            f"{text} could not be judged in the last check",
            "Only a failed or an undecided gate is waived: mend what keeps it from being judged.",
        )
    return AskedGate(text=text, verdict=verdicts[0] if verdicts else None)


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
    waived = [verdict for verdict in decision.gates if verdict.waived]
    if not waived:
        return ()
    repository, judge = project.repository, decision.judge.commit
    text = repository.show(judge, project.path(waivers.FILE))
    try:
        there = waivers.parse(yaml.decode(text, file=waivers.FILE)) if text is not None else ()
    except ConfigError as error:
        return (f"waivers.yaml at {judge[:7]} cannot be used ({error.message})",)
    asked = tuple(msgspec.structs.replace(one, blocking=True, waived=msgspec.UNSET) for one in waived)
    again, _ = waive(asked, there, day=day_of(repository, decision.subject.commit, judge))
    return tuple(
        f"{recorded.gate} is recorded as waived, and {judge[:7]} does not waive it so"
        for recorded, now in zip(waived, again, strict=True)
        if recorded.waived != now.waived
    )


def _last_decision(project: Project) -> Decision | None:
    folder = newest_run(project)
    if folder is not None:
        return read_run(folder).decision
    rows = ledger.history(project.repository, project=project.config.project, limit=1)
    return ledger.find(project.repository, rows[0].id).decision if rows else None


def _numbered(gates: list[tuple[str, str]], number: int) -> str:
    if not 1 <= number <= len(gates):
        there = f"There are gates 1 to {len(gates)}." if gates else "mlops.yaml has no gates."
        raise UsageError(f"there is no gate {number}", there)
    return gates[number - 1][0]


def _named(gates: list[tuple[str, str]], asked: str) -> str:
    for text, name in gates:
        if asked.split() in (text.split(), name.split()):
            return text
    texts = list(dict.fromkeys(text for pair in gates for text in pair))
    near = get_close_matches(asked, texts, 1, 0.4)
    raise UsageError(
        f"there is no gate {asked!r}",
        f"Did you mean {near[0]!r}?" if near else f"mlops.yaml has: {'; '.join(texts) or 'none'}.",
    )
