"""A champion that cannot be asked again: its recorded answers count, and rows without one are never counted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mlops_ci.gates.bounds.tango import PairedProportion
from mlops_ci.steps.project import open_project
from mlops_ci.steps.rejudge import disagreements
from mlops_ci.steps.runs import recall
from tests.helpers import commit, git, repo
from tests.helpers import run_json as check

SETTINGS = """version: 1
project: letters
task: classification
data:
  sources: {letters: letters.csv}
  target: spam
  id: [letter]
  split: {by: id, holdout: 20%}
train: {predictions: predictions.csv}
slices: [side]
gates:
  - accuracy >= 0.5
  - accuracy - champion.accuracy > -0.2 @ 95%
  - accuracy - champion.accuracy > -0.2
  - roc_auc - champion.roc_auc > -0.2 @ 95%
"""


def letters(rows: int) -> str:
    lines = [f"{n},{n * 7},{'old' if n < 3000 else 'new'},{n % 2}" for n in range(rows)]
    return "\n".join(["letter,words,side,spam", *lines]) + "\n"


def predict(folder: Path, rows: int, wrong: int) -> None:
    """Every `wrong`th letter is called what it is not."""
    answers = (n % 2 != (n % wrong == 0) for n in range(rows))
    lines = ["letter,score", *(f"{n},{0.9 if spam else 0.1}" for n, spam in enumerate(answers))]
    (folder / "predictions.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """A champion on 3,000 letters whose file of predictions is gone, and 90 letters more."""
    files = {"mlops.yaml": SETTINGS, "letters.csv": letters(3000), ".gitignore": ".mlops-ci/\npredictions.csv\n"}
    folder = repo(tmp_path / "letters", files)
    predict(folder, 3000, wrong=10)
    check(folder, "check")
    commit(folder, {"letters.csv": letters(3090)}, "More letters")
    predict(folder, 3090, wrong=7)
    return folder


def held_out(folder: Path) -> list[int]:
    listed = check(folder, "rows", "--holdout")
    return [int(row[listed["columns"].index("letter")]) for row in listed["rows"]]


def test_rows_without_an_answer_widen_the_bound_and_are_counted_nowhere(grown: Path) -> None:
    said = check(grown, "check", code=10)
    ids = held_out(grown)
    old = [n for n in ids if n < 3000]
    silent = len(ids) - len(old)
    assert silent > 5
    right, was_right = ([n for n in old if n % one] for one in (7, 10))
    lost, won = len(set(was_right) - set(right)), len(set(right) - set(was_right))
    plain, claimed, seen, auc = said["gates"]
    assert (claimed["verdict"], claimed["method"], claimed["rows"]) == ("passed", "tango/2", len(old))
    inner = PairedProportion(losses=lost, wins=won, of=len(old)).low(0.05, passing=True)
    share = silent / len(ids)
    assert claimed["low"] == pytest.approx((1 - share) * inner - share)
    assert f"{share:.1%} of the rows have no answer of the champion" in claimed["reason"]
    assert seen["observed"] == pytest.approx((won - lost) / len(old))
    told = f"{silent} of {len(ids)} held-out rows have no answer of the champion and are left out"
    assert told in seen["reason"]
    assert (auc["verdict"], plain["champion"]) == ("undecided", None)
    accuracy = next(one for one in said["metrics"] if one["metric"] == "accuracy")
    assert accuracy["champion"] == pytest.approx(len(was_right) / len(old))
    assert accuracy["value"] == pytest.approx(sum(n % 7 != 0 for n in ids) / len(ids))
    kept = json.loads((Path(said["reports"]["folder"]) / "evidence" / "evidence.json").read_text())
    flips = kept["evaluation"]["flips"]
    assert (flips["rows"], flips["won"], flips["lost"], flips["other"]) == (len(old), won, lost, 0)
    fresh = next(one for one in kept["evaluation"]["slices"]["rows"] if one["value"] == "new")
    assert (fresh["rows"], fresh["champion"]) == (silent, [])
    assert kept["evaluation"]["new_rows"] is None
    report = Path(said["reports"]["markdown"]).read_text()
    assert f"**Not compared in full:** {silent} of {len(ids)} held-out rows are new to it or changed" in report


def test_the_evidence_gives_the_same_verdicts_and_the_same_rows(grown: Path) -> None:
    check(grown, "check", code=10)
    kept = recall(open_project(grown), "")
    assert disagreements(kept) == ()
    assert int(np.asarray(kept.arrays["champion_unanswered"]).sum()) > 5
    listed = check(grown, "rows", "--holdout")
    column = listed["columns"].index("champion")
    assert {row[column] for row in listed["rows"] if row[-2] == "new"} == {""}
    for way in ("worse", "better"):
        flipped = check(grown, "rows", "--flipped", way)["rows"]
        assert flipped
        assert all(row[-2] == "old" for row in flipped)


def test_an_anchor_is_compared_on_the_rows_it_answers_too(grown: Path) -> None:
    first = git(grown, "rev-parse", "HEAD~1")
    pinned = SETTINGS.replace("champion.", "anchor.") + f"anchor: '{first[:9]}'\n"
    commit(grown, {"mlops.yaml": pinned}, "Pin the first")
    said = check(grown, "check", "--base", "HEAD", code=10)
    old = sum(n < 3000 for n in held_out(grown))
    _, claimed, seen, auc = said["gates"]
    assert (claimed["verdict"], claimed["rows"], claimed["champion"]) == ("passed", old, None)
    for gate in (claimed, seen, auc):
        assert "the anchor" in gate["reason"]
        assert "champion" not in gate["reason"]
    kept = recall(open_project(grown), "")
    assert int(np.asarray(kept.arrays["anchor_unanswered"]).sum()) == len(held_out(grown)) - old
    assert disagreements(kept) == ()
    assert "**Not compared in full with the anchor:**" in Path(said["reports"]["markdown"]).read_text()


def test_a_larger_holdout_is_compared_on_the_rows_held_out_before(grown: Path) -> None:
    check(grown, "check", code=10)
    commit(grown, {"letters.csv": letters(3000)}, "Fewer letters")
    commit(grown, {"mlops.yaml": SETTINGS.replace("20%", "22%")}, "Hold out more")
    said = check(grown, "check", code=10)
    assert "the split changed, so it may have been trained on them" in said["champion"]["reason"]
    ids = held_out(grown)
    assert said["gates"][1]["rows"] < len(ids)
    commit(grown, {"mlops.yaml": SETTINGS.replace("20%", "18%")}, "Hold out less")
    said = check(grown, "check", code=10)
    assert said["champion"]["reason"] == ""
    assert said["gates"][1]["rows"] == len(held_out(grown))
