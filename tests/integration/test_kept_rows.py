"""The rows of a decision, in the store or why not: whose are put there, and that they are those it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.records.decisions import Evidence, Trust
from mlops_ci.records.prunes import Tombstone
from mlops_ci.steps import kept_rows, store_items
from mlops_ci.steps.ledger import StoredDecision
from mlops_ci.steps.project import open_project
from mlops_ci.steps.recorded_rows import keep_recorded
from mlops_ci.steps.tombstones import bury
from tests.helpers import decision, git, repo, run_info
from tests.integration.test_releases import SETTINGS
from tests.integration.test_store_items import ARRAYS, HOLDOUT, silent

OTHER = {**ARRAYS, "labels": np.array([0, 1, 1], dtype=np.int32)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repo(tmp_path / "r", {"mlops.yaml": SETTINGS, ".gitignore": ".mlops-ci/\n"})


def judged(trust: Trust = Trust.DEFAULT_BRANCH, arrays: dict[str, Any] = ARRAYS, commit: str = "") -> Entry:
    """A decision from `arrays`; its evidence names the item of ARRAYS."""
    evidence = Evidence(rows=store_items.rows_item(ARRAYS, HOLDOUT))
    plain = decision()
    subject = msgspec.structs.replace(plain.subject, commit=commit or plain.subject.commit)
    made = with_evidence(msgspec.structs.replace(plain, trust=trust, subject=subject), evidence, arrays, HOLDOUT)
    rest: dict[str, Any] = {"report_markdown": "", "charts": {}, "arrays": arrays, "holdout": HOLDOUT}
    return Entry(decision=made, run=run_info(), evidence=evidence, **rest)


def stored(entry: Entry) -> StoredDecision:
    rest: dict[str, Any] = {"run": None, "report_markdown": "", "charts": {}}
    return StoredDecision(id="d" * 64, head="", path="", decision=entry.decision, evidence=entry.evidence, **rest)


def held(root: Path) -> bool:
    return (root / ".mlops-ci/store/predictions").exists()


@pytest.mark.parametrize("trust", [Trust.PULL_REQUEST, Trust.FORK])
def test_of_a_pull_request_nothing_is_put_there(root: Path, trust: Trust) -> None:
    project = open_project(root)
    assert kept_rows.keep(project, judged(trust), silent) == ""
    assert not held(root)
    told = kept_rows.rows_of(project.repository, project, stored(judged(trust)))
    assert (told.holdout, told.reason) == (None, kept_rows.IN_ARTIFACT)


def test_rows_are_those_that_the_decision_names(root: Path) -> None:
    project = open_project(root)
    assert "they are not those that the decision names" in kept_rows.keep(project, judged(arrays=OTHER), silent)
    assert kept_rows.keep(project, judged(), silent) == ""
    told = kept_rows.rows_of(project.repository, project, stored(judged()))
    assert told.holdout
    assert told.arrays["labels"].tolist() == ARRAYS["labels"].tolist()
    told = kept_rows.rows_of(project.repository, project, stored(judged(arrays=OTHER)))
    assert (told.holdout, told.reason) == (
        None,
        "its rows are in the store, and labels.npy there is not what the decision was made from",
    )


def test_why_they_are_not_to_be_had_is_said(root: Path) -> None:
    project, entry = open_project(root), judged()
    assert entry.evidence.rows
    told = kept_rows.rows_of(project.repository, None, stored(entry)).reason
    assert told == f"its rows are in the store of {entry.decision.project}, which is no project here"
    erased = Tombstone(
        version=1,
        digest=entry.evidence.rows.digest,
        project="flights",
        releases=("v1",),
        store="there",
        time="2026-01-02T03:04:05Z",
        reason="Ada asked",
        kind="predictions",
    )
    bury(project.repository, [erased])
    told = kept_rows.rows_of(project.repository, project, stored(entry)).reason
    assert told == "its rows were erased from there on 2026-01-02: Ada asked"


def test_a_job_listens_to_the_default_branch_alone(root: Path) -> None:
    repository, at = open_project(root).repository, git(root, "rev-parse", "HEAD")
    for trust in (Trust.DESK, Trust.PULL_REQUEST, Trust.FORK):
        assert keep_recorded(repository, "", judged(trust, commit=at), silent) == ""
    assert not held(root)
    told = keep_recorded(repository, "elsewhere", judged(commit=at), silent)
    assert told.endswith("are not in the store: its settings cannot be read")
    assert keep_recorded(repository, "", judged(commit=at), silent) == ""
    assert held(root)
