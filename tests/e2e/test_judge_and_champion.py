"""Who decides and what is compared: rules from the base, the champion's answers, `--base`, `--at`, `--only`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bad_input import GOOD, SETTINGS, Project, csv_text, project, rows
from tests.helpers import git

CHAMPION_GATE = "  - accuracy - champion.accuracy > -0.05 @ 95%\n"


@pytest.fixture
def trains(tmp_path: Path) -> Project:
    """The good project on a side branch of main."""
    made = project(tmp_path)
    git(made.root, "checkout", "--quiet", "-b", "side")
    return made


def judged(trains: Project, *words: str, code: int) -> Any:
    ran = trains.run("check", "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran.document


def evidence(trains: Project, answer: Any) -> Any:
    from json import loads

    return loads((Path(answer["reports"]["folder"]) / "evidence" / "evidence.json").read_text())


def test_a_commit_that_lowers_its_own_gate_is_judged_by_the_gate_of_the_base(trains: Project) -> None:
    trains.commit({"mlops.yaml": SETTINGS.replace(">= 0.6", ">= 0.1"), "params.yaml": "limit: 99.0\n"})
    answer = judged(trains, code=10)
    assert [(gate["gate"], gate["verdict"]) for gate in answer["gates"]] == [("accuracy >= 0.6", "failed")]
    judge = answer["judge"]
    assert judge["source"] == "base"
    assert judge["differences"] == ["gate added: accuracy >= 0.1", "gate removed: accuracy >= 0.6"]
    assert [gate["verdict"] for gate in judge["head_verdicts"]] == ["passed"]
    assert answer["change"]["kinds"] == ["params", "judge"]


def test_a_commit_that_raises_its_own_gate_must_clear_it(trains: Project) -> None:
    trains.commit({"mlops.yaml": SETTINGS.replace("accuracy >= 0.6", "accuracy >= 0.99")})
    answer = judged(trains, code=10)
    assert [gate["verdict"] for gate in answer["gates"]] == ["passed"]
    assert [gate["verdict"] for gate in answer["judge"]["head_verdicts"]] == ["failed"]
    assert "This commit's own gate accuracy >= 0.99 does not hold" in trains.run("report").out.replace("&gt;", ">")
    assert "own gate accuracy >= 0.99 does not hold" in trains.run("history").out


def test_gates_of_an_environment_are_judged_beside_and_decide_nothing(trains: Project) -> None:
    gates = "environments:\n  production:\n    gates: [accuracy >= 0.99, d <= 0.5 @ 95%]\n"
    trains.commit({"mlops.yaml": SETTINGS + gates, "params.yaml": "limit: 5.1\n"})
    assert judged(trains, code=0)["environments"] == []  # the base has none, and its rules decide
    trains.commit({"params.yaml": "limit: 5.2\n"})
    answer = judged(trains, "--base", "HEAD~1", code=0)
    assert [(gate["environment"], gate["gate"], gate["verdict"]) for gate in answer["environments"]] == [
        ("production", "accuracy >= 0.99", "failed"),
        ("production", "d <= 0.5 @ 95%", "passed"),
    ]
    assert [gate["gate"] for gate in answer["gates"]] == ["accuracy >= 0.6"]
    assert "For production: refused." in trains.run("report").out
    planned = trains.run("gates", "plan").out
    assert "\nfor production: d <= 0.5 @ 95%\n" in planned
    trains.commit({"mlops.yaml": SETTINGS + gates.replace("0.99", "0.9")})
    assert judged(trains, code=0)["judge"]["differences"] == ["gates of environments changed"]


def test_a_commit_that_changes_the_question_is_undecided(trains: Project) -> None:
    trains.commit({"mlops.yaml": SETTINGS.replace("holdout: 30%", "holdout: 40%")})
    answer = judged(trains, code=10)
    assert answer["outcome"] == "undecided"
    assert "the judge changes" in trains.run("report").out.lower()


def test_rules_at_the_base_that_cannot_be_read_leave_the_decision_to_heads(trains: Project) -> None:
    trains.commit({"mlops.yaml": SETTINGS + "unknown: 1\n"})
    broken = git(trains.root, "rev-parse", "HEAD")
    trains.commit({"mlops.yaml": SETTINGS})
    answer = judged(trains, "--base", broken, code=0)
    assert answer["judge"]["source"] == "head"
    assert "unknown" in answer["judge"]["differences"][0]


def test_a_model_test_that_only_head_has_is_run_and_does_not_block(trains: Project) -> None:
    trains.commit({"tests/model/test_new.py": "def test_never(holdout):\n    assert len(holdout) == 0\n"})
    answer = judged(trains, code=0)
    found = {result["check"]: result for result in answer["checks"] if result["part"] == "tests"}
    assert found["test_new.py::test_never"]["status"] == "failed"
    assert found["test_new.py::test_never"]["blocking"] is False
    assert found["test_behaviour.py::test_more_rain_makes_no_train_earlier"]["blocking"] is True


def test_a_model_test_of_the_base_cannot_be_taken_away(trains: Project) -> None:
    trains.commit({"tests/model/test_behaviour.py": "def test_nothing():\n    pass\n"})
    answer = judged(trains, code=0)
    names = [result["check"] for result in answer["checks"] if result["part"] == "tests"]
    assert names == ["test_behaviour.py::test_more_rain_makes_no_train_earlier"]


def test_prose_leaves_the_model_the_same_and_a_gate_against_it_passes(trains: Project) -> None:
    trains.commit({"mlops.yaml": SETTINGS + CHAMPION_GATE})
    judged(trains, code=0)
    base = git(trains.root, "rev-parse", "HEAD")
    trains.commit({"README.md": "# Trains\n"})
    answer = judged(trains, "--base", base, code=0)
    gate = answer["gates"][1]
    assert (gate["verdict"], gate["method"], gate["observed"]) == ("passed", "same-model/1", 0.0)
    assert answer["change"]["kinds"] == []


def test_new_rows_are_asked_of_the_champions_model_too(trains: Project) -> None:
    trains.commit({"mlops.yaml": SETTINGS + CHAMPION_GATE, "data/trains.csv": csv_text(rows(200))})
    answer = judged(trains, code=0)
    told = evidence(trains, answer)
    new = told["evaluation"]["new_rows"]
    assert told["data_change"]["added"] == 80
    assert told["data_change"]["removed"] == told["data_change"]["changed"] == 0
    assert 0 < new["rows"] < 80
    accuracy = next(metric for metric in answer["metrics"] if metric["metric"] == "accuracy")
    # The rule did not change, so neither did an answer.
    assert accuracy["champion"] == accuracy["value"]
    assert (told["evaluation"]["flips"]["won"], told["evaluation"]["flips"]["lost"]) == (0, 0)
    assert new["champion"]["accuracy"] == new["metrics"]["accuracy"]


def test_a_corrected_label_keeps_the_champions_answer_and_counts_as_changed(trains: Project) -> None:
    lines = rows()
    lines[3][4] = "0" if lines[3][4] == "1" else "1"
    trains.commit({"data/trains.csv": csv_text(lines)})
    told = evidence(trains, judged(trains, code=0))
    assert (told["data_change"]["added"], told["data_change"]["changed"]) == (0, 1)


def test_the_champion_is_the_last_that_passed_before_the_base(trains: Project) -> None:
    trains.commit({"params.yaml": "limit: 99.0\n"})
    judged(trains, code=10)
    trains.commit({"params.yaml": "limit: 5.5\n"})
    answer = judged(trains, "--base", "HEAD~1", code=0)
    assert answer["champion"]["commit"] == git(trains.root, "rev-parse", "good")
    assert [one["key"] for one in answer["change"]["params"]] == ["limit"]


def test_a_commit_judged_from_elsewhere_gives_the_same_decision(trains: Project) -> None:
    trains.commit({"params.yaml": "limit: 4.0\n"})
    here = judged(trains, code=0)
    commit = git(trains.root, "rev-parse", "HEAD")
    git(trains.root, "checkout", "--quiet", "main")
    there = judged(trains, "--at", commit, "--fresh", code=0)
    assert there["decision"] == here["decision"]


def test_only_the_data_trains_nothing_and_skips_the_gates(trains: Project) -> None:
    trains.commit({"pipeline/train.py": "raise RuntimeError('must not run')\n"})
    answer = judged(trains, "--only", "data", code=0)
    assert [(gate["verdict"], gate["reason"]) for gate in answer["gates"]] == [
        ("skipped", "only the data was asked for")
    ]
    assert answer["metrics"] == []


def test_only_the_model_leaves_the_data_unchecked(trains: Project) -> None:
    trains.commit({"params.yaml": "limit: 4.5\n"})
    answer = judged(trains, "--only", "model", code=0)
    assert [result for result in answer["checks"] if result["part"] == "data"] == []
    assert answer["gates"][0]["verdict"] == "passed"


def test_a_project_in_a_folder_of_the_repository_is_judged_by_its_own_tree(tmp_path: Path) -> None:
    made = project(tmp_path)
    git(made.root, "checkout", "--quiet", "-b", "two")
    made.commit({f"models/rain/{name}": content for name, content in GOOD.items()} | dict.fromkeys(GOOD, None))
    answer = Project(made.root / "models" / "rain", made.temporary).run("check", "--json")
    assert answer.code == 0, answer.err
    tree = git(made.root, "rev-parse", "HEAD:models/rain")
    assert answer.document["subject"]["tree"] == tree
