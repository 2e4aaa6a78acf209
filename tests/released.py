"""Releases as they lie in a ledger, without training: a check that passed, what made it a release, its number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge.git import Repository
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.ledger.statements import decision_id
from mlops_ci.records.decisions import Decision, DecisionKind, Evidence, Trust
from mlops_ci.records.outcomes import Outcome
from mlops_ci.records.releases import BundleInfo, Parity, Release
from mlops_ci.steps import ledger
from tests.helpers import decision, git, run_info

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """version: 1
project: flights
task: classification
data: {sources: {rows: data/rows.csv}, target: late}
"""
ENVIRONMENTS = """environments:
  dev: {}
  staging: {after: dev}
  production: {after: staging}
"""


def bundle_of(number: int) -> str:
    """The digest that a release has here."""
    return f"{number:064x}"


def judged(root: Path, number: int, *, outcome: Outcome = Outcome.PASSED, trust: Trust = Trust.DESK) -> Decision:
    """A check of the commit that is checked out, recorded."""
    commit = git(root, "rev-parse", "HEAD")
    made = decision(number=number, commit=commit, outcome=outcome)
    subject = msgspec.structs.replace(made.subject, tree=git(root, "rev-parse", "HEAD^{tree}"))
    return record(root, msgspec.structs.replace(made, trust=trust, subject=subject))


def image_of(number: int) -> str:
    """The image that a release has here, where it has one."""
    return f"ghcr.io/acme/flights@sha256:{number + 100:064x}"


def released(
    root: Path, *numbers: int, trust: Trust = Trust.DESK, project: str = "flights", images: bool = False
) -> dict[int, Release]:
    """Number -> release of the commit that is checked out; each was judged."""
    return {number: _released(root, number, trust, project, images=images) for number in numbers}


def _released(root: Path, number: int, trust: Trust, project: str, *, images: bool) -> Release:
    passed = judged(root, number, trust=trust)
    evidence = Evidence(bundle=_bundle(number, decision_id(passed)))
    asked = msgspec.structs.replace(passed, kind=DecisionKind.RELEASE, gates=(), reason=f"v{number}", project=project)
    made = with_evidence(asked, evidence)
    release = Release(
        version=1,
        project=project,
        release=f"v{number}",
        bundle=bundle_of(number),
        decision=decision_id(made),
        judged=decision_id(passed),
        commit=passed.subject.commit,
        image=image_of(number) if images else msgspec.UNSET,
    )
    entry = Entry(decision=made, run=run_info(), evidence=evidence, report_markdown="", release=release)
    ledger.record(Repository.open(root), entry)
    return release


def _bundle(number: int, judged_by: str) -> BundleInfo:
    parity = Parity(rows=1, labels_differ=0, largest_difference=0.0, tolerance=1e-5, worst_row=None, hunted={})
    return BundleInfo(
        digest=bundle_of(number),
        format="onnx",
        bytes=1,
        files=1,
        fingerprint="f" * 64,
        tried=(),
        parity=parity,
        decision=judged_by,
        number=number,
    )


def record(root: Path, made: Decision) -> Decision:
    """In the ledger, with the evidence it says it has: none."""
    evidence = Evidence()
    whole = with_evidence(made, evidence)
    ledger.record(Repository.open(root), Entry(decision=whole, run=run_info(), evidence=evidence, report_markdown=""))
    return whole
