"""A release made again from its commit: byte for byte in its own environment; with another library it says which."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import uv

from mlops_ci.cli.output import clean
from mlops_ci.errors import UsageError, UserCodeError
from mlops_ci.flows.release import release
from mlops_ci.flows.reproduce import Wish, reproduce
from mlops_ci.records.reproduced import Likeness, Reproduced
from mlops_ci.reports.reproduced import lines
from mlops_ci.steps.progress import Silent
from mlops_ci.steps.release import Released
from mlops_ci.steps.release import Wish as ReleaseWish
from tests.e2e.test_check_libraries import LOCK
from tests.e2e.test_release import SETTINGS, TABLES, TRAIN
from tests.helpers import commit, git, repo

PLAIN = SETTINGS.replace(", bundle_size <= 1 MB, image_size <= 1 GB", "")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files: dict[str, str | bytes] = {
        "mlops.yaml": PLAIN,
        "data/rows.csv": (TABLES / "breast_cancer.csv").read_bytes(),
        "pipeline/train.py": TRAIN,
        "params.yaml": "max_iter: 1000\n",
        "requirements.lock": LOCK,
        ".gitignore": ".mlops-ci/\n__pycache__/\n",
    }
    root = repo(tmp_path_factory.mktemp("reproduce") / "project", files)
    assert isinstance(release(root, ReleaseWish(), Silent()), Released)
    # What came later, and what lies about in the working folder, is none of its business.
    commit(root, {"params.yaml": "max_iter: 1000\nC: 0.01\n", "pipeline/train.py": TRAIN + "# later\n"}, "Later")
    (root / "data/rows.csv").write_text("nonsense\n")
    return root


def again(root: Path, lock: Path | None = None, asked: str = "v1") -> Reproduced:
    return reproduce(root, Wish(release=asked, lock=lock), Silent())


def test_in_its_own_environment_it_is_the_same_byte_for_byte(root: Path) -> None:
    before = git(root, "status", "--porcelain"), git(root, "for-each-ref")
    found = again(root)
    assert (found.likeness, found.labels_differ, found.largest_difference, found.differs) == (
        Likeness.BITS,
        0,
        0.0,
        (),
    )
    assert found.rows > 100
    assert (git(root, "status", "--porcelain"), git(root, "for-each-ref")) == before


@pytest.mark.needs("registry")
def test_with_another_library_it_says_which(root: Path, tmp_path: Path) -> None:
    wanted = tmp_path / "requirements.in"
    wanted.write_text("pandas\nscikit-learn<1.9\n")
    lock = tmp_path / "requirements.lock"
    options = ("--quiet", "--generate-hashes", "--no-emit-index-url", "-o", str(lock))
    subprocess.run([uv.find_uv_bin(), "pip", "compile", *options, str(wanted)], check=True)
    found = again(root, lock)
    assert found.likeness in (Likeness.PREDICTIONS, Likeness.METRICS)
    assert "library scikit-learn" in [one.what for one in found.differs]
    assert any("library scikit-learn 1.9.1 -> 1.8" in clean(line) for line in lines(found))


def test_what_cannot_be_made_again_says_why(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no release v9"):
        again(root, asked="v9")
    lock = tmp_path / "requirements.lock"
    lock.write_text("# nothing\n")
    with pytest.raises(UserCodeError, match="the model could not be made again"):
        again(root, lock)


@pytest.mark.parametrize("likeness", list(Likeness))
def test_every_likeness_is_told(likeness: Likeness) -> None:
    found = Reproduced(
        release="v1",
        commit="c" * 40,
        decision="d" * 64,
        likeness=likeness,
        rows=100,
        labels_differ=1,
        largest_difference=None,
        tolerance=0.001,
        metrics=(),
        differs=(),
        seconds=1.0,
    )
    told = list(lines(found))
    assert told[0].startswith(f"{likeness}: v1 made again from cccccccccccc: ")
    assert found.ok is (likeness is not Likeness.DIFFERENT)
