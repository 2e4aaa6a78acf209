"""Predictions and snapshots in the store: by digest, whole or not there, found again by whoever may."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np
import pytest

from mlops_ci.edge import archives, files, tables
from mlops_ci.edge.git import Repository
from mlops_ci.edge.stores import folder
from mlops_ci.errors import ExitCode, OutsideError, UsageError
from mlops_ci.flows.prune import prune
from mlops_ci.ledger.entries import with_evidence
from mlops_ci.packaging.manifest import manifest
from mlops_ci.records.data import Profile, SnapshotInfo
from mlops_ci.records.evaluation import Factor, Holdout, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.tables import Column, Kind, Table
from mlops_ci.steps import ledger, store_items, stores
from mlops_ci.steps.case import Asked, settle
from mlops_ci.steps.project import Project, open_project
from mlops_ci.steps.prune import Rule
from mlops_ci.steps.rescore import table_at
from mlops_ci.steps.snapshot import Snapshot
from mlops_ci.steps.tombstones import tombstone
from tests.helpers import bare, commit, git, repo, tree
from tests.integration.elsewhere import Trouble
from tests.integration.test_releases import SETTINGS, entry

if TYPE_CHECKING:
    from mlops_ci.records.stores import ItemKind, StoredItem
    from tests.integration.elsewhere import Elsewhere, Verb

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


IGNORED = ".mlops-ci/\n"


def silent(text: str) -> None:
    """Nobody is told."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repo(tmp_path / "r", {"mlops.yaml": SETTINGS, ".gitignore": IGNORED})


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


def content(item: Path) -> dict[str, bytes]:
    return {path.relative_to(item).as_posix(): path.read_bytes() for path in item.rglob("*") if path.is_file()}


def found(project: Project, item: StoredItem) -> dict[str, bytes]:
    there = stores.find(project, item.digest, silent, kind="predictions")
    assert there
    return content(there)


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


def test_only_a_bundle_may_have_a_signature_beside_it(root: Path) -> None:
    project, item = open_project(root), _kept(root)
    (root / ".mlops-ci/store/predictions" / item.digest / "model.sig").write_bytes(b"{}")
    with pytest.raises(UsageError, match=r"model\.sig is not listed"):
        stores.find(project, item.digest, silent, kind="predictions")
    with pytest.raises(OutsideError, match=r"model\.sig is not listed"):
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


def test_a_trusted_job_keeps_the_table_only_where_git_alone_makes_it(tmp_path: Path) -> None:
    """It runs nothing of the project, and says why there is none."""
    settings = SETTINGS + "evidence: {snapshot: store}\n"
    rows = "late,rain\n" + "".join(f"{number % 2},{number}\n" for number in range(50))
    tracked = {"data/rows.csv": rows, "prepare.py": "", ".gitignore": IGNORED}
    here = repo(tmp_path / "t", {"mlops.yaml": settings, **tracked})
    laid, why = table_at(settle(open_project(here), Asked()), until=time.monotonic() + 60)
    assert (laid is not None, why) == (True, None)
    commit(here, {"mlops.yaml": settings.replace("late}", "late, prepare: prepare:made}")}, "By the project's own code")
    laid, why = table_at(settle(open_project(here), Asked()), until=time.monotonic() + 60)
    assert (laid, why and why.status) == (None, Status.SKIPPED)
    assert why
    assert why.message.endswith("it cannot be read here: prepare:made is the project's own code")
    commit(here, {"mlops.yaml": SETTINGS}, "Not asked for")
    assert table_at(settle(open_project(here), Asked()), until=time.monotonic() + 60) == (None, None)


def test_each_table_is_one_of_its_own_and_whole(root: Path) -> None:
    """Of another snapshot it is another; where a part of its rows is kept apart, these are in it too."""
    project, made = open_project(root), snapshot()
    other = msgspec.structs.replace(made, info=msgspec.structs.replace(made.info, digest="e" * 32))
    assert store_items.laid_snapshot(project, made).item != store_items.laid_snapshot(project, other).item
    few = msgspec.structs.replace(made.table, rows=0, columns=())
    apart = msgspec.structs.replace(made, table=few, gate_part=cast("Any", SimpleNamespace(whole=made)))
    apart = msgspec.structs.replace(apart, info=msgspec.structs.replace(made.info, digest="f" * 32))
    laid = store_items.laid_snapshot(project, apart)
    assert tables.read({"rows": (laid.folder / "table.parquet",)}, None).rows == made.table.rows


# Elsewhere


REFUSED, BROKEN, CLOSED, CUT = Trouble(403), Trouble(503), Trouble(), Trouble(cut=True)


def clone(tmp_path: Path, name: str, elsewhere: Elsewhere) -> Project:
    """A machine that has nothing of the store yet."""
    return open_project(repo(tmp_path / name, {"mlops.yaml": f"{SETTINGS}store: {elsewhere.setting}\n"}))


def both(project: Project) -> dict[ItemKind, StoredItem]:
    """Rows and a prepared table, put into the store."""
    laid = store_items.laid_snapshot(project, snapshot())
    stores.keep(project, laid.folder, laid.item.digest, silent, kind="snapshot")
    return {"predictions": store_items.keep_rows(project, ARRAYS, HOLDOUT, silent), "snapshot": laid.item}


def test_another_clone_gets_by_digest_what_was_put(tmp_path: Path, elsewhere: Elsewhere) -> None:
    project, there = clone(tmp_path, "here", elsewhere), clone(tmp_path, "there", elsewhere)
    for kind, item in both(project).items():
        assert stores.find(there, "0" * 64, silent, kind=kind) is None
        fetched = stores.find(there, item.digest, silent, kind=kind)
        assert fetched is not None
        assert fetched.is_relative_to(there.root)
        assert content(fetched) == content(folder.place(stores.local_folder(project), item.digest, kind=kind))
        assert files.sha256(fetched / "manifest.json") == item.digest


@pytest.mark.parametrize(
    ("verb", "trouble"),
    [("put", REFUSED), ("put", BROKEN), ("put", CLOSED), ("get", REFUSED)],
    ids=["refused", "broken", "closed", "not-read-back"],
)
def test_what_was_not_put_and_read_back_is_told_and_the_next_run_does_it(
    tmp_path: Path, elsewhere: Elsewhere, verb: Verb, trouble: Trouble
) -> None:
    project, there = clone(tmp_path, "here", elsewhere), clone(tmp_path, "there", elsewhere)
    named = store_items.rows_item(ARRAYS, HOLDOUT)
    elsewhere.fails(verb, trouble)
    with pytest.raises(OutsideError) as stopped:
        store_items.keep_rows(project, ARRAYS, HOLDOUT, silent)
    assert stopped.value.exit_code is ExitCode.OUTSIDE
    assert stopped.value.advice
    elsewhere.heals()
    if verb == "put":
        assert stores.find(there, named.digest, silent, kind="predictions") is None
    assert store_items.keep_rows(project, ARRAYS, HOLDOUT, silent) == named
    assert "labels.npy" in found(there, named)


@pytest.mark.parametrize("trouble", [REFUSED, CLOSED, CUT], ids=["refused", "closed", "cut"])
def test_what_was_not_fetched_whole_is_not_here_and_the_next_run_fetches_it(
    tmp_path: Path, elsewhere: Elsewhere, trouble: Trouble
) -> None:
    named = both(clone(tmp_path, "here", elsewhere))["predictions"]
    there = clone(tmp_path, "there", elsewhere)
    elsewhere.fails("get", trouble)
    with pytest.raises(OutsideError) as stopped:
        stores.find(there, named.digest, silent, kind="predictions")
    assert stopped.value.exit_code is ExitCode.OUTSIDE
    assert not folder.place(stores.local_folder(there), named.digest, kind="predictions").exists()
    elsewhere.heals()
    assert "labels.npy" in found(there, named)


def test_another_item_under_its_digest_is_not_let_in(tmp_path: Path, elsewhere: Elsewhere) -> None:
    """Nor does it pass for what is put there."""
    project, there = clone(tmp_path, "here", elsewhere), clone(tmp_path, "there", elsewhere)
    named, place = store_items.rows_item(ARRAYS, HOLDOUT), stores.remote_store(project)
    assert place
    other = tree({"labels.npy": b"better", "manifest.json": manifest({"labels.npy": b"better"})}, tmp_path / "other")
    archives.pack(other, tmp_path / "other.zip")
    place.put(stores.archive_name(named.digest, kind="predictions"), tmp_path / "other.zip")
    with pytest.raises(
        OutsideError, match=f"holds as predictions {named.digest[:12]} is something else: manifest.json"
    ):
        stores.find(there, named.digest, silent, kind="predictions")
    assert not (there.root / ".mlops-ci/store/predictions").exists()
    with pytest.raises(OutsideError, match=r"is not the (file|artifact) that was put there"):
        store_items.keep_rows(project, ARRAYS, HOLDOUT, silent)


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


def test_a_run_that_is_broken_off_is_finished_by_the_next(root: Path, tmp_path: Path, elsewhere: Elsewhere) -> None:
    """What was to go is nowhere then, and what stays is fetched by others as before."""
    commit(root, {"mlops.yaml": f"{SETTINGS}store: {elsewhere.setting}\n"}, "elsewhere")
    bare(root, tmp_path / "origin.git")
    rows = {number: rows_of(root, number) for number in (1, 2)}
    bundles = {number: released(root, number, rows[number], "") for number in (1, 2)}
    git(root, "push", "--quiet", "origin", "mlops-reports")
    rule = Rule(keep=1, days=30)
    elsewhere.fails("remove", REFUSED, nth=2)
    with pytest.raises(OutsideError):
        prune(root, rule, do=True)
    elsewhere.heals()
    told = tombstone(Repository.open(root), rows[1].digest)
    assert told, "written down first"
    there = clone(tmp_path, "there", elsewhere)
    place = stores.remote_store(there)
    assert place
    assert told.store == place.place
    assert [(each.kind, each.digest) for each in prune(root, rule, do=True).goes] == [("predictions", rows[1].digest)]
    names = {number: (f"bundle-{bundles[number]}", f"predictions-{rows[number].digest}") for number in (1, 2)}
    assert [place.size(name) for name in names[1]] == [None, None]
    assert all(place.size(name) for name in names[2])
    assert stores.find(there, rows[1].digest, silent, kind="predictions") is None
    assert "labels.npy" in found(there, rows[2])
    assert not prune(root, rule, do=True).goes
