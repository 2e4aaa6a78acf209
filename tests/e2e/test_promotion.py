"""Two real models on their way through three environments and back: gates asked again of rows, a bundle tried out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_ci.cli.output import clean
from mlops_ci.flows.check import check
from mlops_ci.flows.promote import promote
from mlops_ci.flows.release import release
from mlops_ci.flows.status import status
from mlops_ci.flows.why import why
from mlops_ci.promotion.rules import Way
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports.why import lines
from mlops_ci.steps.case import Asked
from mlops_ci.steps.progress import Silent
from mlops_ci.steps.promotion import Wish
from mlops_ci.steps.release import Released
from mlops_ci.steps.release import Wish as ReleaseWish
from tests.e2e.test_release import SETTINGS, project
from tests.helpers import commit, git

if TYPE_CHECKING:
    from mlops_ci.flows.promote import Moved

RULES = """environments:
  dev: {}
  staging: {after: dev}
  production: {after: staging, gates: [accuracy >= 0.9 @ 90%, recall >= 0.8]}
"""
PAST = SETTINGS.replace("gates: [accuracy >= 0.9, bundle_size <= 1 MB, image_size <= 1 GB]", "gates: [accuracy >= 0.9]")


def go(root: Path, environment: str, release: str = "", **more: Any) -> Moved:
    return promote(root, Wish(environment=environment, release=release, way=Way.COMMIT, **more), Silent())


def back(root: Path, environment: str) -> Moved:
    return go(root, environment, reason="patients complained", back=True)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two releases."""
    root = project(tmp_path_factory.mktemp("promotion") / "r")
    git(root, "config", "user.name", "Ada Example")
    git(root, "config", "user.email", "ada@example.org")
    commit(root, {"mlops.yaml": PAST + RULES}, "Environments")
    for number, change in enumerate(({}, {"params.yaml": "max_iter: 1000\nC: 0.5\n"}), 1):
        if change:
            commit(root, change, "A stronger penalty")
        made = release(root, ReleaseWish(), Silent())
        assert isinstance(made, Released)
        assert made.bundle.release == f"v{number}"
    return root


@pytest.fixture
def root(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "r", symlinks=True))


def test_through_three_environments_and_back_and_why(root: Path) -> None:
    for name in ("dev", "staging", "production"):
        assert go(root, name, "v1").outcome is Outcome.PASSED
    for name in ("dev", "staging", "production"):
        moved = go(root, name, "v2" if name == "dev" else "")
        assert (moved.release, moved.outcome) == ("v2", Outcome.PASSED)
    assert moved.story is not None
    assert [(one.gate, str(one.verdict)) for one in moved.story.decision.gates] == [
        ("accuracy >= 0.9 @ 90%", "passed"),
        ("recall >= 0.8", "passed"),
    ]
    gone = back(root, "production")
    assert (gone.release, gone.outcome) == ("v1", Outcome.PASSED)
    assert gone.story is not None
    tried = gone.story.decision.checks[-1]
    assert (tried.check, tried.message) == (
        "bundle",
        "loaded in a process of its own it gives the judged answers to 32 golden requests",
    )
    assert [one.release for one in status(root)] == ["v2", "v2", "v1"]
    told = [clean(line) for line in lines(why(root, "production"))]
    assert len(told) <= 24
    about = [line.split()[0] for line in told[1:]]
    assert about[:4] == ["file", "not", "decision", "rules"]
    for word in ("release", "judged", "gate", "data", "code", "parameters", "environment", "training"):
        assert word in about
    assert any("patients complained" in line for line in told)
    assert not any(line.split()[0] == "missing" for line in told)


def test_a_gate_that_is_tightened_revokes_what_passed_before(root: Path) -> None:
    for name in ("dev", "staging"):
        go(root, name, "v2")
    commit(root, {"mlops.yaml": PAST + RULES.replace("recall >= 0.8", "log_loss <= 0.001")}, "Stricter")
    moved = go(root, "production")
    assert moved.outcome is Outcome.FAILED
    assert moved.story is not None
    assert "v2 does not go to production: log_loss <= 0.001" in moved.story.decision.reason


@pytest.mark.parametrize(
    ("damage", "outcome", "told"),
    [
        (lambda folder: (folder / "model.onnx").write_bytes(b"other"), Outcome.ERRORED, "was changed: model.onnx"),
        (shutil.rmtree, Outcome.ERRORED, "the bundle of v1 is not in the store"),
    ],
)
def test_nothing_goes_back_to_a_bundle_that_is_not_what_was_judged(
    root: Path, damage: Any, outcome: Outcome, told: str
) -> None:
    for name in ("v1", "v2"):
        go(root, "dev", name)
    bundle = why(root, "v1").release.bundle
    damage(root / ".mlops-ci/store/bundles" / bundle)
    before = git(root, "rev-parse", "main")
    moved = back(root, "dev")
    assert moved.story is not None
    assert (moved.outcome, git(root, "rev-parse", "main")) == (outcome, before)
    assert told in moved.story.decision.reason
    forced = go(root, "dev", reason="it burns", back=True, emergency=True)
    assert forced.story is not None
    assert (forced.outcome, forced.story.decision.checks[-1].blocking) == (Outcome.PASSED, False)


def test_the_champion_of_a_check_is_what_runs_in_production(root: Path) -> None:
    for name in ("dev", "staging", "production"):
        go(root, name, "v1")
    commit(root, {"params.yaml": "max_iter: 1000\nC: 0.4\n"}, "An even stronger penalty")
    champion = check(root, Asked(), Silent()).decision.champion
    assert champion is not None
    assert (champion.name, champion.commit) == ("v1 in production", why(root, "v1").release.commit)
    path = "environments/production.yaml"
    other = (root / path).read_text().replace(why(root, "v1").release.bundle, "e" * 64)
    commit(root, {path: other, "params.yaml": "max_iter: 1000\nC: 0.3\n"}, "By hand")
    commit(root, {"params.yaml": "max_iter: 1000\nC: 0.2\n"}, "On top of it")
    champion = check(root, Asked(), Silent()).decision.champion
    assert champion is not None
    assert champion.name != "v1 in production", "the file names another bundle than the ledger's v1"
