"""`evidence: {rows: store}`: the ledger names the rows of a decision, the store has them, who lacks them is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.edge.git import Repository
from mlops_ci.steps import ledger
from tests.e2e.bad_input import GOOD, run
from tests.e2e.bad_input import SETTINGS as PLAIN
from tests.e2e.scene import WORSE, first
from tests.github.site import LEDGER, git
from tests.helpers import commit, repo

CHAMPION = "  - accuracy - champion.accuracy > -0.05\n"
SETTINGS = PLAIN + CHAMPION + "evidence: {rows: store}\n"
FILES = {**GOOD, "mlops.yaml": SETTINGS}
OTHER = {"params.yaml": "limit: 5.2\n"}


class Desk:
    """A project whose first commit was checked."""

    def __init__(self, folder: Path, settings: str = SETTINGS) -> None:
        files = {name: content for name, content in FILES.items() if content is not None}
        self.root, self.temporary = repo(folder / "project", {**files, "mlops.yaml": settings}), folder / "tmp"
        self.first = self.checked()

    def run(self, *words: str, code: int = 0) -> dict[str, Any]:
        ran = run(self.root, *words, "--json", temporary=self.temporary)
        assert ran.code == code, ran.out + ran.err
        return dict(json.loads(ran.out))

    def checked(self, files: dict[str, str] | None = None, *, code: int = 0) -> dict[str, Any]:
        if files:
            commit(self.root, files, "a change")
        return self.run("check", code=code)

    def place(self, told: dict[str, Any]) -> Path:
        """Where the rows of a decision lie."""
        item = ledger.find(Repository.open(self.root), told["decision"]).evidence.rows
        assert item
        return self.root / ".mlops-ci/store/predictions" / item.digest

    def forget_runs(self) -> None:
        """As in another clone of the ledger, with the same store."""
        shutil.rmtree(self.root / ".mlops-ci/runs")
        shutil.rmtree(self.root / ".mlops-ci/cache")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_ledger_has_no_rows_and_whoever_asks_finds_them(desk: Desk) -> None:
    listed = git(desk.root, "ls-tree", "-r", "--name-only", LEDGER).splitlines()
    assert [Path(name).name.partition("-")[0] for name in listed if name.endswith(".npy")] == ["ids"]
    assert not [name for name in listed if "/index-" in name]
    told = desk.checked(OTHER)
    assert told["gates"][1]["verdict"] == "passed"
    assert told["champion"]["reason"] == ""
    desk.forget_runs()
    worse = desk.run("rows", told["decision"], "--gate", "1")
    assert {"truth", "predicted", "champion"} <= set(worse["columns"])
    assert [one["rows_available"] for one in desk.run("gates", "plan", told["decision"])["gates"]]
    assert ledger.find(Repository.open(desk.root), told["decision"]).evidence.rows
    assert desk.run("check")["decision"] == told["decision"], "the same evidence is the same decision"


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda place: (place / "labels.npy").write_bytes(b"better"), "labels.npy was changed"),
        (lambda place: (place / "labels.npy").unlink(), "labels.npy is missing"),
        (shutil.rmtree, "are not in the store"),
    ],
    ids=["tampered", "in half", "gone"],
)
def test_what_is_not_to_be_had_is_said_and_stops_nothing(desk: Desk, harm: Any, why: str) -> None:
    harm(desk.place(desk.first))
    desk.forget_runs()
    for words in (("rows", desk.first["decision"], "--gate", "1"), ("gates", "plan", desk.first["decision"])):
        error = desk.run(*words, code=2)["error"]
        assert error["message"].startswith(f"the rows of decision {desk.first['decision'][:12]} are not to be had")
        assert why in error["message"]
    assert "How many rows it takes on these data is told here" in desk.run("explain", "accuracy >= 0.6")["text"]
    told = desk.checked(OTHER)
    assert told["gates"][1]["verdict"] == "passed", "its model was asked once more"
    evidence = ledger.find(Repository.open(desk.root), told["decision"]).evidence
    assert evidence.evaluation


def test_a_store_that_cannot_be_written_is_said_and_the_decision_recorded(desk: Desk) -> None:
    place = desk.place(desk.first)
    shutil.rmtree(place.parent)
    place.parent.write_text("no folder")
    commit(desk.root, OTHER, "a change")
    ran = run(desk.root, "check", temporary=desk.temporary)
    assert ran.code == 0, ran.err
    assert "are not in the store" in ran.err
    assert ledger.find(Repository.open(desk.root), git(desk.root, "rev-parse", "HEAD")).decision.outcome == "passed"


def test_a_recorded_run_brings_its_rows(desk: Desk) -> None:
    place = desk.place(desk.first)
    shutil.rmtree(place)
    git(desk.root, "branch", "-D", LEDGER)
    desk.run("record", str(desk.root / ".mlops-ci/runs" / desk.first["decision"][:12]))
    assert (place / "labels.npy").is_file()


# On GitHub: the job that writes the ledger puts the rows of the default branch into releases of the repository


def test_the_recording_job_keeps_the_rows_of_the_default_branch_alone(tmp_path: Path) -> None:
    with first(tmp_path, FILES) as here:
        main = here.site.tip("main")
        assert here.told(main)[0] == "success"
        (kept,) = here.site.state.releases.values()
        assert kept.tag.startswith("mlops-ci-predictions-")
        here.pull(7, WORSE)
        here.through(7)
        state, sentence = here.told(here.site.tip("side"))
        assert (state, "accuracy" in sentence.lower()) == ("failure", True)
        assert len(here.site.state.releases) == 1, "whoever may open a pull request cannot fill the store"
        listed = git(here.site.remote, "ls-tree", "-r", "--name-only", LEDGER).splitlines()
        assert not [name for name in listed if name.endswith("labels.npy")]
        paths = [name for name in listed if name.endswith("/decision.json")]
        decisions = [json.loads(git(here.site.remote, "show", f"{LEDGER}:{name}"))["predicate"] for name in paths]
        [asked] = [one for one in decisions if one["trust"] == "pull-request"]
        assert asked["gates"][1]["champion"] is not None, "judged against the rows of main, out of the store"
        assert not [told for told in asked["reported"] if "champion" in told], "which paired, row by row"
        elsewhere = SETTINGS.replace("evidence:", "store: elsewhere\nevidence:")
        done = here.jobs.record(here.jobs.check(here.site.on_push(here.push("main", {"mlops.yaml": elsewhere}))))
        assert (done.judge.code, done.record.code) == (0, 3)
        assert "elsewhere is a folder of the runner" in done.record.out
        assert here.recorded(here.site.tip("main")) == [("rain", "passed", "default-branch")]
