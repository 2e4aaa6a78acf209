"""What a branch can send instead of what its run left, and what is shown then: the table of docs/security.md."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.edge.git import Repository
from mlops_ci.flows import ci_judge
from mlops_ci.records.decisions import ChampionRef, Trust
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part
from mlops_ci.steps.ledger import last_passed
from mlops_ci.steps.runs import Kept
from tests.e2e.bad_input import GOOD, SETTINGS, csv_text, rows
from tests.github.judging import NUMBER, Sent, forged, repository, row, table
from tests.helpers import git

WORSE = {"params.yaml": "limit: 99.0\n"}
RULES = SETTINGS.replace("  target: late\n", "  prepare: pipeline/prepare.sql\n  target: late\n").replace(
    "gates:\n", "gates:\n  - accuracy - champion.accuracy > -0.3 @ 95%\n"
)
BASE = {
    **GOOD,
    "mlops.yaml": RULES,
    "pipeline/prepare.sql": "SELECT * FROM trains\n",
    "pipeline/other.sql": "SELECT * FROM trains WHERE trip % 7 <> 0\n",
}
ENDLESS = {
    "endless-rows": "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT * FROM n",
    "endless-call": "SELECT levenshtein(repeat('ab', 200000), repeat('ba', 200000)) AS late, 1 AS trip",
}
WAIVER = "version: 1\nwaivers: [{gate: accuracy >= 0.6, reason: we know, owner: eve, until: 2024-05-20}]\n"
REFUSED = "rain: refused. Accuracy fell from 0.74 to 0.49, below 0.6"


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    with repository(tmp_path_factory.mktemp("forgeries"), BASE) as judging:
        commit = judging.branch(WORSE)
        evidence = judging.checked()
        honest = judging.judged(judging.left(evidence, commit))
        assert honest.state == "failure", honest
        yield Sent(judging, commit, evidence, honest)


def everything_passed(kept: Kept) -> Kept:
    gates = tuple(replace(one, verdict=Status.PASSED, observed=0.99, low=0.98) for one in kept.decision.gates)
    return replace(kept, decision=replace(kept.decision, outcome=Outcome.PASSED, reason="", gates=gates))


def better_metrics(kept: Kept) -> Kept:
    evaluation = kept.evidence.evaluation
    assert evaluation is not None
    metrics = tuple(replace(one, value=1.0) for one in evaluation.metrics)
    return replace(
        kept,
        decision=replace(kept.decision, metrics=metrics),
        evidence=replace(kept.evidence, evaluation=replace(evaluation, metrics=metrics)),
    )


def another_truth(kept: Kept) -> Kept:
    assert kept.holdout is not None
    return replace(kept, holdout=replace(kept.holdout, truth=kept.arrays["labels"].copy()))


def easy_rows_only(kept: Kept) -> Kept:
    assert kept.holdout is not None
    right = kept.arrays["labels"] == kept.holdout.truth
    return replace(
        kept, holdout=kept.holdout.cut(right), arrays={name: rows[right] for name, rows in kept.arrays.items()}
    )


def without_tests(kept: Kept) -> Kept:
    checks = tuple(one for one in kept.decision.checks if one.part is not Part.TESTS)
    return replace(kept, decision=replace(kept.decision, checks=checks))


def passing_tests(kept: Kept) -> Kept:
    checks = tuple(
        replace(one, status=Status.PASSED, message="") if one.part is Part.TESTS else one
        for one in kept.decision.checks
    )
    return replace(kept, decision=replace(kept.decision, checks=checks))


def truth_as_predictions(kept: Kept) -> Kept:
    assert kept.holdout is not None
    labels = kept.holdout.truth.astype(np.int32)
    return replace(kept, arrays={**kept.arrays, "labels": labels, "scores": labels.astype(np.float32)})


def weak_champion(kept: Kept) -> Kept:
    assert kept.decision.champion is not None
    arrays = {**kept.arrays, "champion_labels": 1 - kept.arrays["champion_labels"]}
    other = ChampionRef(name="a weaker one", commit="1" * 40, decision="2" * 64)
    return replace(kept, arrays=arrays, decision=replace(kept.decision, champion=other))


def other_base_and_judge(kept: Kept) -> Kept:
    judge = replace(kept.decision.judge, commit="3" * 40, digest="4" * 64, differences=(), source="head")
    return replace(kept, decision=replace(kept.decision, base="3" * 40, judge=judge, gates=()))


def from_the_default_branch(kept: Kept) -> Kept:
    return replace(kept, decision=replace(kept.decision, trust=Trust.DEFAULT_BRANCH))


def of_another_commit(kept: Kept) -> Kept:
    return replace(kept, decision=replace(kept.decision, subject=replace(kept.decision.subject, commit="5" * 40)))


def of_a_dirty_tree(kept: Kept) -> Kept:
    return replace(kept, decision=replace(kept.decision, subject=replace(kept.decision.subject, dirty=True)))


def of_another_project(kept: Kept) -> Kept:
    return replace(kept, decision=replace(kept.decision, project="sunshine"))


def words_without_end(kept: Kept) -> Kept:
    """Of a test, of its environment and of the machine: what is taken over from the run."""
    assert kept.run is not None
    subject = replace(kept.decision.subject, environment="e" * 200_000)
    checks = tuple(replace(one, message="x" * 200_000) for one in kept.decision.checks)
    run = replace(
        kept.run,
        host="h" * 5_000_000,
        python="p" * 200_000,
        started="s" * 200_000,
        restored=("r" * 20_000,) * 200,
        timings={f"{number}" + "t" * 200_000: 1.0 for number in range(9)},
    )
    return replace(kept, run=run, decision=replace(kept.decision, checks=checks, subject=subject))


class Forgery(NamedTuple):
    name: str
    change: Callable[[Kept], Kept]
    state: str


FORGERIES = (
    Forgery("verdicts and outcome say passed", everything_passed, "failure"),
    Forgery("metrics say 1.0", better_metrics, "failure"),
    Forgery("what is true of the rows is what the model says", another_truth, "failure"),
    Forgery("another champion, with worse answers", weak_champion, "failure"),
    Forgery("another base, another judge, no gates", other_base_and_judge, "failure"),
    Forgery("trust: default-branch", from_the_default_branch, "failure"),
    Forgery("words of many megabytes", words_without_end, "failure"),
    Forgery("rows the model is wrong about are left out", easy_rows_only, "error"),
    Forgery("no word of the model tests", without_tests, "error"),
    Forgery("evidence about another commit", of_another_commit, "error"),
    Forgery("evidence about a commit with changes beside it", of_a_dirty_tree, "error"),
    Forgery("evidence about another project", of_another_project, "error"),
    Forgery("what is true is sent as predictions", truth_as_predictions, "success"),
)


@pytest.mark.parametrize("case", FORGERIES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_forgery_shows_what_the_table_says(case: Forgery, sent: Sent, tmp_path: Path) -> None:
    told = sent.told(tmp_path, case.change)
    assert told.state == case.state
    assert row(case.name, told) in table()
    if told.decision is not None:
        assert _not_of_the_run(told.decision) == _not_of_the_run(sent.honest.decision)
        assert told.decision["trust"] == "pull-request"
        assert "**As reported by this branch's code:**" in told.comment
        assert max(map(len, _texts(told.decision))) <= 8_000
        assert max(map(len, _texts(sent.judging.ledgered(told, "run.json")))) <= 100
        assert re.fullmatch(r"|[0-9a-f]{64}", told.decision["subject"]["environment"])


def _texts(plain: Any) -> Iterator[str]:
    if isinstance(plain, dict):
        yield from plain
    each = plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ()
    for one in each:
        yield from [one] if isinstance(one, str) else _texts(one)


def _not_of_the_run(decision: Any) -> list[object]:
    """What no run has a word in."""
    champion, subject = decision["champion"], decision["subject"]
    settled = [decision[key] for key in ("project", "trust", "base", "change")]
    judge = {key: decision["judge"][key] for key in ("commit", "digest", "version", "source", "differences")}
    return [*settled, judge, champion["decision"], champion["commit"], subject["commit"], subject["tree"]]


class Edit(NamedTuple):
    name: str
    files: dict[str, str | bytes | None]
    state: str


EDITS = (
    Edit("lowers a gate of its own", {**WORSE, "mlops.yaml": RULES.replace(">= 0.6", ">= 0.1")}, "failure"),
    Edit(
        "waives the gate for itself",
        {
            **WORSE,
            "waivers.yaml": WAIVER,
        },
        "failure",
    ),
    Edit(
        "edits the workflow that runs it",
        {**WORSE, ".github/workflows/mlops-check.yml": "name: mlops check\non: pull_request\njobs: {}\n"},
        "failure",
    ),
    Edit("divides rows anew", {"mlops.yaml": RULES.replace("30%", "40%")}, "failure"),
    Edit(
        "renames the project",
        {
            "mlops.yaml": RULES.replace("holdout: 30%", "holdout: 30%, salt: rain").replace(
                "project: rain", "project: snow"
            )
        },
        "failure",
    ),
    Edit(
        "makes another truth in prepare.sql",
        {"pipeline/prepare.sql": "SELECT * REPLACE (CASE WHEN rain > 5 THEN 1 ELSE 0 END AS late) FROM trains\n"},
        "failure",
    ),
    Edit(
        "leaves out rows in prepare.sql",
        {"pipeline/prepare.sql": "SELECT * FROM trains WHERE trip % 7 <> 0\n"},
        "failure",
    ),
    Edit(
        "leaves out rows in prepare.sql and touches the data",
        {
            "pipeline/prepare.sql": "SELECT * FROM trains WHERE trip % 7 <> 0\n",
            "data/trains.csv": csv_text([*rows(), ["120", "Bonn", "1.0", "3", "0"]]),
        },
        "failure",
    ),
    Edit(
        "prepares by another file, which leaves out rows",
        {"mlops.yaml": RULES.replace("pipeline/prepare.sql", "pipeline/other.sql")},
        "failure",
    ),
    Edit(
        "adds a column in prepare.sql",
        {"pipeline/prepare.sql": "SELECT *, rain * wind AS storm FROM trains\n"},
        "success",
    ),
    Edit("breaks mlops.yaml", {"mlops.yaml": "version: 1\nproject: [rain\n"}, "error"),
    Edit(
        "adds a project of the same name with easy rules",
        {"other/mlops.yaml": SETTINGS.replace(">= 0.6", ">= 0.0"), "other/data/trains.csv": csv_text(rows())},
        "error",
    ),
    Edit("takes mlops.yaml away", {"mlops.yaml": None}, "failure"),
)


@pytest.mark.parametrize("case", EDITS, ids=lambda case: case.name.replace(" ", "-"))
def test_an_edit_shows_what_the_table_says(case: Edit, sent: Sent, tmp_path: Path) -> None:
    judging, files = sent.judging, case.files
    commit = judging.branch(files, name=case.name.replace(" ", "-").replace(".", "-"))
    text = str(files.get("mlops.yaml", RULES))
    name = "snow" if "snow" in text else "rain"
    run = judging.left(None, commit)
    if files.get("mlops.yaml", "") is not None and "[rain" not in text:
        judging.add(run, judging.checked(project=name), project=name)
    told = judging.judged(run)
    assert [ran.code for ran in told.ran] == [0, 0], told.ran
    assert told.state == case.state
    assert row(case.name, told) in table()


def test_a_way_that_the_sources_no_longer_fit_changes_the_judge(sent: Sent) -> None:
    files = {
        "mlops.yaml": RULES.replace("{trains: data", "{trips: data"),
        "pipeline/prepare.sql": "SELECT * FROM trips WHERE trip % 7 <> 0\n",
    }
    commit = sent.judging.branch(files, name="renamed")
    told = sent.judging.judged(sent.judging.left(sent.judging.checked(), commit))
    assert told.state == "failure"
    why = "rain: undecided. The judge changes: pipeline/prepare.sql: its rows cannot be made as at "
    assert told.status.startswith(why)


def test_a_branch_of_ones_own_is_no_judge(sent: Sent) -> None:
    """A status holds for the commit: what passed for a branch with weak rules would pass for the default branch."""
    judging = sent.judging
    judging.branch({"mlops.yaml": RULES.replace(">= 0.6", ">= 0.0")}, name="weak")
    commit = judging.branch(WORSE, name="onto-weak", start="weak")
    judging.github.state.pulls[NUMBER].base_ref = "weak"
    told = judging.judged(judging.left(judging.checked(), commit))
    assert (told.state, told.status) == ("failure", REFUSED)
    assert told.decision["base"] == git(judging.desk, "rev-parse", "main")


def test_what_passed_on_a_branch_alone_is_nobodys_champion(sent: Sent, tmp_path: Path) -> None:
    judging = sent.judging
    commit = judging.branch(WORSE, name="merged")
    evidence = forged(judging.checked(), tmp_path / "forged", truth_as_predictions)
    assert judging.judged(judging.left(evidence, commit)).state == "success"
    git(judging.desk, "switch", "--quiet", "--create", "merge", "main")
    git(judging.desk, "merge", "--quiet", "--no-ff", "--message", "Merge", "merged")
    git(judging.desk, "fetch", "--quiet", "origin", "mlops-reports:refs/remotes/origin/mlops-reports")
    found = last_passed(Repository.open(judging.desk), "rain", "HEAD")
    assert found is not None
    assert (found.decision.trust, found.decision.subject.commit) == (Trust.DEFAULT_BRANCH, sent.honest.decision["base"])


def test_other_labels_are_allowed_and_told(sent: Sent) -> None:
    lines = [[*row[:4], str(1 - int(row[4]))] if int(row[0]) < 4 else row for row in rows()]
    commit = sent.judging.branch({"data/trains.csv": csv_text(lines)}, name="labels")
    told = sent.judging.judged(sent.judging.left(sent.judging.checked(), commit))
    assert told.state == "success"
    assert "**Other truth:** the target of 4 rows that were there before says something else." in told.comment


def test_the_newer_of_two_artifacts_of_one_name_is_judged(sent: Sent, tmp_path: Path) -> None:
    """As a second attempt leaves them; one of a project that does not exist is nobody's."""
    first = forged(sent.evidence, tmp_path / "forged", truth_as_predictions)
    pull = sent.judging.github.state.pulls[NUMBER]
    pull.head_ref, pull.head_sha = "change", sent.commit
    run = sent.judging.left(first, sent.commit)
    sent.judging.add(run, sent.evidence)
    sent.judging.add(run, first, project="nobody")
    assert sent.judging.judged(run).status == REFUSED


@pytest.mark.parametrize(("name", "select"), ENDLESS.items(), ids=ENDLESS)
def test_sql_that_never_ends_is_stopped_where_it_is_judged(
    sent: Sent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, select: str
) -> None:
    monkeypatch.setattr(ci_judge, "SECONDS_OF_SQL", 5.0)
    commit = sent.judging.branch({"pipeline/prepare.sql": f"{select}\n"}, name=name)

    def about_it(kept: Kept) -> Kept:
        subject = replace(kept.decision.subject, commit=commit)
        return replace(everything_passed(kept), decision=replace(kept.decision, subject=subject))

    run = sent.judging.left(forged(sent.evidence, tmp_path / "forged", about_it), commit)
    began = time.monotonic()
    told = sent.judging.judged(run)
    assert time.monotonic() - began < 60
    assert [ran.code for ran in told.ran] == [0, 0], told.ran
    assert told.state == "error"
    assert re.fullmatch(
        r"rain: could not be judged. pipeline/prepare.sql was stopped after \d s: it had no more time here",
        told.status,
    )
