"""Who may open a change of the judge, and what an approval never opens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mlops_ci.config import codeowners
from mlops_ci.edge.git import Repository
from mlops_ci.steps.agreement import Owners
from tests.e2e.bad_input import GOOD, SETTINGS
from tests.github.judging import NUMBER, repository
from tests.helpers import git, repo

HEAD = "1" * 40
MAY = {"ada": "write", "bob": "write", "root": "admin", "gone": "read", "app[bot]": "admin"}


def agreed(
    folder: Path, owners: str | None, *reviews: tuple[str, str] | tuple[str, str, str], paths: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Who opened it, by reviews (login, state, commit) of a pull request of ada's."""
    files: Mapping[str, str | bytes] = {"x": "", **({".github/CODEOWNERS": owners} if owners else {})}
    root = repo(folder / "repository", files)
    told = [
        SimpleNamespace(login=one[0], state=one[1], commit_id=(*one, HEAD)[2], is_bot="[" in one[0]) for one in reviews
    ]
    hub = SimpleNamespace(reviews=lambda _: told, permission=lambda login: MAY.get(login, "none"))
    pull = SimpleNamespace(number=7, login="ada", head=SimpleNamespace(sha=HEAD))
    found = Owners(
        hub=cast("Any", hub),
        pull=cast("Any", pull),
        repository=Repository.open(root),
        commit=HEAD,
        tip=git(root, "rev-parse", "HEAD"),
    ).agree(paths)
    return found.by if found else None


YES, NO = "APPROVED", "CHANGES_REQUESTED"


@pytest.mark.parametrize(
    ("owners", "reviews", "by"),
    [
        ("* @bob", [("bob", YES)], ("bob",)),
        ("* @BOB", [("bob", YES)], ("bob",)),
        ("* @bob", [], None),
        ("* @bob", [("bob", YES, "2" * 40)], None),
        ("* @bob", [("bob", YES), ("bob", NO)], None),
        ("* @bob", [("bob", YES), ("bob", "DISMISSED")], None),
        ("* @bob", [("bob", YES), ("bob", "COMMENTED")], ("bob",)),
        ("* @bob", [("bob", NO), ("bob", YES)], ("bob",)),
        ("* @ada", [("ada", YES)], None),
        ("* @Ada", [("ADA", YES)], None),
        ("* @gone", [("gone", YES)], None),
        ("* @app[bot]", [("app[bot]", YES)], None),
        (None, [("app[bot]", YES)], None),
        ("* @bob", [("root", YES)], None),
        ("* @acme/owners", [("bob", YES)], None),
        ("* @acme/owners", [("root", YES)], ("root",)),
        ("* @bob bob@example.org", [("root", YES)], ("root",)),
        (None, [("bob", YES)], None),
        (None, [("root", YES)], ("root",)),
        ("* @bob\n/mlops.yaml @carol", [("bob", YES)], None),
        ("* @bob\n/mlops.yaml", [("bob", YES)], None),
        pytest.param("* @bob\n" + "#" * codeowners.LARGEST, [("bob", YES)], None, id="larger than GitHub reads it"),
    ],
)
def test_who_may_open(
    owners: str | None, reviews: list[tuple[str, str]], by: tuple[str, ...] | None, tmp_path: Path
) -> None:
    assert agreed(tmp_path, owners, *reviews, paths=("mlops.yaml",)) == by


def test_every_file_needs_an_owner(tmp_path: Path) -> None:
    owners = "/mlops.yaml @bob\n/waivers.yaml @root\n"
    paths = ("mlops.yaml", "waivers.yaml")
    assert agreed(tmp_path / "one", owners, ("bob", YES), paths=paths) is None
    assert agreed(tmp_path / "all", owners, ("bob", YES), ("root", YES), paths=paths) == ("bob", "root")
    assert agreed(tmp_path / "none", owners, ("bob", YES), paths=()) is None


def test_an_approval_opens_a_change_of_the_judge_and_nothing_else(tmp_path: Path) -> None:
    with repository(tmp_path, {**GOOD, "CODEOWNERS": "* @bob\n"}) as judging:
        state = judging.github.state
        state.permissions.update(MAY)
        wider = SETTINGS.replace("holdout: 30%", "holdout: 40%")
        commit = judging.branch({"mlops.yaml": wider, "CODEOWNERS": "* @eve\n"})
        assert judging.judged(judging.left(judging.checked(), commit)).state == "failure"
        assert judging.judged(judging.approved("root")).state == "failure"
        assert judging.judged(judging.approved("bob", commit="2" * 40)).state == "failure"
        told = judging.judged(judging.approved("bob"))
        assert told.state == "success"
        assert told.decision["opened"] == {"by": ["bob"], "commit": commit}
        assert "`@bob`, who approved this commit and may agree to what changes the judge." in told.comment
        bad = judging.branch({"mlops.yaml": wider, "params.yaml": "limit: 99.0\n"}, name="bad")
        assert judging.judged(judging.left(judging.checked(), bad)).state == "failure"
        assert judging.judged(judging.approved("bob")).status.startswith("rain: refused.")
        git(judging.desk, "switch", "--quiet", "main")
        judging.push({"mlops.yaml": SETTINGS.replace(">= 0.6", ">= 0.61")})
        pull = state.pulls[NUMBER]
        pull.head_ref, pull.head_sha = "change", commit
        stale = judging.judged(judging.approved("bob"))
        assert stale.state == "failure"
        assert stale.status == "rain: undecided. The rules on main are others by now: update the branch"
        assert "opened" not in stale.decision


def test_whoever_owns_what_changes_the_judge_has_to_agree(tmp_path: Path) -> None:
    """Of a way of preparing the owner of its file, and of several files one owner each."""
    settings = SETTINGS.replace("  target: late\n", "  prepare: pipeline/prepare.sql\n  target: late\n")
    files = {
        **GOOD,
        "mlops.yaml": settings,
        "pipeline/prepare.sql": "SELECT * FROM trains\n",
        "CODEOWNERS": "* @bob\n/pipeline/ @carol\n/tests/ @carol\n",
    }
    with repository(tmp_path, files) as judging:
        state = judging.github.state
        state.permissions.update({**MAY, "carol": "write"})
        commit = judging.branch({"pipeline/prepare.sql": "SELECT * FROM trains WHERE trip % 7 <> 0\n"})
        assert judging.judged(judging.left(judging.checked(), commit)).state == "failure"
        assert judging.judged(judging.approved("bob")).state == "failure"
        told = judging.judged(judging.approved("carol"))
        assert (told.state, told.decision["opened"]["by"]) == ("success", ["carol"])
        wider = {
            "mlops.yaml": settings.replace("holdout: 30%", "holdout: 40%"),
            "tests/model/test_behaviour.py": "def test_nothing():\n    pass\n",
        }
        commit = judging.branch(wider, name="wider")
        assert judging.judged(judging.left(judging.checked(), commit)).state == "failure"
        assert judging.judged(judging.approved("bob")).state == "failure"
        told = judging.judged(judging.approved("carol"))
        assert (told.state, told.decision["opened"]["by"]) == ("success", ["bob", "carol"])
