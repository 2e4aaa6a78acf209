"""A decision in one line, read from its decision.json without decoding the rest."""

from __future__ import annotations

import msgspec

from mlops_ci.ledger.names import decision_id

UNREADABLE = "unreadable"
_ORDER = ("errored", "failed", "undecided")
_LONGEST = 200
_DONE = {"release": "released", "import": "imported", "promotion": "promoted", "rollback": "rolled back"}


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of the ledger. `time` is the commit's, ISO 8601 UTC; `path` the folder on the branch.

    Words are plain text, so that a list also shows what a newer version recorded; `outcome` is "unreadable" for a
    decision.json that cannot be read.
    """

    id: str
    kind: str
    project: str
    outcome: str
    trust: str
    commit: str
    title: str
    time: str
    verdict: str
    """One sentence: the reason, the first gate or check that stopped it, or how many gates passed."""
    path: str

    @property
    def word(self) -> str:
        """The outcome; where it passed, what was done then: nothing judged a model that was imported."""
        return _DONE.get(self.kind, self.outcome) if self.outcome == "passed" else self.outcome


class _Gate(msgspec.Struct, frozen=True):
    gate: str
    verdict: str
    name: str = ""
    observed: float | None = None
    blocking: bool = True
    waived: dict[str, object] | None = None


class _Check(msgspec.Struct, frozen=True):
    check: str
    status: str
    message: str = ""
    blocking: bool = True


class _Subject(msgspec.Struct, frozen=True):
    commit: str = ""
    commit_time: str = ""
    commit_title: str = ""


class _Predicate(msgspec.Struct, frozen=True):
    kind: str
    project: str
    outcome: str
    trust: str
    subject: _Subject
    gates: tuple[_Gate, ...] = ()
    checks: tuple[_Check, ...] = ()
    reason: str = ""


class _Statement(msgspec.Struct, frozen=True):
    predicate: _Predicate


_decode = msgspec.json.Decoder(_Statement).decode


def parse_row(path: str, data: bytes) -> HistoryRow:
    """The line for a decision.json at `path` on the branch."""
    folder = path.removesuffix("/decision.json")
    name = decision_id(path) or ""
    try:
        found = _decode(data).predicate
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _unreadable(name, folder)
    subject = found.subject
    return HistoryRow(
        id=name,
        kind=found.kind,
        project=found.project,
        outcome=found.outcome,
        trust=found.trust,
        commit=subject.commit,
        title=subject.commit_title,
        time=subject.commit_time,
        verdict=_sentence(found),
        path=folder,
    )


def _unreadable(name: str, folder: str) -> HistoryRow:
    blank = dict.fromkeys(("kind", "project", "trust", "commit", "title", "time"), "")
    return HistoryRow(id=name, outcome=UNREADABLE, verdict="decision.json cannot be read", path=folder, **blank)


def _sentence(found: _Predicate) -> str:
    if found.reason:
        return found.reason
    for word in _ORDER:
        for gate in found.gates:
            if gate.blocking and gate.verdict == word:
                seen = "" if gate.observed is None else f" ({gate.observed:.4g})"
                return f"{gate.name or gate.gate}{seen}: {word}"
        for check in found.checks:
            if check.blocking and check.status == word:
                return f"{check.check}: {check.message}"[:_LONGEST]
    passed = sum(gate.verdict == "passed" for gate in found.gates)
    waived = sum(bool(gate.waived) for gate in found.gates)
    told = f"{passed} of {len(found.gates)} gates passed" if found.gates else "no gates"
    return f"{told}, {waived} waived" if waived else told
