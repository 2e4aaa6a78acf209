"""Numbers of releases: each is taken once, whoever asks at the same time; the store gives back what was put in."""

from __future__ import annotations

import json
import multiprocessing
from typing import TYPE_CHECKING

import msgspec
import pytest

from mlops_ci.edge.git import Repository
from mlops_ci.edge.remote import push
from mlops_ci.edge.stores import folder as store
from mlops_ci.errors import OutsideError, UsageError, UserCodeError
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.packaging.manifest import digest, manifest
from mlops_ci.records.decisions import DecisionKind, Evidence
from mlops_ci.records.releases import Release
from mlops_ci.steps import ledger, releases
from mlops_ci.steps.bundle import _require_keepable
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.publish import bring_in
from tests.helpers import bare, decision, git, repo, run_info, tree

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
    files = {"model.onnx": b"model", "serve/a.py": b"1", ".python-version": b"3.12\n"}
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
    with pytest.raises(OutsideError, match="not what was put there"):
        store.put(tmp_path / "store", tmp_path / "made", name)


@pytest.mark.parametrize("name", [".hidden", "model/a b.bin", "code/\u00e9.py", "model/A.bin", "/".join("abcdefghi")])
def test_what_no_archive_gives_back_is_no_bundle(name: str) -> None:
    """A store elsewhere, or the next job, would refuse it."""
    fine = {"model/a.bin", ".python-version", "code/pipeline/__init__.py"}
    _require_keepable(fine)
    with pytest.raises(UserCodeError, match="the bundle would hold a file named"):
        _require_keepable({*fine, name})


def test_a_bundle_is_found_by_its_release(tmp_path: Path) -> None:
    root = repo(tmp_path / "r", {"mlops.yaml": SETTINGS})
    name = bundle(tmp_path / "made")
    with pytest.raises(UsageError, match="has no release yet"):
        find_bundle(root, "", print)
    ledger.record(Repository.open(root), entry(1, name))
    with pytest.raises(UsageError, match="not in the store"):
        find_bundle(root, "v1", print)
    place = store.put(root / ".mlops-ci/store", tmp_path / "made", name)
    assert [find_bundle(root, asked, print) for asked in ("", "v1", "flights/v1")] == [(place, "v1")] * 3
    assert find_bundle(tmp_path, "made", print) == (tmp_path / "made", "")
    (tmp_path / "link").symlink_to(tmp_path / "made")
    assert find_bundle(tmp_path, "link", print) == (tmp_path / "made", "")
    assert find_bundle(tmp_path, "link", print, keep_link=True) == (tmp_path / "link", "")
    with pytest.raises(UsageError, match="has no release v2"):
        find_bundle(root, "v2", print)
    with pytest.raises(UsageError, match="is no bundle"):
        find_bundle(root, "../../etc", print)
    (place / "model.onnx").write_bytes(b"other")
    with pytest.raises(UsageError, match="was changed: model"):
        find_bundle(root, "v1", print)


def clone(remote: Path, name: str) -> Repository:
    git(remote.parent, "clone", "--quiet", str(remote), name)
    return Repository.open(remote.parent / name)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare(repo(tmp_path / "origin", {"mlops.yaml": SETTINGS}), tmp_path / "remote.git")


def numbers_of(remote: Path) -> dict[str, str]:
    """File -> bundle, of the releases that the remote's ledger holds."""
    names = git(remote, "ls-tree", "-r", "--name-only", "mlops-reports", "releases").splitlines()
    return {
        name.rpartition("/")[2]: json.loads(git(remote, "show", f"mlops-reports:{name}"))["bundle"] for name in names
    }


def push_release(repository: Repository, bundle: str) -> Entry | None:
    return releases.record_release(repository, "flights", lambda number: entry(number, bundle), push=True)


def test_two_clones_at_once_get_two_numbers_of_the_remote(remote: Path) -> None:
    bundles = {name: f"{place:064x}" for place, name in enumerate(("one", "other", "third"))}
    clones = {name: clone(remote, name) for name in bundles}
    context = multiprocessing.get_context("fork")
    at_once = [context.Process(target=push_release, args=(clones[name], bundles[name])) for name in bundles]
    for process in at_once:
        process.start()
    for process in at_once:
        process.join(120)
    assert [process.exitcode for process in at_once] == [0] * 3
    assert sorted(numbers_of(remote)) == ["v1.json", "v2.json", "v3.json"]
    assert sorted(numbers_of(remote).values()) == sorted(bundles.values())


def test_whoever_loses_the_race_takes_the_next_number_and_leaves_no_other(
    remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = clone(remote, "one"), clone(remote, "other")
    real, raced = push, []

    def overtaken(repository: Repository, refspec: str) -> bool:
        if repository is one and not raced:
            raced.append(True)
            push_release(other, "b" * 64)
        return real(repository, refspec)

    monkeypatch.setattr("mlops_ci.edge.remote.push", overtaken)
    made = push_release(one, "a" * 64)
    assert made is not None
    assert made.release is not None
    assert made.release.release == "v2"
    assert numbers_of(remote) == {"v1.json": "b" * 64, "v2.json": "a" * 64}
    told = [row.verdict for row in ledger.history(one)]
    assert sorted(told) == [f"v1 {'b' * 64}", f"v2 {'a' * 64}"], "no decision speaks of a number it did not get"
    assert git(one.root, "rev-parse", "mlops-reports") == git(remote, "rev-parse", "mlops-reports")


def test_what_the_remote_refuses_got_no_number_here_either(remote: Path) -> None:
    one = clone(remote, "one")
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(OutsideError, match="refused"):
        push_release(one, "a" * 64)
    assert releases.releases(one, "flights") == {}
    assert ledger.history(one) == ()
    hook.unlink()
    push_release(one, "a" * 64)
    assert numbers_of(remote) == {"v1.json": "a" * 64}


def test_killed_before_the_push_the_next_run_goes_on(remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number is in the ledger here and not at the remote, where somebody else may have taken it since."""
    one, other = clone(remote, "one"), clone(remote, "other")
    ledger.record(one, entry(1, "a" * 64))
    push_release(other, "b" * 64)

    def make(number: int) -> Entry | None:
        return None if releases.of_bundle(one, "flights", "a" * 64) else entry(number, "a" * 64)

    bring_in(one)
    releases.record_release(one, "flights", make, push=True)
    assert numbers_of(remote) == {"v1.json": "b" * 64, "v2.json": "a" * 64}


def test_a_desk_that_has_fetched_counts_on_from_the_remote(remote: Path) -> None:
    one, other = clone(remote, "one"), clone(remote, "other")
    ledger.record(one, entry(1, "a" * 64))
    push_release(other, "b" * 64)
    push_release(other, "c" * 64)
    ledger.fetch(one)
    made = releases.record_release(one, "flights", lambda number: entry(number, "d" * 64))
    assert made is not None
    assert made.release is not None
    assert made.release.release == "v3"
