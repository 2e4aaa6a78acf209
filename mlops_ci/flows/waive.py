"""waive: a gate knowingly overridden for a while, written down where it can be reviewed."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mlops_ci.config import waivers
from mlops_ci.errors import UsageError
from mlops_ci.gates.waivers import LONGEST_DAYS, last_day
from mlops_ci.records.verdicts import Waiver
from mlops_ci.steps.project import Project, open_project
from mlops_ci.steps.waivers import gate_to_waive, write_waiver


class Waived(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `waive`."""

    gate: str
    reason: str
    owner: str
    until: str
    changed: bool
    """False: the same waiver was there already."""
    passed: bool
    """The gate passed in the last check here: there is nothing to waive now."""
    next: tuple[str, ...]


def waive(start: Path, gate: str, *, reason: str, until: str, owner: str | None) -> Waived:
    """Write the waiver of a gate; it counts once the base has it. UsageError for what cannot be waived so."""
    project = open_project(start)
    asked = gate_to_waive(project, gate)
    waiver = Waiver(
        gate=asked.text,
        reason=_line("reason", reason),
        owner=_line("owner", owner if owner is not None else project.repository.user()),
        until=_day(until),
    )
    changed = write_waiver(project, waiver)
    return Waived(
        gate=waiver.gate,
        reason=waiver.reason,
        owner=waiver.owner,
        until=waiver.until,
        changed=changed,
        passed=asked.passed,
        next=_next(project, waiver.until),
    )


def _day(until: str) -> str:
    today = datetime.now(UTC).date().isoformat()
    latest = last_day(today)
    day = waivers.day(until)
    if day is None:
        raise UsageError(f"{until!r} is no day", f"Write it as 2026-12-01, at most {latest}.")
    if day < today:
        raise UsageError(f"{day} is past", f"Name a day from {today} to {latest}.")
    if day > latest:
        raise UsageError(
            f"{day} is more than {LONGEST_DAYS} days away",
            f"Name a day up to {latest}; what should hold for longer is a change of the gate in mlops.yaml.",
        )
    return day


def _line(what: str, text: str) -> str:
    stripped = text.strip()
    if not stripped:
        missing = {"reason": "Say why: --reason TEXT.", "owner": "git has no user.name: --owner NAME."}
        raise UsageError(f"a waiver needs {'a reason' if what == 'reason' else 'an owner'}", missing[what])
    if not stripped.isprintable():
        raise UsageError(f"the {what} holds characters that cannot be seen", "Write it as one line of plain text.")
    return stripped


def _next(project: Project, until: str) -> tuple[str, ...]:
    path = f":/{project.path(waivers.FILE)}" if project.folder else waivers.FILE
    return (f"git add {shlex.quote(path)}", f'git commit -m "A waiver until {until}"')
