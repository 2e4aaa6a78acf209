"""edge.git on real repositories; afterwards git itself is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_ci.edge.git import CommitInfo, Repository
from mlops_ci.edge.remote import fetch, remote_of
from mlops_ci.errors import OutsideError, UsageError
from tests.helpers import bare, commit, git, repo, tree

HOSTILE = (
    "with space.txt",
    "quo\"te's.txt",
    "new\nline.txt",
    "tab\tand\\backslash.txt",
    "emoji-\U0001f469\u200d\U0001f52c.txt",
    "-leading-dash.txt",
    "--output=evil",
    ":(glob)magic",
    "*.star",
    "folder with space/$(touch pwned)/`id`.txt",
)


def names(changes: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {path: status for status, path in changes}


def test_a_place_without_repository_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="is not in a git repository") as caught:
        Repository.open(tmp_path)
    assert "git init" in caught.value.advice
    with pytest.raises(OutsideError, match="is not in a git repository"):
        Repository.open(tmp_path / "nowhere")


def test_a_bare_repository_has_no_files_to_judge(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"a": "1"})
    with pytest.raises(OutsideError, match="bare"):
        Repository.open(bare(root, tmp_path / "bare.git"))


def test_a_machine_without_git_is_told_to_install_it(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from mlops_ci.edge.git import Repository
from mlops_ci.errors import OutsideError
try:
    Repository.open(Path({str(tmp_path)!r}))
except OutsideError as error:
    print(error)
"""
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("git is not installed, or not on PATH\nInstall git")


def test_a_repository_without_commits_has_a_branch_and_no_head(tmp_path: Path) -> None:
    repository = Repository.open(repo(tmp_path, {}))
    assert (repository.head(), repository.branch(), repository.default_branch()) == (None, "main", "main")
    assert repository.is_clean("")
    tree({"a": "1"}, tmp_path)
    assert not repository.is_clean("")
    assert repository.worktree_files("") == ("a",)
    with pytest.raises(UsageError, match="'HEAD' names no commit"):
        repository.resolve("HEAD")


def test_git_variables_of_the_caller_do_not_send_us_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repo(tmp_path / "ours", {"a": "ours"})
    other = repo(tmp_path / "other", {"a": "other"})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git" / "objects"))
    monkeypatch.setenv("GIT_NAMESPACE", "elsewhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.worktree")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(other))
    repository = Repository.open(root)
    assert repository.root == root
    assert repository.show("HEAD", "a") == b"ours"
    assert repository.head() == git(root, "rev-parse", "HEAD")
    assert os.environ["GIT_DIR"] == str(other / ".git")


def test_many_threads_may_ask_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repo(tmp_path, {"a": "1"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    repository, found = Repository.open(root), []
    threads = [threading.Thread(target=lambda: found.append(repository.head())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [git(root, "rev-parse", "HEAD")] * 8
    assert os.environ["GIT_DIR"] == str(tmp_path / "nowhere")


def test_hooks_and_filters_of_the_repository_do_not_run_when_it_is_read(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"a": "1"})
    evil = tmp_path / "evil"
    for hook in ("fsmonitor", "reference-transaction", "post-index-change"):
        path = root / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {evil}\n")
        path.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(root / ".git" / "hooks" / "fsmonitor"))
    repository = Repository.open(root)
    assert repository.is_clean("")
    assert repository.changed_paths("HEAD", None, "") == ()
    assert not evil.exists()


@pytest.mark.parametrize("ref", ["", "-h", "--all", "nothing", "HEAD\n", "HEAD\0", "HEAD..HEAD", "0" * 40, "HEAD:a"])
def test_what_names_no_commit_is_a_usage_error(tmp_path: Path, ref: str) -> None:
    repository = Repository.open(repo(tmp_path, {"a": "1"}))
    assert repository.find(ref) is None
    with pytest.raises(UsageError, match="names no commit"):
        repository.resolve(ref)


@pytest.mark.parametrize(
    "name", ["feature/ü-\U0001f469\u200d\U0001f52c", "it's", 'quo"te', "a;b&c|d", "$(x)", "HEAD-x"]
)
def test_branches_with_hostile_names_resolve(tmp_path: Path, name: str) -> None:
    root = repo(tmp_path, {"a": "1"})
    git(root, "checkout", "--quiet", "-b", name)
    repository = Repository.open(root)
    assert repository.branch() == name
    assert repository.resolve(name) == git(root, "rev-parse", "HEAD")


def test_files_with_hostile_names_are_listed_compared_and_exported(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"plain": "1"})
    first = git(root, "rev-parse", "HEAD")
    second = commit(root, {name: name for name in HOSTILE}, "hostile")
    repository = Repository.open(root)
    assert set(repository.files(second, "")) == {"plain", *HOSTILE}
    assert set(repository.worktree_files("")) == {"plain", *HOSTILE}
    assert names(repository.changed_paths(first, second, "")) == dict.fromkeys(HOSTILE, "A")
    assert repository.export(second, "", tmp_path / "out") == ()
    for name in HOSTILE:
        assert (tmp_path / "out" / name).read_text() == name
        assert repository.show(second, name) == name.encode()


def test_a_name_that_is_not_utf_8_survives_the_way_there_and_back(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {})
    name = os.fsdecode(b"caf\xe9.txt")
    commit(root, {name: "1"}, "latin")
    repository = Repository.open(root)
    assert repository.files("HEAD", "") == (name,)
    assert repository.show("HEAD", name) == b"1"


def test_changes_tell_new_gone_changed_and_a_rename_as_both(tmp_path: Path) -> None:
    root = repo(tmp_path, {"keep": "1", "change": "1", "gone": "1", "old name": "same\n" * 50})
    first = git(root, "rev-parse", "HEAD")
    files = {"change": "2", "gone": None, "old name": None, "new name": "same\n" * 50, "new": "1"}
    second = commit(root, files, "second")
    repository = Repository.open(root)
    expected = {"change": "M", "gone": "D", "old name": "D", "new name": "A", "new": "A"}
    assert names(repository.changed_paths(first, second, "")) == expected
    assert repository.changed_paths(first, first, "") == ()
    assert names(repository.changed_paths(None, first, "")) == dict.fromkeys(
        ("keep", "change", "gone", "old name"), "A"
    )


def test_changes_in_the_working_tree_are_seen_staged_or_not(tmp_path: Path) -> None:
    files = {
        ".gitignore": "ignored\n",
        "change": "1",
        "gone": "1",
        "staged": "1",
        "forgotten": "1",
        "old": "same\n" * 50,
    }
    root = repo(tmp_path, files)
    repository = Repository.open(root)
    assert repository.is_clean("")
    tree({"change": "2", "staged": "2", "new\nfile": "1", "ignored": "1", "nested/deep": "1"}, root)
    (root / "gone").unlink()
    git(root, "add", "staged")
    git(root, "mv", "old", "renamed")
    git(root, "rm", "--quiet", "--cached", "forgotten")
    tree({"forgotten": "2"}, root)
    assert not repository.is_clean("")
    assert names(repository.changed_paths("HEAD", None, "")) == {
        "change": "M",
        "gone": "D",
        "staged": "M",
        "new\nfile": "A",
        "nested/deep": "A",
        "forgotten": "M",
        "old": "D",
        "renamed": "A",
    }
    expected = (".gitignore", "change", "forgotten", "nested/deep", "new\nfile", "renamed", "staged")
    assert repository.worktree_files("") == expected


def test_a_project_in_a_subfolder_is_seen_alone(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"a/in": "1", "ab/out": "1", "top": "1"})
    first = git(root, "rev-parse", "HEAD")
    second = commit(root, {"a/in": "2", "ab/out": "2"}, "second")
    tree({"ab/untracked": "1"}, root)
    repository = Repository.open(root / "a")
    assert repository.root == root
    assert repository.is_clean("a")
    assert not repository.is_clean("ab")
    assert repository.files(second, "a") == ("in",)
    assert repository.worktree_files("a") == ("in",)
    assert repository.changed_paths(first, second, "a") == (("M", "in"),)
    assert repository.changed_paths(first, None, "a") == (("M", "in"),)
    assert repository.tree(second, "a") == git(root, "rev-parse", "HEAD:a")
    assert repository.tree(second, "") == git(root, "rev-parse", "HEAD^{tree}")
    assert repository.show(second, "a/in") == b"2"
    repository.export(second, "a", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["in"]


def test_a_folder_or_file_that_a_commit_does_not_have_is_an_answer_but_a_commit_is_not(tmp_path: Path) -> None:
    repository = Repository.open(repo(tmp_path, {"folder/a": "1"}))
    assert (repository.tree("HEAD", "nowhere"), repository.files("HEAD", "nowhere")) == ("", ())
    assert repository.show("HEAD", "nowhere") is None
    assert repository.show("HEAD", "folder") is None
    for question in (repository.tree, repository.files, repository.show):
        with pytest.raises(UsageError, match="names no commit"):
            question("1" * 40, "folder")


def test_an_export_is_byte_for_byte_with_modes_and_without_links_that_lead_outside(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {".gitattributes": "* text=auto eol=crlf export-subst\n/secret export-ignore\n"})
    content = bytes(range(256)) * 5000
    tree(
        {"binary": content, "text": "one\ntwo $Format:%H$\n", "secret": "1", "a/b/c/d": "1", "run.sh": "#!/bin/sh\n"},
        root,
    )
    (root / "run.sh").chmod(0o755)
    for name, target in (
        ("inside", "text"),
        ("absolute", "/etc/passwd"),
        ("above", "../above"),
        ("a/b/c/root", "../../.."),
        ("sneaky", "a/b/c/root/../above"),
    ):
        (root / name).symlink_to(target)
    commit(root, {}, "all kinds")
    out = tmp_path / "out"
    out.mkdir()
    assert Repository.open(root).export("HEAD", "", out) == ("above", "absolute", "sneaky")
    assert not any(os.path.lexists(out / name) for name in ("above", "absolute", "sneaky"))
    assert (out / "binary").read_bytes() == content
    assert (out / "text").read_bytes() == b"one\ntwo $Format:%H$\n"
    assert (out / "secret").exists()
    assert os.access(out / "run.sh", os.X_OK)
    assert not os.access(out / "text", os.X_OK)
    assert (out / "inside").readlink() == Path("text")
    assert (out / "a/b/c/root").is_symlink()


def test_a_commit_made_by_hand_cannot_write_outside_the_folder(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"a": "1"})
    blob = git(root, "rev-parse", "HEAD:a")
    inner = git(root, "mktree", stdin=f"100644 blob {blob}\tevil\n".encode())
    for name in ("..", ".git"):
        evil = git(root, "mktree", stdin=f"040000 tree {inner}\t{name}\n".encode())
        made = git(root, "commit-tree", evil, "-m", "evil")
        with pytest.raises(OutsideError, match="would not check out"):
            Repository.open(root).export(made, "", tmp_path / "out")
    assert not (tmp_path / "evil").exists()


def test_a_link_and_a_folder_of_the_same_name_do_not_lead_outside(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"a": "1"})
    blob = git(root, "rev-parse", "HEAD:a")
    link = git(root, "hash-object", "-w", "--stdin", stdin=str(tmp_path / "outside").encode())
    inner = git(root, "mktree", stdin=f"100644 blob {blob}\tevil\n".encode())
    lines = f"120000 blob {link}\tsame\n040000 tree {inner}\tsame\n"
    made = git(root, "commit-tree", git(root, "mktree", stdin=lines.encode()), "-m", "evil")
    (tmp_path / "outside").mkdir()
    with pytest.raises(OutsideError, match="of the same name"):
        Repository.open(root).export(made, "", tmp_path / "out")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_submodule_is_left_out_of_an_export(tmp_path: Path) -> None:
    other = repo(tmp_path / "other", {"a": "1"})
    root = repo(tmp_path / "work", {"b": "1"})
    git(root, "submodule", "--quiet", "add", str(other), "module")
    commit(root, {}, "module")
    repository = Repository.open(root)
    assert repository.export("HEAD", "", tmp_path / "out") == ("module",)
    assert repository.worktree_files("") == (".gitmodules", "b")


def test_ancestry_is_what_git_says(tmp_path: Path) -> None:
    root = repo(tmp_path, {"a": "1"})
    first = git(root, "rev-parse", "HEAD")
    git(root, "checkout", "--quiet", "-b", "side")
    side = commit(root, {"b": "1"}, "side", date="2024-05-02T00:00:00Z")
    git(root, "checkout", "--quiet", "main")
    main = commit(root, {"c": "1"}, "main", date="2024-05-03T00:00:00Z")
    git(root, "merge", "--quiet", "--no-ff", "--message", "merge", "side", date="2024-05-04T00:00:00Z")
    git(root, "checkout", "--quiet", "--orphan", "alone")
    alone = commit(root, {}, "alone")
    repository = Repository.open(root)
    assert repository.parents("main") == (main, side)
    assert repository.parents(first) == ()
    assert repository.merge_base(main, "side") == first
    assert repository.merge_base("main", alone) is None
    assert repository.is_ancestor(side, "main")
    assert repository.is_ancestor("main", "main")
    assert not repository.is_ancestor("main", side)
    with repository.ancestors("main") as commits:
        assert list(commits) == [repository.resolve("main"), main, side, first]


def test_reading_ancestors_stops_git_when_enough_is_known(tmp_path: Path) -> None:
    root = repo(tmp_path, {})
    lines = (f"commit refs/heads/main\ncommitter a <a@a> {number} +0000\ndata 1\nx\n" for number in range(20_000))
    git(root, "fast-import", "--quiet", stdin="".join(lines).encode())
    repository = Repository.open(root)
    with repository.ancestors("main") as commits:
        assert next(commits) == repository.resolve("main")
    done = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, check=False)
    assert b"git" not in done.stdout


def test_what_a_commit_says_about_itself(tmp_path: Path) -> None:
    root = repo(tmp_path, {"a": "1"})
    title = 'ti"tle \U0001f680 with\ttab'
    sha = commit(root, {"a": "2"}, f"{title}\n\nbody\n", date="2024-02-29T23:30:00-02:00")
    assert Repository.open(root).commit_info("HEAD") == CommitInfo(
        sha=sha, title=title, author="Ada Example", committed="2024-03-01T01:30:00Z"
    )


def test_the_default_branch_is_the_remotes_then_main_then_master_then_this_one(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"a": "1"})
    git(root, "branch", "--move", "trunk")
    repository = Repository.open(root)
    assert repository.default_branch() == "trunk"
    git(root, "branch", "master")
    assert repository.default_branch() == "master"
    git(root, "branch", "main")
    assert repository.default_branch() == "main"
    bare(root, tmp_path / "bare.git")
    git(root, "remote", "set-head", "origin", "trunk")
    assert repository.default_branch() == "trunk"
    git(root, "checkout", "--quiet", "--detach")
    assert repository.branch() is None


def test_a_remote_is_named_without_its_password(tmp_path: Path) -> None:
    root = repo(tmp_path, {"a": "1"})
    repository = Repository.open(root)
    assert remote_of(repository) is None
    git(root, "remote", "add", "upstream", "https://example.org/other.git")
    git(root, "remote", "add", "origin", "https://user:s3cret@example.org/acme/ml.git")
    remote = remote_of(repository)
    assert remote is not None
    assert (remote.name, remote.url) == ("origin", "https://example.org/acme/ml.git")


def test_a_shallow_clone_knows_it_and_can_fetch_what_is_missing(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"a": "1"})
    first = git(root, "rev-parse", "HEAD")
    commit(root, {"a": "2"}, "second")
    origin = bare(root, tmp_path / "bare.git")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{origin}", "shallow")
    repository = Repository.open(tmp_path / "shallow")
    assert repository.is_shallow()
    assert repository.parents("HEAD") == ()
    with pytest.raises(UsageError, match="names no commit") as caught:
        repository.show(first, "a")
    assert "shallow" in caught.value.advice
    assert fetch(repository, "main", unshallow=True)
    assert not repository.is_shallow()
    assert repository.parents("HEAD") == (first,)


def test_fetching_tells_a_ref_that_is_not_there_from_a_remote_that_is_not_there(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"a": "1"})
    repository = Repository.open(root)
    with pytest.raises(OutsideError, match="no remote"):
        fetch(repository, "main")
    origin = bare(root, tmp_path / "bare.git")
    assert fetch(repository, "main")
    assert not fetch(repository, "refs/heads/nothing")
    with pytest.raises(UsageError, match="git can fetch"):
        fetch(repository, "--upload-pack=touch pwned")
    origin.rename(tmp_path / "away.git")
    with pytest.raises(OutsideError, match="git fetch failed") as caught:
        fetch(repository, "main")
    assert "Check the network" in caught.value.advice


def test_a_linked_worktree_is_a_repository_of_its_own_files(tmp_path: Path) -> None:
    root = repo(tmp_path / "work", {"a": "1"})
    git(root, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    sha = commit(tmp_path / "linked", {"a": "2"}, "side")
    repository = Repository.open(tmp_path / "linked")
    assert (repository.root, repository.branch(), repository.head()) == (tmp_path / "linked", "side", sha)
    assert repository.show("HEAD", "a") == b"2"
    assert repository.is_clean("")


def test_a_damaged_repository_is_the_outside_worlds_fault(tmp_path: Path) -> None:
    root = repo(tmp_path, {"a": "content"})
    blob = git(root, "rev-parse", "HEAD:a")
    path = root / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    repository = Repository.open(root)
    with pytest.raises(OutsideError):
        repository.show("HEAD", "a")
    with pytest.raises(OutsideError):
        repository.export("HEAD", "", tmp_path / "out")
    path.unlink()
    with pytest.raises(OutsideError):
        repository.export("HEAD", "", tmp_path / "out2")
