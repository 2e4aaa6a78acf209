"""A gate as people name it: by its number in the last report, by its text or by its name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.errors import UsageError
from mlops_ci.records.outcomes import Status
from mlops_ci.steps import ledger
from mlops_ci.steps.judge import parse_gates
from mlops_ci.steps.runs import newest_run, read_run
from mlops_ci.steps.trees import working_tree

if TYPE_CHECKING:
    from mlops_ci.records.decisions import Decision
    from mlops_ci.steps.project import Project


class NamedGate(msgspec.Struct, frozen=True, kw_only=True):
    """The gate somebody named, and what it was answered in the last check here, once for each list it stands in."""

    text: str
    answers: tuple[Status, ...]

    @property
    def passed(self) -> bool:
        return bool(self.answers) and set(self.answers) == {Status.PASSED}


def named_gate(project: Project, asked: str) -> NamedGate:
    """The gate with this number in the last report (in mlops.yaml where there is none), this text or this name.

    UsageError with the nearest where there is no such gate, ConfigError where mlops.yaml has one that cannot be.
    """
    last = _last_decision(project)
    verdicts = last.numbered_gates if last else ()
    judged = [(verdict.gate, verdict.name) for verdict in verdicts]
    written = [(gate.text, gate.name) for gate in parse_gates(working_tree(project))]
    text = _numbered(judged or written, int(asked)) if asked.isdecimal() else _named([*written, *judged], asked)
    return NamedGate(text=text, answers=tuple(one.verdict for one in verdicts if one.gate == text))


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
