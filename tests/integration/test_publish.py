"""Decisions in the remote's ledger: pushed on top of what it has, whoever was faster; never by force."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.edge.git import Repository
from mlops_ci.edge.remote import push
from mlops_ci.errors import OutsideError
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.records.decisions import Evidence
from mlops_ci.steps import ledger, publish
from tests.helpers import bare, decision, git, repo, run_info


def entry(number: int) -> Entry:
    evidence = Evidence(predictions=f"{number:064x}")
    made = with_evidence(decision(number=number), evidence)
    return Entry(decision=made, run=run_info(), evidence=evidence, report_markdown="# Report\n")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare(repo(tmp_path / "origin", {"a.txt": "a"}), tmp_path / "remote.git")


def clone(remote: Path, name: str) -> Repository:
    git(remote.parent, "clone", "--quiet", str(remote), name)
    return Repository.open(remote.parent / name)


def decided(remote: Path) -> int:
    listed = git(remote, "ls-tree", "-r", "--name-only", "mlops-reports").splitlines()
    return sum(path.endswith("/decision.json") for path in listed)


def test_the_remote_gets_its_ledger_with_the_first_decision(remote: Path) -> None:
    commit = publish.publish(clone(remote, "one"), [entry(1), entry(2)])
    assert git(remote, "rev-parse", "mlops-reports") == commit
    assert decided(remote) == 2


def test_what_others_pushed_meanwhile_stays(remote: Path) -> None:
    one, other = clone(remote, "one"), clone(remote, "other")
    ledger.record(one, entry(1))  # at a desk, before there was a ledger at the remote
    publish.publish(other, [entry(2)])
    first = git(remote, "rev-parse", "mlops-reports")
    publish.publish(one, [entry(3)])
    assert decided(remote) == 3
    assert git(remote, "merge-base", "--is-ancestor", first, "mlops-reports") == ""


def test_the_same_decision_again_changes_nothing(remote: Path) -> None:
    first = publish.publish(clone(remote, "one"), [entry(1)])
    assert publish.publish(clone(remote, "other"), [entry(1)]) == first


def test_a_lost_race_is_run_again(remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = clone(remote, "one"), clone(remote, "other")
    lost = []

    def overtaken(repository: Repository, refspec: str) -> bool:
        if repository is one and not lost:
            lost.append(push(other, f"{_recorded(other)}:refs/heads/mlops-reports"))
        return push(repository, refspec)

    def _recorded(repository: Repository) -> str:
        ledger.record(repository, entry(9))
        return ledger.head(repository) or ""

    monkeypatch.setattr("mlops_ci.edge.remote.push", overtaken)
    publish.publish(one, [entry(1)])
    assert lost == [True]
    assert decided(remote) == 2


def test_a_remote_that_refuses_says_why_and_is_not_asked_again(remote: Path) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'GH006: Protected branch update failed' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(OutsideError, match="Protected branch") as refused:
        publish.publish(clone(remote, "one"), [entry(1)])
    assert "contents: write" in refused.value.advice


def test_without_a_remote_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="no remote"):
        publish.publish(Repository.open(repo(tmp_path / "alone", {"a.txt": "a"})), [entry(1)])
