"""A Decision as an in-toto Statement v1 in canonical JSON, and back.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md; canonical JSON is RFC 8785. Times, timings and
hosts are not in it, so that the same evidence gives the same bytes and the same id.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from mlops_ci.errors import OutsideError
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.decisions import Decision, Subject

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://mlops-ci.dev/attestations/decision/v1"
LARGEST = 4 * 1024 * 1024
"""Bytes of a decision.json that are read; real ones have some ten thousand."""


class _Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str = msgspec.field(name="_type")
    subject: list[dict[str, Any]]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: Decision


def statement(decision: Decision) -> dict[str, object]:
    """The statement as plain data."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": _subjects(decision.subject),
        "predicateType": PREDICATE_TYPE,
        "predicate": msgspec.to_builtins(decision),
    }


def encode(decision: Decision) -> bytes:
    """The bytes of decision.json."""
    return canonical_json(statement(decision))


def decision_id(decision: Decision) -> str:
    """sha256 of decision.json, 64 hex digits."""
    return hashlib.sha256(encode(decision)).hexdigest()


def parse_statement(data: bytes, *, name: str = "decision.json") -> Decision:
    """The Decision; OutsideError for anything but a canonical statement of this type whose subjects agree with it."""
    if len(data) > LARGEST:
        raise _refused(name, f"it has {len(data)} bytes, at most {LARGEST} are read")
    try:
        found = msgspec.json.decode(data, type=_Statement)
        canonical = canonical_json(msgspec.json.decode(data))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _refused(name, str(error)) from error
    if (found.type, found.predicate_type) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise _refused(name, f"it is of type {found.type!r}, {found.predicate_type!r}")
    if canonical != data:
        raise _refused(name, "it is not canonical JSON (RFC 8785)")
    if found.subject != _subjects(found.predicate.subject):
        raise _refused(name, "its subjects are not those the decision is about")
    return found.predicate


def _subjects(subject: Subject) -> list[dict[str, Any]]:
    """Digests by the names in-toto has for them; the snapshot's is a sum of row digests and says so."""
    digests = (
        ("commit", "gitCommit", subject.commit),
        ("tree", "gitTree", "" if subject.dirty else subject.tree),
        ("files", "sha256", subject.tree if subject.dirty else ""),
        ("data", "rowDigestSum128", subject.data),
        ("params", "sha256", subject.params),
        ("environment", "sha256", subject.environment),
    )
    return [{"name": name, "digest": {algorithm: digest}} for name, algorithm, digest in digests if digest]


def _refused(name: str, reason: str) -> OutsideError:
    return OutsideError(
        f"{name} is not a decision of mlops-ci: {reason}", "Was it edited by hand, or by a newer version?"
    )
