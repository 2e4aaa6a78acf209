"""What runs where, with 5,000 releases and 20,000 decisions, beside `gto show` with 5,000 tags (gto.readthedocs.io)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import environments
from mlops_ci.config import environment_file
from mlops_ci.edge import branches
from mlops_ci.edge.git import Repository
from mlops_ci.ledger import entries, names
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.ledger.statements import decision_id
from mlops_ci.records.decisions import Change, Decision, DecisionKind, Evidence, JudgeRef, RunInfo, Subject, Trust
from mlops_ci.records.environments import ReleaseRef
from mlops_ci.records.outcomes import Outcome
from mlops_ci.records.releases import Release

_RELEASES = 5_000
_CHECKS_EACH = 3
_A_COMMIT = 250
_ROUNDS = 7
"""Of ours; gto takes minutes and is asked once."""
_MOST = 0.5
"""Seconds that `status` may take."""
_SETTINGS = """version: 1
project: flights
task: classification
data: {sources: {rows: data/rows.csv}, target: late}
environments: {dev: {}, staging: {after: dev}, production: {after: staging}}
"""
_RUN = RunInfo(
    started="2026-01-01T00:00:00Z", seconds=1.0, timings={}, restored=(), host="desk", python="3.11", mlops_ci="0.1.0"
)
_NAME = {
    **{f"GIT_{who}_NAME": "Ada Example" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _ledger(Path(folder) / "ours"), _tags(Path(folder) / "theirs")
        gto = environments.made(Path(folder) / "env", "gto").with_name("gto")
        tool = str(Path(sys.executable).parent / "mlops-ci")
        commands = {
            "mlops-ci status": (ours, [tool, "status"]),
            "mlops-ci why production": (ours, [tool, "why", "production"]),
            "mlops-ci history": (ours, [tool, "history"]),
            "gto show": (theirs, [str(gto), "show"]),
        }
        medians = {}
        for name, (root, command) in commands.items():
            rounds = 1 if name.startswith("gto") else _ROUNDS
            medians[name] = sorted(_seconds(root, command) for _ in range(rounds))[rounds // 2]
    print(f"{_RELEASES:,} releases and {_RELEASES * (_CHECKS_EACH + 1):,} decisions; {_RELEASES:,} tags")
    for name, median in medians.items():
        print(f"{name:<26} {median:.3f} s   gto takes {medians['gto show'] / median:.1f} x")
    fast = medians["mlops-ci status"] < _MOST
    print(f"{'holds' if fast else 'DOES NOT HOLD'}: status under {_MOST} s")
    return 0 if fast else 1


def _seconds(root: Path, command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=root, capture_output=True, check=True)
    return time.perf_counter() - started


def _git(root: Path, *arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=root, input=stdin, capture_output=True, check=True, env=os.environ | _NAME
    )
    return done.stdout.decode().strip()


def _ledger(root: Path) -> Path:
    """A project whose production runs the newest of its releases."""
    root.mkdir()
    _git(root, "init", "--quiet", "--initial-branch=main")
    (root / "mlops.yaml").write_text(_SETTINGS, encoding="utf-8")
    newest = _write(root)
    for name in ("dev", "staging", "production"):
        path = root / environment_file.path(name)
        path.parent.mkdir(exist_ok=True)
        ref = ReleaseRef(release=newest.release, bundle=newest.bundle)
        path.write_text(environment_file.written(None, ref, newest.decision, None, file=path.name), encoding="utf-8")
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "-m", "All of it")
    return root


def _write(root: Path) -> Release:
    """The ledger, some hundred decisions a commit; its last release."""
    repository, files, last = Repository.open(root), dict[str, bytes](), None
    for number, release in enumerate(_releases(files), 1):
        last = release
        if number % _A_COMMIT == 0:
            branches.write_branch(repository, names.BRANCH, files, message=f"up to {number}")
            files.clear()
    assert last is not None
    return last


def _releases(files: dict[str, bytes]) -> Iterator[Release]:
    """Release by release; what each adds to the ledger goes into `files`."""
    for number in range(1, _RELEASES + 1):
        for turn in range(_CHECKS_EACH):
            checked = _decision(number, DecisionKind.CHECK, f"check {turn}")
            _add(files, checked, None)
        made = with_evidence(_decision(number, DecisionKind.RELEASE, f"v{number}"), Evidence())
        release = Release(
            version=1,
            project="flights",
            release=f"v{number}",
            bundle=f"{number:064x}",
            decision=decision_id(made),
            judged=decision_id(with_evidence(checked, Evidence())),
            commit=f"{number:040x}",
        )
        _add(files, made, release)
        yield release


def _add(files: dict[str, bytes], decision: Decision, release: Release | None) -> None:
    entry = Entry(
        decision=with_evidence(decision, Evidence()),
        run=_RUN,
        evidence=Evidence(),
        report_markdown=f"### {decision.reason}\n",
        release=release,
    )
    files.update(entries.files(entry))


def _decision(number: int, kind: DecisionKind, reason: str) -> Decision:
    digest = f"{number:064x}"
    subject = Subject(
        commit=digest[-40:],
        tree=digest[-40:],
        data=digest[-32:],
        params=digest,
        environment="",
        commit_time=f"20{number % 20 + 10}-{number % 12 + 1:02}-{number % 28 + 1:02}T12:00:00Z",
        commit_title=f"change {number}",
    )
    return Decision(
        kind=kind,
        project="flights",
        outcome=Outcome.PASSED,
        trust=Trust.DESK,
        subject=subject,
        base="",
        champion=None,
        change=Change(),
        judge=JudgeRef(commit=digest[-40:], digest=digest, version="0.1.0", source="head"),
        gates=(),
        metrics=(),
        checks=(),
        evidence={},
        reason=reason,
    )


def _tags(root: Path) -> Path:
    """A repository with as many versions of one artifact as `gto register` writes them: annotated tags."""
    root.mkdir()
    _git(root, "init", "--quiet", "--initial-branch=main")
    _git(root, "commit", "--quiet", "--allow-empty", "-m", "first")
    head, lines = _git(root, "rev-parse", "HEAD"), []
    for number in range(1, _RELEASES + 1):
        words, seconds = f"Registering artifact flights version v0.0.{number}", 1_700_000_000 + number
        lines.append(
            f"tag flights@v0.0.{number}\nfrom {head}\ntagger Ada Example <ada@example.org> {seconds} +0000\n"
            f"data {len(words)}\n{words}\n"
        )
    _git(root, "fast-import", "--quiet", stdin="".join(lines).encode())
    return root


if __name__ == "__main__":
    sys.exit(main())
