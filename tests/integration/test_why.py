"""The chain of reasons: whole from a fresh clone, told as missing where the ledger lacks a link, harmless to print."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from mlops_ci.cli.output import clean
from mlops_ci.errors import UsageError
from mlops_ci.flows.here import here
from mlops_ci.flows.promote import promote
from mlops_ci.flows.why import why
from mlops_ci.promotion.rules import Way
from mlops_ci.reports import markdown
from mlops_ci.reports.why import lines, page
from mlops_ci.steps.progress import Silent
from mlops_ci.steps.promotion import Wish
from tests.helpers import bare, commit, git
from tests.integration.test_promote import FLAT, back, go, project
from tests.released import released


def text(root: Path, about: str) -> list[str]:
    return [clean(line) for line in lines(why(root, about))]


def test_a_fresh_clone_with_the_remote_ledger_tells_the_same(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1, 2)
    go(root, "production", "v1")
    go(root, "production", "v2")
    back(root, "production")
    remote = bare(root, tmp_path / "origin.git")
    git(tmp_path, "clone", "--quiet", str(remote), str(tmp_path / "clone"))
    told = text(root, "production")
    assert text(tmp_path / "clone", "production") == told
    assert told[0].startswith("flights: production runs v1 since ")
    assert any(line.startswith("  not again   v2, rolled back by Ada Example: too slow") for line in told)


def test_what_the_ledger_lacks_is_said(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1)
    moved = go(root, "production")
    assert moved.story is not None
    git(root, "worktree", "add", "--quiet", str(tmp_path / "l"), "mlops-reports")
    folder = next((tmp_path / "l").rglob(moved.story.decision_id))
    git(tmp_path / "l", "rm", "--quiet", "-r", str(folder))
    git(tmp_path / "l", "commit", "--quiet", "-m", "gone")
    missing = f"  missing     the ledger here has no decision {moved.story.decision_id[:12]}, which the file names"
    assert missing in text(root, "production")


def test_names_and_reasons_are_printed_as_what_they_are(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1, 2)
    for release in ("v1", "v2"):
        go(root, "production", release)
    hostile = "<img src=x> [a](javascript:1) | `b` \u202e @all"
    wish = Wish(environment="production", way=Way.COMMIT, reason=hostile, back=True, emergency=True)
    promote(root, wish, Silent())
    assert not any("\u202e" in line for line in text(root, "production"))
    rendered = markdown.render(page(why(root, "production")), charts=None)
    assert "<img" not in rendered
    assert r"\[a\](javascript:1) \| \`b\`" in rendered
    assert "@all" not in rendered


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ("dev", "nothing runs in dev yet"),
        ("v7", "there is no release v7"),
        ("qa", "there is no environment qa"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, about: str, told: str) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1)
    with pytest.raises(UsageError, match=told):
        why(root, about)


def test_a_file_with_another_bundle_than_its_number_says_so(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1)
    go(root, "production")
    path = root / "environments/production.yaml"
    commit(root, {"environments/production.yaml": path.read_text().replace("0001", "0009")}, "By hand")
    chain = why(root, "production")
    assert any("names another bundle than the ledger's v1" in one for one in chain.missing)
    assert msgspec.json.encode(chain)


def test_the_bare_command_says_what_runs_where(tmp_path: Path) -> None:
    root = project(tmp_path / "r", FLAT)
    released(root, 1)
    assert [(one.name, one.release) for one in here(root).environments] == [("dev", None), ("production", None)]
    go(root, "production")
    found = here(root)
    assert [(one.name, one.release) for one in found.environments] == [("dev", None), ("production", "v1")]
    assert found.last.startswith("promoted at ")
    commit(root, {"environments/dev.yaml": "release: latest\n"}, "By hand")
    assert here(root).environments == (), "nobody can tell; `status` says why"
