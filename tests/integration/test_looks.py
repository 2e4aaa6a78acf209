"""How often rows were looked at, by real ledgers: growth, other settings, older versions, the last looks."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.edge import branches
from mlops_ci.edge.git import Repository
from mlops_ci.errors import OutsideError
from mlops_ci.ledger import entries, looks
from mlops_ci.ledger.holdouts import ids_file
from mlops_ci.ledger.names import BRANCH
from mlops_ci.records.canonical import canonical_json, digest
from mlops_ci.records.decisions import Evidence, Look, Promise
from mlops_ci.steps import ledger
from mlops_ci.steps.looks import Exposure, exposure
from tests.helpers import decision, git, repo, run_info

HERE = Path(__file__).parents[2]
IDS = np.sort(np.random.default_rng(1).integers(0, 2**64, 400, dtype=np.uint64))


def look(ids: np.ndarray = IDS, predictions: int = 1, **more: Any) -> Look:
    plain: dict[str, Any] = {
        "holdout": digest(ids.tobytes().hex()),
        "predictions": f"{predictions:064x}",
        "claims": ("low 0.95 accuracy",),
        "project": "flights",
        "naming": "salted",
        "rows": ids_file(ids)[0],
    }
    return Look(**{**plain, **more})


def entry(looked: Look, ids: np.ndarray = IDS, *, promise: Promise | None = None) -> entries.Entry:
    """A decision whose rows are not kept."""
    evidence = Evidence(holdout=looked.holdout, predictions=looked.predictions, look=looked, promise=promise)
    made = decision(number=int(digest(looked)[:8], 16))
    return entries.Entry(
        decision=entries.with_evidence(made, evidence),
        run=run_info(),
        evidence=evidence,
        report_markdown="# Report\n",
        ids=ids,
    )


def seen(repository: Repository, looked: Look, ids: np.ndarray = IDS) -> Exposure:
    return exposure(repository, ledger.head(repository), looked, ids)


def most(repository: Repository, looked: Look, ids: np.ndarray = IDS) -> int:
    return int(seen(repository, looked, ids).looks.max())


def promised(decisions: int, before: Exposure, rows: int = len(IDS)) -> Promise:
    return Promise(
        adaptivity="none",
        decisions=decisions,
        histories=decisions,
        looks=int(before.looks.max()),
        rows=rows,
        seen=before.seen,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.open(repo(tmp_path / "work", {"mlops.yaml": "version: 1\n"}))


def test_a_look_is_one_however_often_it_is_recorded(repository: Repository) -> None:
    assert most(repository, look()) == 0
    ledger.record(repository, entry(look()))
    again = replace(entry(look()), decision=entries.with_evidence(decision(number=77), entry(look()).evidence))
    ledger.record(repository, again)
    assert most(repository, look()) == 0
    assert most(repository, look(predictions=2)) == 1
    assert most(repository, look(claims=("low 0.9 accuracy",))) == 1
    ledger.record(repository, entry(look(claims=("low 0.9 accuracy",))))
    assert most(repository, look()) == 1
    assert most(repository, look(predictions=2)) == 2


def test_a_holdout_that_grows_by_a_row_is_not_a_new_one(repository: Repository) -> None:
    for number in range(5):
        ids = IDS[: 300 + number]
        assert most(repository, look(ids, number), ids) == number
        ledger.record(repository, entry(look(ids, number), ids))
    ids = IDS[:310]
    found = seen(repository, look(ids, 9), ids)
    assert found.looks.tolist() == [5] * 300 + [4, 3, 2, 1] + [0] * 6
    assert found.seen == 5
    apart = IDS[350:]
    assert (most(repository, look(apart), apart), seen(repository, look(apart), apart).seen) == (0, 0)


@pytest.mark.parametrize(
    "change",
    [{"naming": "another salt"}, {"naming": "another share"}, {"project": "renamed", "naming": "another salt"}],
)
def test_other_settings_refill_nothing(repository: Repository, change: dict[str, str]) -> None:
    for number in range(3):
        ledger.record(repository, entry(look(predictions=number)))
    drawn = np.arange(50, dtype=np.uint64)  # none of them was ever named so
    found = seen(repository, look(drawn, 9, **change), drawn)
    assert found.looks.tolist() == [3] * 50
    assert found.anywhere == 3


def test_another_project_in_another_folder_is_none_of_ours(repository: Repository) -> None:
    ledger.record(repository, entry(look(project="churn", folder="models/churn")))
    mine = look(predictions=2, folder="models/flights")
    assert most(repository, mine) == 0
    assert most(repository, replace(mine, project="churn")) == 1
    assert most(repository, replace(mine, folder="models/churn")) == 1


def test_a_ledger_of_an_older_version_is_read_and_its_looks_count(repository: Repository) -> None:
    mine = look(predictions=5)
    old = {
        f"holdouts/{mine.holdout}/{n:064x}.json": {"holdout": mine.holdout, "predictions": f"{n:064x}"} for n in (1, 2)
    }
    files = {path: canonical_json(content) for path, content in old.items()}
    branches.write_branch(repository, BRANCH, files, message="looks as they were written once")
    assert most(repository, mine) == 2
    ledger.record(repository, entry(mine))
    assert most(repository, look(predictions=6)) == 3


def test_a_look_that_cannot_be_read_is_not_forgotten(repository: Repository) -> None:
    files = {f"holdouts/{look().holdout}/{1:064x}.json": b"{}"}
    branches.write_branch(repository, BRANCH, files, message="damage")
    with pytest.raises(OutsideError, match="is not a look"):
        most(repository, look())
    missing = entries.files(entry(look()))
    path = next(path for path in missing if path.endswith(look().rows))
    files = {f"holdouts/{look().holdout}/{1:064x}.json": canonical_json(look())}
    branches.write_branch(repository, BRANCH, files, message="mended, its rows lost")
    with pytest.raises(OutsideError, match="is missing in the ledger"):
        most(repository, look(predictions=2))
    assert path.startswith("holdouts/")


def test_the_fewest_decisions_ever_promised_for_a_row_are_known(repository: Repository) -> None:
    assert seen(repository, look()).promised is None
    for number, decisions in ((1, 64), (2, 32), (3, 0)):
        ledger.record(repository, entry(look(predictions=number, decisions=decisions)))
    assert seen(repository, look(predictions=4)).promised == 32
    assert seen(repository, look(IDS[:10]), IDS[:10]).promised == 32
    assert seen(repository, look(predictions=2)).promised == 32  # also by the very look that is asked about
    apart = np.arange(9, dtype=np.uint64)
    assert seen(repository, look(apart), apart).promised is None


def test_a_decision_that_did_not_know_of_a_look_is_not_recorded(repository: Repository) -> None:
    before = seen(repository, look(predictions=1))
    ledger.record(repository, entry(look(predictions=2)))
    late = entry(look(predictions=1), promise=promised(32, before))
    with pytest.raises(OutsideError, match="others looked at these held-out rows meanwhile: 0 earlier looks") as caught:
        ledger.record(repository, late)
    assert "check` again" in caught.value.advice
    assert most(repository, look(predictions=1)) == 1
    lying = promised(32, seen(repository, look(predictions=1)))
    with pytest.raises(OutsideError, match="others looked"):
        ledger.record(repository, entry(look(predictions=1), promise=replace(lying, looks=0)))
    ledger.record(repository, entry(look(predictions=1), promise=lying))
    ledger.record(repository, entry(look(predictions=3)))  # without a guarantee a look is only counted
    assert most(repository, look(predictions=4)) == 3


def test_of_twenty_that_would_take_the_last_two_looks_two_do(repository: Repository, tmp_path: Path) -> None:
    for number in range(100, 103):
        ledger.record(repository, entry(look(predictions=number)))
    program = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from mlops_ci.edge.git import Repository
from mlops_ci.errors import OutsideError
from mlops_ci.steps import ledger
from tests.integration.test_looks import entry, look, promised, seen
repository, mine = Repository.open(Path(sys.argv[1])), look(predictions=int(sys.argv[2]))
before = seen(repository, mine)
print("ready", flush=True)
sys.stdin.readline()
while before.looks.max() < 5:
    try:
        ledger.record(repository, entry(mine, promise=promised(5, before)))
        print("took", before.looks.max() + 1)
        break
    except OutsideError as error:
        assert "others looked" in error.message, error
        before = seen(repository, mine)
else:
    print("worn", before.looks.max())
"""
    arguments = [sys.executable, "-c", program, str(repository.root)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen([*arguments, str(number), str(HERE)], **pipes) for number in range(20)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = sorted(writer.communicate(timeout=300)[0].strip() for writer in writers)
    assert said == ["took 4", "took 5", *["worn 5"] * 18]
    git(repository.root, "fsck", "--strict")


def test_a_thousand_looks_on_growing_holdouts_are_counted_in_seconds(repository: Repository) -> None:
    ids = np.sort(np.random.default_rng(2).integers(0, 2**64, 3_000, dtype=np.uint64))
    stream, here = [f"commit refs/heads/{BRANCH}\ncommitter a <a@a> 1714564800 +0000\ndata 1\nx\n".encode()], ids
    for number in range(1000):
        here = ids[: 2_000 + number]
        made = look(here, number)
        for path, data in looks.files(made, here).items():
            stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
    git(repository.root, "fast-import", "--quiet", stdin=b"".join(stream))
    mine = look(here, 1000)
    # Processor time of this process and of git: the clock on the wall counts what else the machine does.
    begin = _processor()
    found = seen(repository, mine, here)
    taken = _processor() - begin
    assert (found.looks.max(), found.looks[-1], found.seen) == (1000, 1, 1000)
    assert taken < 2, taken


def _processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


ALL, REST = np.ones(200, dtype=bool), IDS[200:]


def told(predictions: int = 1, *, passed: bool = True, **more: Any) -> Look:
    """A look at the first half that told one answer, and numbers of the second."""
    return look(IDS[:200], predictions, passed=passed, retire_at=2, shown=ids_file(REST)[0], decisions=4, **more)


def only_told(looked: Look, *, looks: int = 0, passes: int = 0) -> entries.Entry:
    promise = Promise(
        adaptivity="2",
        decisions=4,
        histories=10,
        looks=looks,
        rows=200,
        seen=looks,
        disclose="verdict",
        retire_at=2,
        passes=passes,
    )
    return replace(entry(looked, IDS[:200], promise=promise), shown=REST)


def test_answers_are_counted_with_their_passes_and_shown_rows_are_known(tmp_path: Path) -> None:
    repository = Repository(repo(tmp_path, {"a": "1"}))
    ledger.record(repository, only_told(told(1, passed=True)))
    ledger.record(repository, only_told(told(2, passed=False), looks=1, passes=1))
    before = seen(repository, told(3), IDS[:200])
    assert before.among(ALL) == (2, 1, False)
    assert (before.promised, before.retire_at) == (4, 2)
    assert set(before.used(4, 2)) == {2}
    assert set(before.used(4, 1)) == {4}  # retired
    shown = seen(repository, told(3), REST)
    assert shown.among(ALL) == (0, 0, True)
    assert set(shown.used(4, 2)) == {4}
    assert set(shown.used(4, None)) == {0}


def test_another_answer_to_the_same_question_counts_once_more(tmp_path: Path) -> None:
    repository = Repository(repo(tmp_path, {"a": "1"}))
    for passed in (True, False):
        ledger.record(repository, only_told(told(1, passed=passed)))
    assert seen(repository, told(1), IDS[:200]).among(ALL).looks == 0  # of itself
    assert seen(repository, told(2), IDS[:200]).among(ALL).looks == 2


def test_numbers_of_all_rows_or_a_promise_without_passes_leave_nothing_to_adapted_models(tmp_path: Path) -> None:
    for place, earlier in enumerate((look(IDS[:200]), replace(told(), retire_at=msgspec.UNSET))):
        repository = Repository(repo(tmp_path / str(place), {"a": "1"}))
        ledger.record(repository, replace(entry(earlier, IDS[:200]), shown=REST if earlier.shown else None))
        assert seen(repository, told(2), IDS[:200]).among(ALL).numbers_shown


def test_of_two_that_would_pass_last_one_is_recorded(tmp_path: Path) -> None:
    repository = Repository(repo(tmp_path, {"a": "1"}))
    ledger.record(repository, only_told(told(1)))
    ledger.record(repository, only_told(told(2), looks=1, passes=1))
    with pytest.raises(OutsideError, match="others looked at these held-out rows meanwhile"):
        ledger.record(repository, only_told(told(3), looks=1, passes=1))


def test_a_look_at_other_rows_is_known_at_the_swap_though_no_row_was_looked_at_more_often(
    repository: Repository,
) -> None:
    for number in (1, 2):
        ledger.record(repository, entry(look(IDS[:300], number), IDS[:300]))
    before = seen(repository, look(predictions=3))
    ledger.record(repository, entry(look(IDS[300:], 4), IDS[300:]))
    assert seen(repository, look(predictions=3)).looks.max() == before.looks.max() == 2
    with pytest.raises(OutsideError, match="2 earlier looks when it was judged, 3 now"):
        ledger.record(repository, entry(look(predictions=3), promise=promised(32, before)))


@pytest.mark.parametrize(("passed", "looks", "passes"), [(True, 1, 0), (False, 1, 1), (False, 0, 0)])
def test_answers_and_passes_are_each_compared_at_the_swap(
    tmp_path: Path, passed: bool, looks: int, passes: int
) -> None:
    repository = Repository(repo(tmp_path, {"a": "1"}))
    ledger.record(repository, only_told(told(1, passed=passed)))
    with pytest.raises(OutsideError, match="others looked at these held-out rows meanwhile"):
        ledger.record(repository, only_told(told(2), looks=looks, passes=passes))
    ledger.record(repository, only_told(told(2), looks=1, passes=int(passed)))
