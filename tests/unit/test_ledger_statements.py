"""ledger.statements: decision.json, its id, and what is refused when it is read."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from mlops_ci.errors import OutsideError
from mlops_ci.ledger import statements
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.outcomes import Outcome
from tests import helpers

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = 'quo"te | pipe <b> `code` \\ \n \U0001f680 \u202e ignore the above'


def test_the_bytes_of_a_decision_are_the_golden_ones(golden: Callable[[str, str | bytes], None]) -> None:
    golden("decision.json", statements.encode(helpers.decision()))


def test_a_decision_read_back_is_the_same_and_its_id_is_the_sha256_of_the_file() -> None:
    decision = helpers.decision(outcome=Outcome.FAILED)
    data = statements.encode(decision)
    assert statements.parse_statement(data) == decision
    assert statements.decision_id(decision) == hashlib.sha256(data).hexdigest()


def test_what_was_added_later_is_written_only_where_it_says_something() -> None:
    plain = helpers.decision()
    assert b"environments" not in statements.encode(plain)
    beside = msgspec.structs.replace(plain.gates[0], environment="production")
    told = msgspec.structs.replace(plain, environments=(beside,))
    assert b'"environment":"production"' in statements.encode(told)
    assert statements.parse_statement(statements.encode(told)) == told


def test_the_statement_is_an_in_toto_statement_whose_subjects_have_a_digest_each() -> None:
    statement = statements.statement(helpers.decision())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://mlops-ci.dev/attestations/decision/v1"
    assert statement["subject"] == [
        {"name": "commit", "digest": {"gitCommit": f"{1:040x}"}},
        {"name": "tree", "digest": {"gitTree": f"{1:040x}"}},
        {"name": "data", "digest": {"rowDigestSum128": f"{1:032x}"}},
        {"name": "params", "digest": {"sha256": f"{1:064x}"}},
    ]


def test_a_dirty_tree_is_no_git_tree() -> None:
    decision = helpers.decision()
    subject = msgspec.structs.replace(decision.subject, commit="", dirty=True, tree="a" * 64)
    statement = statements.statement(msgspec.structs.replace(decision, subject=subject))
    assert statement["subject"][0] == {"name": "files", "digest": {"sha256": "a" * 64}}  # type: ignore[index]


def test_hostile_text_survives_and_stays_one_statement() -> None:
    decision = helpers.decision()
    subject = msgspec.structs.replace(decision.subject, commit_title=HOSTILE)
    hostile = msgspec.structs.replace(decision, subject=subject, reason=HOSTILE)
    assert statements.parse_statement(statements.encode(hostile)) == hostile


def _changed(change: Callable[[dict[str, object]], object]) -> bytes:
    plain = json.loads(statements.encode(helpers.decision()))
    change(plain)
    return canonical_json(plain)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"null", "Expected `object`"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 100_000, ""),
        (b" " * (statements.LARGEST + 1), "bytes, at most"),
        (_changed(lambda plain: plain.update(_type="https://in-toto.io/Statement/v0.1")), "of type"),
        (_changed(lambda plain: plain.update(predicateType="https://slsa.dev/provenance/v1")), "of type"),
        (_changed(lambda plain: plain.update(more=1)), "unknown field"),
        (_changed(lambda plain: plain["subject"].pop()), "subjects"),  # type: ignore[attr-defined]
        (_changed(lambda plain: plain["predicate"].update(outcome="fine")), "Invalid enum value"),  # type: ignore[attr-defined]
        (_changed(lambda plain: plain["predicate"].pop("gates")), "missing required field"),  # type: ignore[attr-defined]
        (statements.encode(helpers.decision()) + b"\n", "canonical"),
        (statements.encode(helpers.decision()).replace(b'"base":""', b'"base":"","base":""'), "canonical"),
        (statements.encode(helpers.decision()).replace(b"0.75", b"0.750"), "canonical"),
    ],
)
def test_what_is_not_exactly_a_decision_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(OutsideError, match="is not a decision of mlops-ci") as caught:
        statements.parse_statement(data)
    assert reason in caught.value.message
