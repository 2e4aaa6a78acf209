"""A check where git is not as it should be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.bad_input import (
    GOOD,
    TRAIN,
    Golden,
    Project,
    assert_ledger,
    assert_whole,
    bad,
    files_of,
    project,
    recovers,
    text_of,
)
from tests.helpers import git, repo, tree


def _without_repository(folder: Path) -> Project:
    made = Project(tree({name: text for name, text in GOOD.items() if text}, folder / "project"), folder / "tmp")
    made.temporary.mkdir()
    return made


def test_a_folder_that_is_no_git_repository_is_the_outside_world_with_the_way_out(
    tmp_path: Path, golden: Golden
) -> None:
    made = _without_repository(tmp_path)
    before = files_of(made.root)
    ran = made.run("check", "--json")
    assert ran.code == 3
    assert ran.document["error"]["code"] == "outside"
    golden("bad-input/not-a-repository.txt", text_of(made, ran))
    assert files_of(made.root) == before
    assert not (made.root / ".mlops-ci").exists()
    git(made.root, "init", "--quiet")
    assert made.run("check").code == 0


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path, golden: Golden) -> None:
    made = _without_repository(tmp_path)
    ran = made.run("-C", str(tmp_path / "nowhere"), "check", "--json")
    assert ran.code == 2
    golden("bad-input/no-such-folder.txt", text_of(made, ran))


def test_a_repository_without_an_mlops_yaml_is_wrong_usage(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    made.commit({"mlops.yaml": None})
    bad(made, "no-settings", golden, code=2)
    recovers(made)


def test_a_bare_repository_has_no_files_to_judge(tmp_path: Path, golden: Golden) -> None:
    made = Project(tmp_path / "project", tmp_path / "tmp")
    made.temporary.mkdir()
    git(project(tmp_path / "other").root, "clone", "--quiet", "--bare", ".", str(made.root))
    ran = made.run("check", "--json")
    assert ran.code == 3
    golden("bad-input/bare-repository.txt", text_of(made, ran))


def test_a_check_without_commits_judges_the_files_and_records_nothing(tmp_path: Path, golden: Golden) -> None:
    made = Project(repo(tmp_path / "project", {}), tmp_path / "tmp")
    tree({name: text for name, text in GOOD.items() if text}, made.root)
    told = bad(made, "no-commits", golden, code=0)
    assert told.document["subject"]["commit"] == told.document["base"] == ""
    assert told.document["subject"]["dirty"] is True
    assert told.document["reports"]["recorded"] is False
    assert git(made.root, "for-each-ref") == ""
    made.commit({})
    git(made.root, "tag", "good")
    recovers(made)
    assert len(assert_ledger(made.root)) == 1


def test_a_dirty_tree_is_judged_and_only_written_into_the_folder_of_runs(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    before = git(made.root, "for-each-ref")
    made.lay({"pipeline/train.py": TRAIN + "\n# another\n", "notes.txt": "not committed\n"})
    told = bad(made, "dirty-tree", golden, code=0)
    assert told.document["subject"]["dirty"] is True
    assert told.document["reports"]["recorded"] is False
    assert Path(told.document["reports"]["folder"]).parent == made.root / ".mlops-ci" / "runs"
    assert git(made.root, "for-each-ref") == before
    refused = made.run("record", told.document["reports"]["folder"], "--json")
    assert refused.code == 2
    assert git(made.root, "for-each-ref") == before
    recovers(made)


@pytest.mark.parametrize("branch", ["main", "feature"])
def test_a_shallow_clone_without_the_base_says_how_to_fetch_it(tmp_path: Path, golden: Golden, branch: str) -> None:
    origin = project(tmp_path / "origin")
    for number in range(2):
        origin.commit({"pipeline/train.py": f"{TRAIN}\n# main {number}\n"})
    git(origin.root, "checkout", "--quiet", "-b", "feature", "good")
    for number in range(3):
        origin.commit({"pipeline/train.py": f"{TRAIN}\n# feature {number}\n"})
    made = Project(tmp_path / "project", tmp_path / "tmp")
    # On the side branch a commit before HEAD is there, and is not what the branch began at.
    depth = {"main": "1", "feature": "2"}[branch]
    address = f"file://{origin.root}"
    git(tmp_path, "clone", "-q", "--depth", depth, "--no-single-branch", "-b", branch, address, str(made.root))
    git(made.root, "remote", "set-head", "origin", "main")
    bad(made, f"shallow-{branch}", golden, code=3)
    git(made.root, "fetch", "--quiet", "--deepen=50")
    again = made.run("check")
    assert again.code == 0, again.err
    assert_whole(made)


def test_a_project_inside_another_project_names_both(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    made.commit({f"inner/{name}": text for name, text in GOOD.items()})
    bad(made, "inside-another-project", golden, code=2, words=("-C", str(made.root / "inner"), "check"))
    recovers(made)


def test_a_commit_or_base_that_is_not_there_is_wrong_usage(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    bad(made, "no-such-base", golden, code=2, words=("check", "--base", "nowhere"))
    bad(made, "no-such-commit", golden, code=2, words=("check", "--at", "--help-me"))
    recovers(made)


def test_a_repository_that_lost_an_object_is_the_outside_world(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    made.commit({"params.yaml": "limit: 5.5\n"})
    tree_id = git(made.root, "rev-parse", "good^{tree}")
    lost = made.root / ".git" / "objects" / tree_id[:2] / tree_id[2:]
    kept = tmp_path / "kept"
    shutil.move(lost, kept)
    ran = made.run("check", "--json")
    assert ran.code == 3, ran.err
    golden("bad-input/lost-object.txt", text_of(made, ran))
    shutil.move(kept, lost)
    recovers(made)


def test_without_git_on_path_it_is_the_outside_world(
    tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = made.finish(made.start("check", "--json"))
    assert ran.code == 3, ran.err
    golden("bad-input/no-git.txt", text_of(made, ran))
    monkeypatch.undo()
