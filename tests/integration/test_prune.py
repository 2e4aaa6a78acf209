"""Making room: never what runs or ran last, nor the newest; what is erased is written down, and said where it lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_ci.edge.git import Repository
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.flows.prune import prune
from mlops_ci.packaging.manifest import digest, manifest
from mlops_ci.reports.prune import lines
from mlops_ci.steps import ledger, stores
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.project import open_project
from mlops_ci.steps.prune import Rule
from tests.github.fake import FakeGitHub
from tests.helpers import bare, commit, git, repo, tree
from tests.integration.test_releases import SETTINGS, entry

if TYPE_CHECKING:
    from mlops_ci.records.prunes import Pruning

RULE = Rule(keep=2, days=30)
WORDS = "not among the newest 2 releases, and no environment runs it or ran it last"
DAY = 24 * 3600


def made(folder: Path, number: int) -> str:
    files = {"model.onnx": b"model %d" % number}
    content = {**files, "manifest.json": manifest(files)}
    tree(content, folder)
    return digest(content["manifest.json"])


def released(root: Path, *numbers: int) -> dict[int, str]:
    """Number -> digest of its bundle, which is in the store."""
    found = {}
    for number in numbers:
        found[number] = made(root.parent / f"made{number}", number)
        stores.keep(open_project(root), root.parent / f"made{number}", found[number], lambda text: None)
        ledger.record(Repository.open(root), entry(number, found[number]))
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repo(tmp_path / "r", {"mlops.yaml": SETTINGS, ".gitignore": ".mlops-ci/\n"})


def there(root: Path) -> list[str]:
    folder = root / ".mlops-ci/store/bundles"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def named(pruning: Pruning) -> list[str]:
    return [each.name.partition(" ")[0] for each in pruning.goes]


def test_shown_first_then_removed_and_written_down(root: Path) -> None:
    digests = released(root, 1, 2, 3, 4)
    before = git(root, "rev-parse", "mlops-reports")
    shown = prune(root, RULE, do=False)
    assert (named(shown), shown.done) == (["v1", "v2"], False)
    assert there(root) == sorted(digests.values())
    assert git(root, "rev-parse", "mlops-reports") == before
    size = len(b"model 1") + len(manifest({"model.onnx": b"model 1"}))
    assert [*lines(shown)] == [
        f"bundles: 2, {2 * size} bytes",
        f"  v1 ({digests[1][:12]})  {size} bytes  {WORDS}",
        f"  v2 ({digests[2][:12]})  {size} bytes  {WORDS}",
        f"stays: v3 ({digests[3][:12]}): one of the newest 2",
        f"stays: v4 ({digests[4][:12]}): one of the newest 2",
        f"{2 * size} bytes would go: mlops-ci prune --yes",
    ]
    done = prune(root, RULE, do=True)
    assert done.done
    assert there(root) == sorted((digests[3], digests[4]))
    kept = json.loads(git(root, "show", f"mlops-reports:erased/{digests[1]}.json"))
    assert (kept["project"], kept["releases"], kept["store"], kept["reason"]) == (
        "flights",
        ["v1"],
        ".mlops-ci/store",
        WORDS,
    )
    with pytest.raises(UsageError, match=f"the bundle of v1 was erased from .mlops-ci/store on 20.*: {WORDS}") as told:
        find_bundle(root, "v1", print)
    assert "git checkout cccccccccccc, then mlops-ci release" in told.value.advice
    assert find_bundle(root, "v3", print).release == "v3"
    assert named(prune(root, RULE, do=True)) == []


def test_what_runs_and_what_ran_last_stays(root: Path) -> None:
    """By its release or its digest, in any branch an environment is read from, and of an environment that is gone."""
    digests = released(root, 1, 2, 3, 4, 5, 6, 7, 8)
    commit(root, {"environments/production.yaml": "release: v1\n"}, "one")
    commit(root, {"environments/production.yaml": f"bundle: {digests[2]}\n"}, "two")
    commit(root, {"environments/production.yaml": f"bundle: {digests[2]}\nnote: again\n"}, "the same")
    commit(root, {"environments/production.yaml": "release: v3\n"}, "three")
    commit(root, {"environments/staging.yaml": "release: v4\n"}, "four")
    commit(root, {"environments/staging.yaml": None}, "gone")
    git(root, "checkout", "--quiet", "-b", "behind", "main~5")
    tree({"environments/dev.yaml": "release: v5\n"}, root)
    found = prune(root, RULE, do=False)
    assert named(found) == ["v6"], "v1 is what runs, as far as this branch knows"
    git(root, "checkout", "--quiet", "main")
    found = prune(root, RULE, do=False)
    assert named(found) == ["v1", "v6"]
    assert {each.release: each.reasons for each in found.stays if int(each.release[1:]) < 7} == {
        "v2": ("environment production",),
        "v3": ("environment production",),
        "v4": ("environment staging",),
        "v5": ("environment dev",),
    }


def test_a_history_that_is_cut_off_says_nothing_about_what_ran(root: Path, tmp_path: Path) -> None:
    released(root, 1, 2, 3)
    commit(root, {"environments/production.yaml": "release: v1\n"}, "one")
    commit(root, {"environments/production.yaml": "release: v2\n"}, "two")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{root}", "shallow")
    with pytest.raises(UsageError, match="history of environments/ is cut off"):
        prune(tmp_path / "shallow", RULE, do=False)


def test_the_same_bundle_under_a_newer_number_stays(root: Path) -> None:
    digests = released(root, 1, 2, 3)
    ledger.record(Repository.open(root), entry(4, digests[1]))
    assert named(prune(root, RULE, do=False)) == ["v2"]


def test_what_no_release_of_this_project_is_stays(root: Path, tmp_path: Path) -> None:
    """A folder can be shared, and a release can be on its way."""
    digests = released(root, 1, 2, 3)
    other = made(tmp_path / "other", 99)
    stores.keep(open_project(root), tmp_path / "other", other, lambda text: None)
    prune(root, RULE, do=True)
    assert there(root) == sorted((digests[2], digests[3], other))


def test_runs_and_answers_go_when_nobody_asked_for_them(root: Path, tmp_path: Path) -> None:
    state = root / ".mlops-ci"
    tree({"keep.txt": "x"}, tmp_path / "outside")
    tree(dict.fromkeys(("runs/a/r.json", "runs/b/r.json", "cache/fit/c/m", "cache/fit/d/m", "env/e/x"), "1234"), state)
    (state / "runs/link").symlink_to(tmp_path / "outside")
    old = time.time() - 40 * DAY
    for name in ("runs/a", "cache/fit/c", "env/e"):
        os.utime(state / name, (old, old))
    os.utime(state / "runs/link", (old, old), follow_symlinks=False)
    found = prune(root, RULE, do=True)
    assert [(each.kind, each.name) for each in found.goes] == [
        ("run", ".mlops-ci/runs/a"),
        ("run", ".mlops-ci/runs/link"),
        ("cache", ".mlops-ci/cache/fit/c"),
    ]
    assert sorted(path.name for path in (state / "runs").iterdir()) == ["b"]
    assert [path.name for path in (state / "cache/fit").iterdir()] == ["d"]
    assert (tmp_path / "outside/keep.txt").exists()


# Elsewhere


def test_a_store_elsewhere_is_emptied_and_the_remote_ledger_says_so(
    root: Path, tmp_path: Path, hub: FakeGitHub
) -> None:
    commit(root, {"mlops.yaml": SETTINGS + "store: github-release\n"}, "elsewhere")
    origin = bare(root, tmp_path / "origin.git")
    digests = released(root, 1, 2, 3)
    git(root, "push", "--quiet", "origin", "mlops-reports")
    git(tmp_path, "clone", "--quiet", "origin.git", "clone")
    hub.fail("DELETE", "/releases/[0-9]+", status=403)
    with pytest.raises(OutsideError):
        prune(tmp_path / "clone", RULE, do=True)
    assert len(hub.state.releases) == 3
    done = prune(tmp_path / "clone", RULE, do=True)
    assert named(done) == ["v1"]
    assert {each.tag for each in hub.state.releases.values()} == {f"mlops-ci-bundle-{digests[n]}" for n in (2, 3)}
    assert hub.state.tags == {f"mlops-ci-bundle-{digests[n]}" for n in (2, 3)}
    kept = json.loads(git(origin, "show", f"mlops-reports:erased/{digests[1]}.json"))
    assert kept["store"] == "the GitHub releases of acme/ml"
    assert digests[1] in there(root)
    assert [(each.kind, each.reason) for each in prune(root, RULE, do=True).goes] == [
        ("copy", "the store has it no more")
    ]
    with pytest.raises(UsageError, match="was erased from the GitHub releases of acme/ml"):
        find_bundle(root, "v1", print)


def run(root: Path, *words: str, code: int = 0) -> dict[str, Any]:
    command = [sys.executable, "-m", "mlops_ci", "prune", *words, "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def test_the_command(root: Path) -> None:
    digests = released(root, 1, 2)
    told = run(root, "--keep", "1")
    assert (told["done"], [each["digest"] for each in told["goes"]]) == (False, [digests[1]])
    assert told["stays"] == [{"release": "v2", "digest": digests[2], "reasons": ["one of the newest 1"]}]
    assert "has to be one line" in run(root, "--reason", "a\nb", code=2)["error"]["message"]
    told = run(root, "--keep", "1", "--yes", "--reason", "Ada asked to be forgotten")
    assert told["done"]
    with pytest.raises(UsageError, match="Ada asked to be forgotten"):
        find_bundle(root, "v1", print)
