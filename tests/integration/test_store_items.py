"""Predictions and snapshots in the store: by digest, whole or not there, found again by whoever may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from mlops_ci.edge import files, tables
from mlops_ci.edge.git import Repository
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.flows.prune import prune
from mlops_ci.ledger.entries import with_evidence
from mlops_ci.packaging.manifest import manifest
from mlops_ci.records.data import Profile, SnapshotInfo
from mlops_ci.records.evaluation import Factor, Holdout, Task
from mlops_ci.records.tables import Column, Kind, Table
from mlops_ci.steps import ledger, store_items, stores
from mlops_ci.steps.project import Project, open_project
from mlops_ci.steps.prune import Rule
from mlops_ci.steps.snapshot import Snapshot
from mlops_ci.steps.tombstones import tombstone
from tests.github.fake import FakeGitHub
from tests.helpers import bare, git, repo, tree
from tests.integration.test_releases import SETTINGS, entry

if TYPE_CHECKING:
    from mlops_ci.records.stores import StoredItem

IDS = np.array([3, 5, 2**63 + 9], dtype=np.uint64)
HOLDOUT = Holdout(
    task=Task.BINARY,
    digest="ab" * 32,
    ids=IDS,
    truth=np.array([0, 1, 1], dtype=np.int32),
    classes=("no", "yes"),
    slices={"origin": Factor(codes=np.array([0, 0, 1], dtype=np.int32), values=("EWR", "JFK"))},
)
ARRAYS = {
    "labels": np.array([0, 1, 0], dtype=np.int32),
    "scores": np.array([0.1, 0.8, 0.4], dtype=np.float32),
    "features": np.array([7, 8, 9], dtype=np.uint64),
}


def silent(text: str) -> None:
    """Nobody is told."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repo(tmp_path / "r", {"mlops.yaml": SETTINGS, ".gitignore": ".mlops-ci/\n"})


def snapshot() -> Snapshot:
    table = Table(
        rows=2,
        columns=(
            Column(
                name='it\'s a "name"; --', kind=Kind.TEXT, values=np.array([0, -1], dtype=np.int32), categories=("é",)
            ),
            Column(name="late", kind=Kind.INTEGER, values=np.array([0, 1], dtype=np.int64)),
        ),
    )
    info = SnapshotInfo(
        digest="d" * 32,
        rows=2,
        train_rows=1,
        holdout_rows=1,
        columns=tuple((each.name, each.kind) for each in table.columns),
        split="by row",
        sources=(),
        dropped_missing_target=0,
    )
    return Snapshot(
        info=info,
        table=table,
        holdout=np.array([False, True]),
        ids=np.array([1, 2], dtype=np.uint64),
        profile=Profile(rows=2, columns=()),
        folder=Path(),
    )


def found(project: Project, item: StoredItem) -> dict[str, bytes]:
    folder = stores.find(project, item.digest, silent, kind="predictions")
    assert folder
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_rows_are_named_before_they_are_there(root: Path) -> None:
    project = open_project(root)
    named = store_items.rows_item(ARRAYS, HOLDOUT)
    assert stores.find(project, named.digest, silent, kind="predictions") is None
    assert store_items.keep_rows(project, ARRAYS, HOLDOUT, silent) == named
    assert store_items.keep_rows(project, ARRAYS, HOLDOUT, silent) == named, "the same again changes nothing"
    content = found(project, named)
    assert sum(map(len, content.values())) == named.bytes
    assert {name.partition("-")[0].rpartition("/")[2] for name in content} == {
        *("manifest.json", "labels.npy", "scores.npy", "features.npy"),
        *("index", "ids", "truth", "slice"),
    }
    other = {**ARRAYS, "labels": np.array([0, 1, 1], dtype=np.int32)}
    assert store_items.rows_item(other, HOLDOUT).digest != named.digest


def test_rows_in_the_store_are_those_a_decision_pins(root: Path) -> None:
    """Name by name and digest by digest, so that whoever has the decision can compare."""
    made = entry(1, "b" * 64).decision
    pinned = with_evidence(made, entry(1, "b" * 64).evidence, ARRAYS, HOLDOUT).evidence
    folder = stores.find(open_project(root), _kept(root).digest, silent, kind="predictions")
    assert folder
    assert {name: files.sha256(folder / name) for name in pinned if name != "evidence.json"} == {
        name: digest for name, digest in pinned.items() if name != "evidence.json"
    }


def _kept(root: Path) -> StoredItem:
    return store_items.keep_rows(open_project(root), ARRAYS, HOLDOUT, silent)


def test_a_changed_item_is_refused(root: Path) -> None:
    project, item = open_project(root), _kept(root)
    place = root / ".mlops-ci/store/predictions" / item.digest
    (place / "labels.npy").write_bytes(b"better")
    with pytest.raises(UsageError, match=f"predictions {item.digest[:12]} was changed: labels.npy was changed"):
        stores.find(project, item.digest, silent, kind="predictions")
    with pytest.raises(OutsideError, match=r"not what was put there: labels\.npy was changed"):
        _kept(root)


def test_what_was_cut_off_is_not_there_and_the_next_run_puts_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path) -> str:
        raise KeyboardInterrupt(path)

    with monkeypatch.context() as cut:
        cut.setattr("mlops_ci.edge.files._flush_all", killed)
        with pytest.raises(KeyboardInterrupt):
            _kept(root)
    named = store_items.rows_item(ARRAYS, HOLDOUT)
    assert stores.find(open_project(root), named.digest, silent, kind="predictions") is None
    assert _kept(root) == named


def test_the_prepared_table_comes_back_as_it_was(root: Path) -> None:
    project, made = open_project(root), snapshot()
    laid = store_items.laid_snapshot(project, made)
    stores.keep(project, laid.folder, laid.item.digest, silent, kind="snapshot")
    folder = stores.find(project, laid.item.digest, silent, kind="snapshot")
    assert folder == root / ".mlops-ci/store/snapshots" / laid.item.digest
    back = tables.read({"rows": (folder / "table.parquet",)}, None)
    assert back.names == made.table.names
    assert [column.values.tolist() for column in back.columns] == [[0, -1], [0, 1]]
    assert back.columns[0].categories == ("é",)
    assert msgspec.json.decode((folder / "snapshot.json").read_bytes(), type=SnapshotInfo) == made.info
    assert store_items.laid_snapshot(project, made) == laid, "restored"
    (laid.folder / "table.parquet").write_bytes(b"")
    with pytest.raises(UsageError, match=r"table\.parquet was changed"):
        store_items.laid_snapshot(project, made)


# Elsewhere


def test_another_clone_fetches_it_and_what_is_another_is_not_let_in(
    root: Path, tmp_path: Path, hub: FakeGitHub
) -> None:
    tree({"mlops.yaml": SETTINGS + "store: github-release\n"}, root)
    hub.fail("POST", "/releases/[0-9]+/assets", status=403)
    with pytest.raises(OutsideError):
        _kept(root)
    assert not hub.state.releases, "what was cut off is not there"
    item = _kept(root)
    (release,) = hub.state.releases.values()
    assert (release.tag, release.draft) == (f"mlops-ci-predictions-{item.digest}", False)
    there = repo(tmp_path / "there", {"mlops.yaml": SETTINGS + "store: github-release\n"})
    assert "labels.npy" in found(open_project(there), item)
    again = repo(tmp_path / "again", {"mlops.yaml": SETTINGS + "store: github-release\n"})
    release.assets[0] = msgspec.structs.replace(release.assets[0], content=b"no zip")
    with pytest.raises(OutsideError, match=f"holds as predictions {item.digest[:12]} is something else: it is no zip"):
        found(open_project(again), item)
    assert not (again / ".mlops-ci/store/predictions").exists()


# Making room


def released(root: Path, number: int, rows: StoredItem, snapshot: str) -> str:
    """A release with all that belongs to it; the digest of its bundle."""
    made = root.parent / f"made{number}"
    content = {"model.onnx": f"model {number}".encode()}
    listed = manifest(content)
    tree({**content, "manifest.json": listed}, made)
    digest = files.sha256(made / "manifest.json")
    stores.keep(open_project(root), made, digest, silent)
    plain = entry(number, digest)
    assert plain.release
    named = msgspec.structs.replace(plain.release, predictions=rows.digest, snapshot=snapshot)
    ledger.record(Repository.open(root), msgspec.structs.replace(plain, release=named))
    return digest


def rows_of(root: Path, number: int) -> StoredItem:
    arrays = {**ARRAYS, "scores": np.array([0.1, 0.8, number / 10], dtype=np.float32)}
    return store_items.keep_rows(open_project(root), arrays, HOLDOUT, silent)


def test_what_a_kept_release_names_stays(root: Path) -> None:
    """Predictions and snapshot go with the bundle, unless a newer release names the same."""
    project = open_project(root)
    laid = store_items.laid_snapshot(project, snapshot())
    stores.keep(project, laid.folder, laid.item.digest, silent, kind="snapshot")
    rows = {number: rows_of(root, number) for number in (1, 2, 3)}
    bundles = {number: released(root, number, rows[number], laid.item.digest) for number in (1, 2, 3)}
    rule = Rule(keep=2, days=30)
    shown = prune(root, rule, do=False)
    assert [(each.kind, each.digest) for each in shown.goes] == [
        ("bundle", bundles[1]),
        ("predictions", rows[1].digest),
    ]
    done = prune(root, rule, do=True)
    assert done.bytes == shown.bytes
    place = root / ".mlops-ci/store"
    assert sorted(path.name for path in (place / "predictions").iterdir()) == sorted(
        rows[number].digest for number in (2, 3)
    )
    assert [path.name for path in (place / "snapshots").iterdir()] == [laid.item.digest]
    told = tombstone(project.repository, rows[1].digest)
    assert told
    assert (told.kind, told.releases, told.store) == ("predictions", ("v1",), ".mlops-ci/store")
    assert "kind" not in json.loads(git(root, "show", f"mlops-reports:erased/{bundles[1]}.json"))
    assert not prune(root, rule, do=True).goes


def test_a_run_that_is_broken_off_is_finished_by_the_next(root: Path, tmp_path: Path, hub: FakeGitHub) -> None:
    tree({"mlops.yaml": SETTINGS + "store: github-release\n"}, root)
    git(root, "commit", "--quiet", "-am", "elsewhere")
    bare(root, tmp_path / "origin.git")
    rows = {number: rows_of(root, number) for number in (1, 2)}
    bundles = {number: released(root, number, rows[number], "") for number in (1, 2)}
    git(root, "push", "--quiet", "origin", "mlops-reports")
    rule = Rule(keep=1, days=30)
    hub.fail("DELETE", "/releases/[0-9]+", status=403, nth=2)
    with pytest.raises(OutsideError):
        prune(root, rule, do=True)
    assert tombstone(Repository.open(root), rows[1].digest), "written down first"
    prune(root, rule, do=True)
    assert {each.tag for each in hub.state.releases.values()} == {
        f"mlops-ci-bundle-{bundles[2]}",
        f"mlops-ci-predictions-{rows[2].digest}",
    }
