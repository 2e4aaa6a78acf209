"""Data that cannot be read without the branch's code: taken as reported, and held to what the default branch knows."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.steps.runs import Kept
from tests.e2e.bad_input import GOOD, SETTINGS, csv_text, rows
from tests.github.judging import Judging, forged, repository
from tests.helpers import git

PREPARE = "def prepare(sources):\n    return sources['trains']\n"
BASE = {
    **GOOD,
    "mlops.yaml": SETTINGS.replace("  target: late\n", "  prepare: pipeline.prepare:prepare\n  target: late\n"),
    "pipeline/prepare.py": PREPARE,
}
WORSE = {"params.yaml": "limit: 99.0\n"}


class Sent(NamedTuple):
    judging: Judging
    commit: str
    evidence: Path


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    with repository(tmp_path_factory.mktemp("reported"), BASE) as judging:
        commit = judging.branch(WORSE)
        yield Sent(judging, commit, judging.checked())


def honest(kept: Kept) -> Kept:
    return kept


def says_passed(kept: Kept) -> Kept:
    gates = tuple(replace(one, verdict=Status.PASSED, observed=0.99) for one in kept.decision.gates)
    return replace(kept, decision=replace(kept.decision, outcome=Outcome.PASSED, gates=gates))


def truth_is_what_the_model_says(kept: Kept) -> Kept:
    assert kept.holdout is not None
    return replace(kept, holdout=replace(kept.holdout, truth=kept.arrays["labels"].copy()))


def rows_that_are_right(kept: Kept) -> Kept:
    assert kept.holdout is not None
    right = kept.arrays["labels"] == kept.holdout.truth
    cut = kept.holdout.cut(right)
    digest = hashlib.sha256(cut.ids.astype(">u8").tobytes()).hexdigest()
    return replace(
        kept,
        holdout=replace(cut, digest=digest),
        arrays={name: rows[right] for name, rows in kept.arrays.items()},
        evidence=replace(kept.evidence, holdout=digest, look=None),
    )


def no_classes(kept: Kept) -> Kept:
    assert kept.holdout is not None
    return replace(kept, holdout=replace(kept.holdout, truth=np.full(kept.holdout.rows, 7, np.int32)))


def classes_that_change_places(kept: Kept) -> Kept:
    """The same codes, and each means the other class."""
    assert kept.holdout is not None
    return replace(kept, holdout=replace(kept.holdout, classes=kept.holdout.classes[::-1]))


def another_split(kept: Kept) -> Kept:
    assert kept.evidence.snapshot is not None
    return replace(kept, evidence=replace(kept.evidence, snapshot=replace(kept.evidence.snapshot, split="by hand")))


@pytest.mark.parametrize(
    ("change", "state", "status"),
    [
        (honest, "failure", "rain: refused. Accuracy fell from 0.74 to 0.49, below 0.6"),
        (says_passed, "failure", "rain: refused. Accuracy fell from 0.74 to 0.49, below 0.6"),
        (
            truth_is_what_the_model_says,
            "error",
            "rain: could not be judged. What is true of 22 of 43 rows is other than in",
        ),
        (
            classes_that_change_places,
            "error",
            "rain: could not be judged. What is true of 43 of 43 rows is other than in",
        ),
        (
            rows_that_are_right,
            "failure",
            "rain: undecided. The judge changes: other rows are held out (22), and no source",
        ),
        (no_classes, "error", "rain: could not be judged. The truth of the run's rows cannot be, and the data cannot"),
        (another_split, "error", "rain: could not be judged. The run divides rows otherwise than the settings say"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_rows_as_reported(change: Callable[[Kept], Kept], state: str, status: str, sent: Sent, tmp_path: Path) -> None:
    evidence = forged(sent.evidence, tmp_path / "forged", change)
    told = sent.judging.judged(sent.judging.left(evidence, sent.commit))
    assert [ran.code for ran in told.ran] == [0, 0], told.ran
    assert (told.state, told.status[: len(status)]) == (state, status)
    if change is honest:
        rows = "held-out rows and their features (pipeline.prepare:prepare is the project's own code)"
        assert told.decision["reported"] == [rows, "predictions", "environment and training", "model tests"]
        assert "**As reported by this branch's code:** held-out rows and their features" in told.comment
        assert told.decision["champion"]["reason"] == ""


def test_data_that_git_holds_no_more_changes_the_judge(sent: Sent, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Otherwise a branch would free itself of what git says is true."""
    with repository(tmp_path_factory.mktemp("gone")) as judging:
        commit = judging.branch({"mlops.yaml": BASE["mlops.yaml"], "pipeline/prepare.py": PREPARE})
        told = judging.judged(judging.left(judging.checked(), commit))
        why = "its data cannot be read from git any more (pipeline.prepare:prepare is the project's own code)"
        assert told.state == "failure"
        assert told.decision["reason"] == f"the judge changes: {why}"
        assert told.decision["judge"]["differences"] == [why]


def test_data_outside_git_is_taken_as_reported(tmp_path: Path) -> None:
    """And never from the folder of the job, where the default branch lies."""
    outside = {**GOOD, ".gitignore": f"{GOOD['.gitignore']!s}data/\n"}
    with repository(tmp_path, outside) as judging:
        commit = judging.branch({"params.yaml": "limit: 5.1\n"})
        told = judging.judged(judging.left(judging.checked(), commit))
        assert told.state == "success"
        assert told.decision["reported"][0] == "held-out rows and their features (data/trains.csv is not in git)"


def test_of_how_many_new_rows_the_truth_is_the_branchs_word(tmp_path_factory: pytest.TempPathFactory) -> None:
    with repository(tmp_path_factory.mktemp("new"), BASE) as judging:
        commit = judging.branch({"params.yaml": "limit: 5.1\n", "data/trains.csv": csv_text(rows(150))})
        told = judging.judged(judging.left(judging.checked(), commit))
        assert told.state == "success"
        word = "what is true of 9 of 52 rows (of the others it is as in decision"
        assert told.decision["reported"][1].startswith(word)
        assert word in told.comment


LFS = """\
import hashlib, pathlib, sys
objects = pathlib.Path(sys.argv[2])
objects.mkdir(exist_ok=True)
data = sys.stdin.buffer.read()
if sys.argv[1] == "clean":
    oid = hashlib.sha256(data).hexdigest()
    (objects / oid).write_bytes(data)
    data = f"version https://git-lfs.github.com/spec/v1\\noid sha256:{oid}\\nsize {len(data)}\\n".encode()
else:
    data = (objects / data.split()[3].decode().removeprefix("sha256:")).read_bytes()
sys.stdout.buffer.write(data)
"""
"""What git calls for a file in LFS, as `git lfs clean` and `git lfs smudge` are; a judging job has no such thing."""
POINTERS = {".gitattributes": "*.csv filter=lfs\n", "data/trains.csv": csv_text(rows(121))}
NO_DATA = "of data/trains.csv git holds Git LFS pointers only"


def with_lfs(judging: Judging) -> None:
    script = judging.folder / "lfs.py"
    script.write_text(LFS)
    for verb in ("clean", "smudge"):
        command = f"{sys.executable} {script} {verb} {judging.folder / 'objects'}"
        git(judging.desk, "config", f"filter.lfs.{verb}", command)


def test_data_that_moves_into_lfs_changes_the_judge(tmp_path: Path) -> None:
    """And what git itself holds of such a file is never taken for data."""
    with repository(tmp_path) as judging:
        with_lfs(judging)
        commit = judging.branch(POINTERS)
        assert git(judging.desk, "show", f"{commit}:data/trains.csv").startswith("version https://git-lfs")
        told = judging.judged(judging.left(judging.checked(), commit))
        why = f"the judge changes: its data cannot be read from git any more ({NO_DATA})"
        assert (told.state, told.decision["reason"]) == ("failure", why)


def test_data_that_always_was_in_lfs_is_taken_as_reported(tmp_path: Path) -> None:
    with repository(tmp_path, {**GOOD, **POINTERS}, ready=with_lfs) as judging:
        commit = judging.branch(WORSE)
        evidence = judging.checked()
        told = judging.judged(judging.left(evidence, commit))
        assert told.status == "rain: refused. Accuracy fell from 0.75 to 0.50, below 0.6"
        assert told.decision["reported"][0] == f"held-out rows and their features ({NO_DATA})"
        assert f"**As reported by this branch's code:** held-out rows and their features ({NO_DATA})" in told.comment
        lie = forged(evidence, tmp_path / "forged", truth_is_what_the_model_says)
        told = judging.judged(judging.left(lie, commit))
        assert told.status.startswith("rain: could not be judged. What is true of 22 of 44 rows is other than in")


def test_a_run_that_had_pointers_for_data_could_not_be_judged(tmp_path: Path) -> None:
    """As where the checkout fetches nothing from LFS: what it is, where, and what is needed."""
    with repository(tmp_path) as judging:
        with_lfs(judging)
        commit = judging.branch(POINTERS)
        for verb in ("clean", "smudge"):
            git(judging.desk, "config", "--unset", f"filter.lfs.{verb}")
        (judging.desk / "data/trains.csv").unlink()
        git(judging.desk, "checkout", "--quiet", "--", "data/trains.csv")
        told = judging.judged(judging.left(judging.checked(), commit))
        assert (told.state, told.status) == (
            "error",
            "rain: could not be judged. This is a Git LFS pointer, not the data",
        )
        for said in ("/data/trains.csv)", "git lfs pull", "Git LFS has to be installed", "`lfs: true`"):
            assert said in told.comment
