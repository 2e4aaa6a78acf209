"""Numbers of releases: each is taken once, whoever asks at the same time; the store gives back what was put in."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import msgspec
import pytest

from mlops_ci.edge import store
from mlops_ci.edge.git import Repository
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.packaging.manifest import digest, manifest
from mlops_ci.records.decisions import DecisionKind, Evidence
from mlops_ci.records.releases import Release
from mlops_ci.steps import ledger, releases
from mlops_ci.steps.bundles import find_bundle
from tests.helpers import decision, git, repo, run_info, tree

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """version: 1
project: flights
task: classification
data: {sources: {rows: data/rows.csv}, target: late}
"""


def entry(number: int, bundle: str) -> Entry:
    evidence = Evidence()
    made = msgspec.structs.replace(decision(), kind=DecisionKind.RELEASE, reason=f"v{number} {bundle}")
    return Entry(
        decision=with_evidence(made, evidence),
        run=run_info(),
        evidence=evidence,
        report_markdown="",
        charts={},
        release=Release(
            version=1,
            project="flights",
            release=f"v{number}",
            bundle=bundle,
            decision="d" * 64,
            judged="e" * 64,
            commit="c" * 40,
        ),
    )


def take(root: Path, bundle: str) -> None:
    releases.record_release(Repository.open(root), "flights", lambda number: entry(number, bundle))


def test_ten_at_once_get_ten_numbers(tmp_path: Path) -> None:
    root = repo(tmp_path / "r", {"mlops.yaml": SETTINGS})
    bundles = [f"{place:064x}" for place in range(10)]
    context = multiprocessing.get_context("fork")
    at_once = [context.Process(target=take, args=(root, bundle)) for bundle in bundles]
    for process in at_once:
        process.start()
    for process in at_once:
        process.join(120)
    assert [process.exitcode for process in at_once] == [0] * 10
    found = releases.releases(Repository.open(root), "flights")
    assert list(found) == list(range(1, 11))
    assert sorted(one.bundle for one in found.values()) == bundles
    listed = git(root, "ls-tree", "-r", "--name-only", "mlops-reports").splitlines()
    assert sum(path.startswith("releases/flights/v") for path in listed) == 10
    assert len(ledger.history(Repository.open(root))) == 10


def test_a_number_that_is_taken_is_never_written_over(tmp_path: Path) -> None:
    root = repo(tmp_path / "r", {"mlops.yaml": SETTINGS})
    repository = Repository.open(root)
    ledger.record(repository, entry(1, "a" * 64))
    with pytest.raises(ledger.NumberTakenError):
        ledger.record(repository, entry(1, "b" * 64))
    assert releases.releases(repository, "flights")[1].bundle == "a" * 64
    assert releases.of_bundle(repository, "flights", "b" * 64) is None
    assert len(ledger.history(repository)) == 1


def bundle(folder: Path) -> str:
    files = {"model.onnx": b"model", "serve/a.py": b"1"}
    content = {**files, "manifest.json": manifest(files)}
    tree(content, folder)
    return digest(content["manifest.json"])


def test_the_store_gives_back_what_was_put_in(tmp_path: Path) -> None:
    name = bundle(tmp_path / "made")
    place = store.put(tmp_path / "store", tmp_path / "made", name)
    assert store.put(tmp_path / "store", tmp_path / "made", name) == place
    assert store.damage(place, name) == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda root: (root / "model.onnx").write_bytes(b"other"), "model.onnx was changed"),
        (lambda root: (root / "serve/a.py").unlink(), "serve/a.py is missing"),
        (lambda root: (root / "extra").write_bytes(b""), "extra is not listed"),
        (lambda root: (root / "manifest.json").write_bytes(b"{}"), "manifest.json has another digest"),
        (lambda root: (root / "manifest.json").unlink(), "manifest.json cannot be read (No such file or directory)"),
        (lambda root: (root / "link").symlink_to("/etc/passwd"), "link is not listed"),
    ],
)
def test_a_changed_bundle_is_named(tmp_path: Path, change: object, told: str) -> None:
    name = bundle(tmp_path / "made")
    place = store.put(tmp_path / "store", tmp_path / "made", name)
    change(place)  # type: ignore[operator]
    assert store.damage(place, name) == told
    with pytest.raises(OutsideError, match="not the one that was put there"):
        store.put(tmp_path / "store", tmp_path / "made", name)


def test_a_bundle_is_found_by_its_release(tmp_path: Path) -> None:
    root = repo(tmp_path / "r", {"mlops.yaml": SETTINGS})
    name = bundle(tmp_path / "made")
    with pytest.raises(UsageError, match="has no release yet"):
        find_bundle(root, "")
    ledger.record(Repository.open(root), entry(1, name))
    with pytest.raises(UsageError, match="not in the store"):
        find_bundle(root, "v1")
    place = store.put(root / ".mlops-ci/store", tmp_path / "made", name)
    assert [find_bundle(root, asked) for asked in ("", "v1", "flights/v1")] == [(place, "v1")] * 3
    assert find_bundle(tmp_path, "made") == (tmp_path / "made", "")
    with pytest.raises(UsageError, match="has no release v2"):
        find_bundle(root, "v2")
    with pytest.raises(UsageError, match="is no bundle"):
        find_bundle(root, "../../etc")
    (place / "model.onnx").write_bytes(b"other")
    with pytest.raises(UsageError, match="was changed: model"):
        find_bundle(root, "v1")
