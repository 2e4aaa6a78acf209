"""A small ledger where `verify` has everything to look at: rows, a waiver, bundles in the store, moves, a rollback."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mlops_ci import __version__
from mlops_ci.config import load, waivers
from mlops_ci.edge.git import Repository
from mlops_ci.flows.promote import promote
from mlops_ci.gates import grammar
from mlops_ci.gates.judge import judge
from mlops_ci.gates.waivers import waive
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.ledger.holdouts import ids_file
from mlops_ci.ledger.names import BRANCH
from mlops_ci.ledger.statements import decision_id, encode, parse_statement
from mlops_ci.promotion.rules import Way
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.decisions import Change, Decision, DecisionKind, Evidence, JudgeRef, Look, Subject, Trust
from mlops_ci.records.evaluation import Factor, Holdout, MetricValue, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.releases import BundleInfo, Parity, Release
from mlops_ci.records.results import Part, Result
from mlops_ci.steps import ledger
from mlops_ci.steps.decide import outcome_of
from mlops_ci.steps.given import predictions_digest
from mlops_ci.steps.holdout import ids_digest
from mlops_ci.steps.progress import Silent
from mlops_ci.steps.promotion import Wish
from mlops_ci.steps.verdicts import asked_of
from tests.helpers import DATE, git, repo, run_info

WAIVED = "recall >= 0.99"
SETTINGS = f"""version: 1
project: flights
task: classification
data: {{sources: {{rows: data/rows.csv}}, target: late, id: [id]}}
gates:
  - roc_auc >= 0.72
  - accuracy >= 0.6 @ 95%
  - recall[origin=JFK] >= 0.3
  - data.rows >= 100
  - {WAIVED}
environments:
  dev: {{}}
  production: {{after: dev, gates: [roc_auc >= 0.7]}}
"""
WAIVERS = f"""version: 1
waivers:
  - {{gate: {WAIVED}, reason: the sensors of May, owner: Ada Example, until: 2024-06-01}}
"""
ROWS = 240


def project(path: Path) -> Path:
    """Two releases that went to production one after the other, and back to the first."""
    root = repo(path, {"mlops.yaml": SETTINGS, "waivers.yaml": WAIVERS, ".gitignore": ".mlops-ci/\n"})
    git(root, "config", "user.name", "Ada Example")
    git(root, "config", "user.email", "ada@example.org")
    for number in (1, 2):
        release(root, number, checked(root, number))
        for name in ("dev", "production"):
            move(root, name, f"v{number}")
    move(root, "production", "v1", reason="too slow", back=True, emergency=True)
    return root


def move(root: Path, environment: str, release: str, **more: Any) -> str:
    """The decision that moved it, by a commit here."""
    moved = promote(root, Wish(environment=environment, release=release, way=Way.COMMIT, **more), Silent())
    assert moved.carried is not None, moved.story and moved.story.decision.reason
    assert moved.story is not None
    return moved.story.decision_id


def rows(number: int = ROWS) -> Holdout:
    """So many held-out rows, the same each time."""
    ids = np.arange(number, dtype=np.uint64) * 7 + 1
    return Holdout(
        task=Task.BINARY,
        digest=ids_digest(ids),
        ids=ids,
        truth=(np.arange(number) % 3 == 0).astype(np.int32),
        classes=("no", "yes"),
        slices={"origin": Factor(codes=(np.arange(number) % 2).astype(np.int32), values=("EWR", "JFK"))},
    )


def checked(
    root: Path, number: int, *, change: Callable[[Decision], Decision] = lambda one: one, commit: str = ""
) -> Decision:
    """A check of the first commit, or of another, with its rows, judged and recorded."""
    entry = check_entry(root, number, change=change, commit=commit)
    ledger.record(Repository.open(root), entry)
    return entry.decision


def check_entry(
    root: Path,
    number: int,
    *,
    change: Callable[[Decision], Decision] = lambda one: one,
    commit: str = "",
    many: int = ROWS,
) -> Entry:
    """The same, not recorded. many: held-out rows."""
    holdout, facts = rows(many), {"data.rows": 1000.0}
    noise = np.random.default_rng(number).uniform(0, 1, many)
    scores = (0.4 * holdout.truth + 0.6 * noise).astype(np.float32)
    labels = (scores >= 0.5).astype(np.int32)
    digest = predictions_digest(labels, scores)
    asked = asked_of(
        holdout,
        Predictions(digest=digest, labels=labels, scores=scores),
        None,
        anchor=None,
        model="",
        facts=facts,
        missing_facts={},
        own=(),
    )
    gates = tuple(grammar.parse(one.text) for one in load.parse(SETTINGS, file="mlops.yaml").gates)
    verdicts, _ = waive(judge(gates, asked), waivers.parse(WAIVERS), day=DATE[:10])
    commit = commit or git(root, "rev-list", "--max-parents=0", "main")
    look = Look(holdout=holdout.digest, predictions=digest, project="flights", rows=ids_file(holdout.ids)[0])
    evidence = Evidence(holdout=holdout.digest, predictions=digest, look=look, looks=1, facts=facts)
    results = (Result(check="nulls", part=Part.DATA, status=Status.PASSED, message="no column has new gaps"),)
    made = Decision(
        kind=DecisionKind.CHECK,
        project="flights",
        outcome=outcome_of(verdicts, results),
        trust=Trust.DESK,
        subject=Subject(
            commit=commit,
            tree=git(root, "rev-parse", f"{commit}^{{tree}}"),
            data="",
            params="",
            environment="",
            commit_time=Repository.open(root).commit_info(commit).committed,
            commit_title="first",
        ),
        base="",
        champion=None,
        change=Change(),
        judge=JudgeRef(commit=commit, digest="0" * 64, version=__version__, source="head"),
        gates=verdicts,
        metrics=(MetricValue(metric="roc_auc", value=0.9, champion=None),),
        checks=results,
        evidence={},
    )
    arrays = {"labels": labels, "scores": scores}
    made = with_evidence(change(made), evidence, arrays, holdout)
    return Entry(
        decision=made,
        run=run_info(),
        evidence=evidence,
        report_markdown=f"# Report {number}\n",
        arrays=arrays,
        holdout=holdout,
        ids=holdout.ids,
    )


def release(root: Path, number: int, judged: Decision, *, name: int = 0, project: str = "flights") -> Release:
    """Its bundle is in the store. name: the number it takes, where that is another."""
    digest = bundle(root, number)
    named = name or number
    parity = Parity(rows=ROWS, labels_differ=0, largest_difference=0.0, tolerance=1e-5, worst_row=None, hunted={})
    info = BundleInfo(
        digest=digest,
        format="onnx",
        bytes=1,
        files=1,
        fingerprint="f" * 64,
        tried=(),
        parity=parity,
        decision=decision_id(judged),
        number=named,
    )
    evidence = Evidence(bundle=info)
    bare = msgspec.structs.replace(judged, kind=DecisionKind.RELEASE, gates=(), metrics=(), project=project)
    made = with_evidence(msgspec.structs.replace(bare, reason=f"v{named}"), evidence)
    found = Release(
        version=1,
        project=project,
        release=f"v{named}",
        bundle=digest,
        decision=decision_id(made),
        judged=decision_id(judged),
        commit=judged.subject.commit,
    )
    entry = Entry(decision=made, run=run_info(), evidence=evidence, report_markdown="# Release\n", release=found)
    ledger.record(Repository.open(root), entry)
    return found


def bundle(root: Path, number: int) -> str:
    """The digest of a folder in the store with one file and a manifest."""
    content = f"model {number}\n".encode()
    listed = {"model.onnx": {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}}
    manifest = canonical_json({"version": 1, "files": listed})
    digest = hashlib.sha256(manifest).hexdigest()
    folder = root / ".mlops-ci" / "store" / "bundles" / digest
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    (folder / "manifest.json").write_bytes(manifest)
    return digest


class Ledger:
    """A ledger as who may write its branch can change it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def paths(self, beginning: str = "", ending: str = "") -> list[str]:
        listed = git(self.root, "ls-tree", "-r", "--name-only", BRANCH).splitlines()
        return [path for path in listed if path.startswith(beginning) and path.endswith(ending)]

    def read(self, path: str) -> bytes:
        done = subprocess.run(
            ["git", "cat-file", "blob", f"{BRANCH}:{path}"], cwd=self.root, capture_output=True, check=True
        )
        return done.stdout

    def folder(self, kind: str, number: int = 0) -> str:
        """Of a decision of that kind, by the order of their ids."""
        found = [path for path in self.paths("decisions/", "/decision.json") if self.predicate(path)["kind"] == kind]
        return found[number].removesuffix("/decision.json")

    def predicate(self, path: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.read(path))["predicate"]
        return found

    def write(self, files: Mapping[str, bytes | None], *, forced: bool = True) -> None:
        """Change or remove (None) files. forced: with a new history in which they were never otherwise."""
        index = self.root / ".git" / "tampering"
        environment = {**os.environ, "GIT_INDEX_FILE": str(index)}

        def run(*arguments: str, stdin: bytes = b"") -> str:
            done = subprocess.run(
                ["git", *arguments], cwd=self.root, env=environment, input=stdin, capture_output=True, check=True
            )
            return done.stdout.decode().strip()

        run("read-tree", BRANCH)
        for path, data in files.items():
            if data is None:
                run("rm", "--quiet", "--cached", path)
            else:
                blob = run("hash-object", "-w", "--stdin", stdin=data)
                run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        parents = () if forced else ("-p", BRANCH)
        commit = git(self.root, "commit-tree", run("write-tree"), *parents, "-m", "tampered")
        git(self.root, "update-ref", f"refs/heads/{BRANCH}", commit)
        index.unlink()

    def swap(self, one: str, other: str) -> None:
        self.write({one: self.read(other), other: self.read(one)})

    def forge(
        self,
        folder: str,
        change: Callable[[Decision], Decision] = lambda one: one,
        *,
        evidence: Callable[[Evidence], Evidence] = lambda one: one,
        files: Mapping[str, bytes] | None = None,
    ) -> str:
        """A decision changed, with its evidence or other files of it, under the id it then has; its new folder."""
        kept = evidence(msgspec.json.decode(self.read(f"{folder}/evidence/evidence.json"), type=Evidence))
        content = {"evidence.json": canonical_json(kept), **(files or {})}
        made = parse_statement(self.read(f"{folder}/decision.json"))
        digests = made.evidence | {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
        return self.replace(folder, encode(change(msgspec.structs.replace(made, evidence=digests))), content)

    def replace(self, folder: str, data: bytes, evidence: Mapping[str, bytes]) -> str:
        """Other bytes of a decision.json, in the folder of their digest."""
        new = f"{folder.rpartition('/')[0]}/{hashlib.sha256(data).hexdigest()}"
        moved: dict[str, bytes | None] = {}
        for path in self.paths(f"{folder}/"):
            moved[path] = None
            moved[path.replace(folder, new)] = self.read(path)
        made = {f"{new}/evidence/{name}": content for name, content in evidence.items()}
        self.write(moved | made | {f"{new}/decision.json": data})
        return new
