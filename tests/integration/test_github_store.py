"""Bundles in GitHub releases: whole or not there, read back, fetched by another clone, and what goes wrong."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_ci.edge import archives, files, patience
from mlops_ci.edge.git import Repository
from mlops_ci.edge.github import access, transport
from mlops_ci.edge.github.client import GitHub
from mlops_ci.edge.stores.github_release import GitHubReleases
from mlops_ci.errors import ConfigError, ExitCode, MlopsCiError, OutsideError, UsageError
from mlops_ci.steps import ledger, stores
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.project import open_project
from tests.github.fake import FakeGitHub
from tests.github.state import Asset, Release
from tests.helpers import bare, git, repo, tree
from tests.integration.test_releases import SETTINGS, bundle, entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKFLOW = """\
name: mlops release
on: workflow_dispatch
permissions: {}
jobs:
  release: {permissions: {contents: write}}
  deploy: {permissions: {contents: read}}
"""
TIME = "2026-01-01T00:00:00Z"
UPLOAD = "/releases/[0-9]+/assets"
NAME = "bundle-" + "a" * 64


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    tree({"mlops-release.yml": WORKFLOW}, tmp_path / "workflows")
    with FakeGitHub(tmp_path / "workflows") as github:
        yield github


@pytest.fixture
def connect(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], GitHubReleases]:
    def of_job(job: str) -> GitHubReleases:
        for name, value in fake.environment("mlops-release.yml", job).items():
            monkeypatch.setenv(name, value)
        by = access.from_environment()
        quick = patience.Time(sleep=lambda seconds: None)
        return GitHubReleases(GitHub(by, transport.Transport(by, quick)))

    return of_job


@pytest.fixture
def store(connect: Callable[[str], GitHubReleases]) -> GitHubReleases:
    return connect("release")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "a.zip").write_bytes(b"PK" + bytes(range(256)) * 400)
    return tmp_path / "a.zip"


def kept(fake: FakeGitHub) -> list[tuple[str, bool, bool, list[bytes]]]:
    """Tag, draft, shown as the latest, files: of every release there is."""
    return [
        (each.tag, each.draft, each.latest, [file.content for file in each.assets if file.state == "uploaded"])
        for each in fake.state.releases.values()
    ]


def whole(archive: Path) -> list[tuple[str, bool, bool, list[bytes]]]:
    return [(f"mlops-ci-{NAME}", False, False, [archive.read_bytes()])]


def gives_back(store: GitHubReleases, archive: Path) -> bool:
    into = archive.with_name("back.zip")
    return store.fetch(NAME, into, limit=1 << 20) and into.read_bytes() == archive.read_bytes()


def test_what_was_put_is_fetched_by_a_job_that_may_only_read(
    fake: FakeGitHub, connect: Callable[[str], GitHubReleases], archive: Path
) -> None:
    connect("release").put(NAME, archive)
    assert kept(fake) == whole(archive)
    assert "authorization" not in fake.asked("GET", "/storage/.*")[0].headers
    reader = connect("deploy")
    assert gives_back(reader, archive)
    assert not reader.fetch("bundle-" + "b" * 64, archive.with_name("none"), limit=10)
    with pytest.raises(OutsideError, match=r"403.*Resource not accessible"):
        reader.put("bundle-" + "b" * 64, archive)
    assert kept(fake) == whole(archive)


def test_put_twice_it_is_sent_once(fake: FakeGitHub, store: GitHubReleases, archive: Path) -> None:
    store.put(NAME, archive)
    store.put(NAME, archive)
    assert kept(fake) == whole(archive)
    assert len(fake.asked("POST", UPLOAD)) == 1
    assert len(fake.asked("GET", "/storage/.*")) == 2


@pytest.mark.parametrize(
    "fault", [{"status": 502}, {"closed": True}, {"lost": True}, {"cut": True}], ids=lambda fault: next(iter(fault))
)
def test_an_upload_that_fails_is_looked_up_and_tried_again(
    fake: FakeGitHub, store: GitHubReleases, archive: Path, fault: dict[str, Any]
) -> None:
    fake.fail("POST", UPLOAD, **fault)
    store.put(NAME, archive)
    assert kept(fake) == whole(archive)


def test_half_a_file_is_removed_and_sent_again(fake: FakeGitHub, store: GitHubReleases, archive: Path) -> None:
    """GitHub keeps the name of an upload that broke off, so that the next of that name is refused."""

    def half() -> None:
        [draft] = fake.state.releases.values()
        draft.assets.append(Asset(id=77, name=f"{NAME}.zip", content=b"", state="open"))

    fake.fail("POST", UPLOAD, status=502, meanwhile=half)
    store.put(NAME, archive)
    assert kept(fake) == whole(archive)
    assert len(fake.asked("DELETE", "/releases/assets/77")) == 1


@pytest.mark.parametrize(
    ("method", "path", "fault"),
    [
        ("POST", "/releases", {"status": 500}),
        ("POST", UPLOAD, {"status": 502, "times": 9}),
        ("POST", UPLOAD, {"status": 422, "times": 9}),
        ("POST", UPLOAD, {"closed": True, "times": 9}),
        ("GET", "/storage/.*", {"status": 404, "times": 9}),
        ("PATCH", "/releases/[0-9]+", {"status": 500, "times": 9}),
        ("PATCH", "/releases/[0-9]+", {"status": 422}),
    ],
)
def test_what_cannot_be_kept_leaves_nothing_behind_and_the_next_run_does_it(
    fake: FakeGitHub, store: GitHubReleases, archive: Path, *, method: str, path: str, fault: dict[str, Any]
) -> None:
    fake.fail(method, path, **fault)
    with pytest.raises(OutsideError) as stopped:
        store.put(NAME, archive)
    assert stopped.value.exit_code is ExitCode.OUTSIDE
    assert stopped.value.advice
    assert kept(fake) == []
    fake.faults.clear()
    store.put(NAME, archive)
    assert kept(fake) == whole(archive)


@pytest.mark.parametrize("same", [True, False])
def test_who_publishes_second_takes_what_is_there(
    fake: FakeGitHub, store: GitHubReleases, archive: Path, *, same: bool
) -> None:
    def other() -> None:
        file = Asset(id=78, name=f"{NAME}.zip", content=archive.read_bytes() if same else b"other")
        fake.state.releases[79] = Release(id=79, tag=f"mlops-ci-{NAME}", created_at=TIME, assets=[file])

    fake.fail("PATCH", "/releases/[0-9]+", meanwhile=other)
    if same:
        store.put(NAME, archive)
        assert kept(fake) == whole(archive)
    else:
        with pytest.raises(OutsideError, match="is not the file that was put there"):
            store.put(NAME, archive)
    assert list(fake.state.releases) == [79]


PUT = """
import sys
from pathlib import Path
from mlops_ci.edge.github import access
from mlops_ci.edge.github.client import GitHub
from mlops_ci.edge.stores.github_release import GitHubReleases
GitHubReleases(GitHub(access.from_environment())).put(sys.argv[1], Path(sys.argv[2]))
"""


@pytest.mark.parametrize(("method", "path", "sent"), [("POST", UPLOAD, 0), ("PATCH", "/releases/[0-9]+", 1)])
def test_a_draft_that_a_killed_run_left_is_replaced_by_the_next(
    fake: FakeGitHub, store: GitHubReleases, archive: Path, *, method: str, path: str, sent: int
) -> None:
    """Killed before it sent the file, or before it published it: nothing of that can be cleaned up by itself."""
    others = "bundle-" + "b" * 64
    fake.state.releases[78] = Release(id=78, tag=f"mlops-ci-{others}", draft=True, created_at=TIME)
    fake.state.releases[79] = Release(id=79, tag="v1", draft=True, created_at=TIME)
    running: list[subprocess.Popen[bytes]] = []
    fake.fail(method, path, meanwhile=lambda: running[0].kill(), closed=True)
    running.append(subprocess.Popen([sys.executable, "-c", PUT, NAME, str(archive)]))
    assert running[0].wait(60) == -signal.SIGKILL
    assert [(draft, len(files)) for tag, draft, _, files in kept(fake) if tag == f"mlops-ci-{NAME}"] == [(True, sent)]
    assert not store.fetch(NAME, archive.with_name("none"), limit=10)
    assert store.size(NAME) is None
    store.put(NAME, archive)
    assert gives_back(store, archive)
    for stranger in (78, 79):
        assert fake.state.releases.pop(stranger).draft, "of another file, or a person's"
    assert kept(fake) == whole(archive)


def test_a_run_whose_draft_another_removed_takes_what_that_published(
    fake: FakeGitHub, connect: Callable[[str], GitHubReleases], archive: Path
) -> None:
    fake.fail("POST", UPLOAD, meanwhile=lambda: connect("release").put(NAME, archive))
    connect("release").put(NAME, archive)
    assert kept(fake) == whole(archive)


def test_a_draft_that_stayed_goes_with_what_is_removed(fake: FakeGitHub, store: GitHubReleases, archive: Path) -> None:
    fake.fail("GET", "/releases", status=403)
    fake.state.releases[79] = Release(id=79, tag=f"mlops-ci-{NAME}", draft=True, created_at=TIME)
    store.put(NAME, archive)
    assert [draft for _, draft, *_ in kept(fake)] == [True, False]
    store.remove(NAME)
    assert kept(fake) == []


def test_a_release_that_lost_its_file_gets_it_back_unless_it_is_immutable(
    fake: FakeGitHub, store: GitHubReleases, archive: Path
) -> None:
    fake.state.releases[79] = Release(id=79, tag=f"mlops-ci-{NAME}", created_at=TIME)
    assert not store.fetch(NAME, archive.with_name("none"), limit=10)
    fake.state.immutable_releases = True
    with pytest.raises(OutsideError, match="immutable release"):
        store.put(NAME, archive)
    fake.state.immutable_releases = False
    store.put(NAME, archive)
    assert kept(fake) == whole(archive)


def test_the_token_is_sent_to_the_same_github_only(
    fake: FakeGitHub, store: GitHubReleases, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake.state, "uploads", "https://uploads.evil.example")
    with pytest.raises(OutsideError, match="files are to be sent to another host"):
        store.put(NAME, archive)
    assert kept(fake) == []


# Bundles


def project(tmp_path: Path) -> Path:
    root = repo(tmp_path / "r", {"mlops.yaml": SETTINGS + "store: github-release\n"})
    bare(root, tmp_path / "origin.git")
    return root


def clone(tmp_path: Path) -> Path:
    git(tmp_path / "r", "push", "--quiet", "origin", "mlops-reports")
    git(tmp_path, "clone", "--quiet", "origin.git", "elsewhere")
    return tmp_path / "elsewhere"


@pytest.fixture
def desk(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> FakeGitHub:
    for name, value in fake.environment("mlops-release.yml", "release").items():
        monkeypatch.setenv(name, value)
    return fake


def test_a_release_is_served_from_another_clone(desk: FakeGitHub, tmp_path: Path) -> None:
    root = project(tmp_path)
    digest = bundle(tmp_path / "made")
    said: list[str] = []
    put = stores.keep(open_project(root), tmp_path / "made", digest, said.append)
    assert put.place == "the GitHub releases of acme/ml"
    ledger.record(Repository.open(root), entry(1, digest))
    there = clone(tmp_path)
    found = find_bundle(there, "v1", said.append)
    assert found == (there / ".mlops-ci/store/bundles" / digest, "v1")
    assert {path.name: path.read_bytes() for path in found.folder.iterdir() if path.is_file()} == {
        path.name: path.read_bytes() for path in put.folder.iterdir() if path.is_file()
    }
    assert said == [
        "sending the bundle to the GitHub releases of acme/ml",
        f"fetching bundle {digest[:12]} from the GitHub releases of acme/ml",
    ]
    fetched = len(desk.requests)
    assert find_bundle(there, "", said.append) == found
    assert len(desk.requests) == fetched


def zipped(*entries: tuple[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, data in entries:
            made.writestr(name, data)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no zip", "it is no zip file that can be read"),
        (zipped(("../../escaped", b"x")), "it holds a file named '../../escaped'"),
        (zipped(("a", b"x"), ("A", b"x")), "it holds a file twice"),
        (zipped(("manifest.json", b"{}")), "manifest.json has another digest"),
    ],
)
def test_what_is_no_bundle_is_not_let_in(desk: FakeGitHub, tmp_path: Path, content: bytes, said: str) -> None:
    root = project(tmp_path)
    digest = bundle(tmp_path / "made")
    ledger.record(Repository.open(root), entry(1, digest))
    name = f"bundle-{digest}"
    file = Asset(id=80, name=f"{name}.zip", content=content)
    desk.state.releases[81] = Release(id=81, tag=f"mlops-ci-{name}", created_at=TIME, assets=[file])
    with pytest.raises(OutsideError) as stopped:
        find_bundle(root, "v1", print)
    assert said in stopped.value.message
    assert "release again" in stopped.value.advice
    assert not (root / ".mlops-ci/store/bundles").exists()
    assert not (tmp_path / "escaped").exists()
    desk.state.releases.clear()
    with pytest.raises(UsageError, match="is not in the store"):
        find_bundle(root, "v1", print)


def test_without_a_repository_on_github_it_says_which_variable_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    with pytest.raises(MlopsCiError, match="no repository on GitHub is named"):
        stores.remote_store(open_project(project(tmp_path)))


@pytest.mark.parametrize(
    "store", ["ftp://host/x", "github-releases://x", "oci", "oci://ghcr.io", "oci://ghcr.io/Acme/x", "oci://h/a:latest"]
)
def test_a_store_that_is_not_known_is_refused(tmp_path: Path, store: str) -> None:
    with pytest.raises(ConfigError, match=r"mlops\.yaml:5: store: found"):
        open_project(repo(tmp_path / "r", {"mlops.yaml": f"{SETTINGS}store: {store}\n"}))


def test_the_same_folder_is_the_same_archive(tmp_path: Path) -> None:
    """In whatever order it was written, with whatever rights, on another day."""
    content = {"model.onnx": b"model" * 1000, "serve/__init__.py": b"", "a/b/c.txt": b"c"}
    for name, order in (("one", [*content]), ("two", [*content][::-1])):
        tree({file: content[file] for file in order}, tmp_path / name)
    (tmp_path / "two/a/b/c.txt").chmod(0o700)
    for name in ("one", "two"):
        archives.pack(tmp_path / name, tmp_path / f"{name}.zip")
    assert files.sha256(tmp_path / "one.zip") == files.sha256(tmp_path / "two.zip")
    assert files.sha256(tmp_path / "one.zip") == "ee918926076785b1e659db1e82efde7e90b32f5f1cc077e4b40582bae28b1a26"
    (tmp_path / "out").mkdir()
    archives.unpack(tmp_path / "one.zip", tmp_path / "out", most_bytes=10_000, most_files=3)
    assert {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")} == {*content}
