"""The anchor: a pinned decision that gates compare with while the champion moves on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_ci.steps.rejudge import disagreements, question_of
from mlops_ci.steps.runs import Kept, read_run
from tests.e2e.bad_input import SETTINGS, Project, csv_text, project, rows
from tests.helpers import git

CHAMPION_GATE = "  - accuracy - champion.accuracy > -0.05 @ 95%\n"
ANCHOR_GATE = "  - accuracy - anchor.accuracy > -0.07 @ 95%\n"
BOTH = SETTINGS + CHAMPION_GATE + ANCHOR_GATE


def judged(made: Project, *words: str, code: int) -> Any:
    ran = made.run("check", "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran.document


def kept(answer: Any) -> Kept:
    return read_run(Path(answer["reports"]["folder"]))


def head(made: Project) -> str:
    return git(made.root, "rev-parse", "HEAD")


def pinned(made: Project, text: str = BOTH) -> str:
    """The anchor is the present commit, and the next one says so."""
    commit = head(made)
    made.commit({"mlops.yaml": f"{text}anchor: '{commit[:9]}'\n"})
    return commit


@pytest.fixture
def trains(tmp_path: Path) -> Project:
    made = project(tmp_path)
    git(made.root, "checkout", "--quiet", "-b", "side")
    return made


@pytest.fixture(scope="module")
def losing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str, list[Any]]:
    """A project, the commit it is pinned to, and the answers to three commits that each lose three points."""
    made = project(tmp_path_factory.mktemp("losing"))
    git(made.root, "checkout", "--quiet", "-b", "side")
    made.commit({"data/trains.csv": csv_text(rows(6_000))})
    judged(made, code=0)
    anchor = pinned(made)
    judged(made, "--base", "HEAD~1", code=0)
    answers = []
    for limit, code in (("5.3", 0), ("5.6", 0), ("6.05", 10)):
        made.commit({"params.yaml": f"limit: {limit}\n"})
        answers.append(judged(made, "--base", "HEAD~1", code=code))
    return made, anchor, answers


def test_small_losses_pass_the_champions_margin_and_the_anchor_adds_them_up(
    losing: tuple[Project, str, list[Any]],
) -> None:
    _, anchor, answers = losing
    found = [[gate["verdict"] for gate in answer["gates"]] for answer in answers]
    assert found == [["passed"] * 3, ["passed"] * 3, ["passed", "passed", "failed"]]
    assert {answer["anchor"]["commit"] for answer in answers} == {anchor}
    assert len({answer["champion"]["commit"] for answer in answers}) == 3
    by_champion, by_anchor = ([answer["gates"][place]["observed"] for answer in answers] for place in (1, 2))
    assert by_anchor == pytest.approx([sum(by_champion[: place + 1]) for place in range(3)])
    last = answers[-1]["gates"][2]
    assert last["champion"] is None
    assert last["observed"] == pytest.approx(last["candidate"]["value"] - last["anchor"]["value"])


def test_report_and_terminal_say_what_it_is_against(losing: tuple[Project, str, list[Any]]) -> None:
    made, anchor, _ = losing
    told, report = made.run("check", "--base", "HEAD~1").out, made.run("report").out
    name = f"the anchor, {anchor[:7]}"
    assert f"{name}: 0.856" in told
    assert "refused: accuracy fell from the anchor's 0.856 to 0.770" in told
    assert "in production" not in told + report
    assert f"| {name} |" in report
    assert f"against **{git(made.root, 'rev-parse', 'HEAD~1')[:7]}, the last that passed** and **{name}**" in report
    row = next(line for line in report.splitlines() if "anchor.accuracy" in line and line.startswith("| "))
    assert "| – | 0.856 |" in row


def test_the_verdicts_follow_from_what_is_kept(losing: tuple[Project, str, list[Any]]) -> None:
    made, _, answers = losing
    for answer in answers:
        run = kept(answer)
        rival = question_of(run).anchor
        assert disagreements(run) == ()
        assert {"anchor_labels", "anchor_scores"} <= run.arrays.keys()
        assert rival is not None
        assert run.evidence.look is not None
        claims = [claim for claim in run.evidence.look.claims if '"anchor":true' in claim]
        assert [claim.rpartition(" ")[2] for claim in claims] == [rival.predictions and rival.predictions.digest]
    assert "accuracy - anchor.accuracy > -0.07 @ 95%" in made.run("gates", "plan").out


def test_without_an_anchor_its_gates_are_refused_where_they_stand(trains: Project) -> None:
    trains.commit({"mlops.yaml": BOTH})
    for words in (("check",), ("explain", "3")):
        ran = trains.run(*words)
        assert ran.code == 2, ran.out + ran.err
        assert 'mlops.yaml:14: "anchor.accuracy" needs `anchor:` in mlops.yaml, which is not set' in ran.err
        assert f"accuracy - anchor.accuracy > -0.07 @ 95%\n  {' ' * 11}^\n" in ran.err
        assert "anchor: a1b2c3d" in ran.err


def test_an_anchor_that_is_not_there_could_not_be_judged_until_it_is(trains: Project) -> None:
    trains.commit({"params.yaml": "limit: 5.1\n"})
    missing = head(trains)
    trains.commit({"README.md": "# Trains\n"})
    judged(trains, "--base", "HEAD~1", code=0)
    trains.commit({"mlops.yaml": f"{BOTH}anchor: '{missing[:9]}'\n"})
    before = judged(trains, "--base", "HEAD~1", code=11)
    gate = before["judge"]["head_verdicts"][2]
    assert gate["verdict"] == "errored"
    assert "cannot be used: no decision about rain begins so here" in gate["reason"]
    assert before["anchor"]["decision"] == ""
    assert disagreements(kept(before)) == ()
    judged(trains, "--at", missing, code=0)
    after = judged(trains, "--base", "HEAD~1", code=0)
    assert after["anchor"]["commit"] == missing
    assert after["champion"] == before["champion"]


def test_another_decision_about_the_anchors_commit_is_not_answered_from_before(trains: Project) -> None:
    for limit in ("5.1", "5.2"):
        trains.commit({"params.yaml": f"limit: {limit}\n"})
    first = judged(trains, "--base", "HEAD~1", code=0)
    anchor = pinned(trains)
    judged(trains, "--base", "HEAD~1", code=0)
    trains.commit({"README.md": "# Trains\n"})
    before = judged(trains, "--base", "HEAD~1", code=0)
    again = judged(trains, "--at", anchor, "--base", f"{anchor}~2", code=0)
    after = judged(trains, "--base", "HEAD~1", code=0)
    assert after["champion"] == before["champion"]
    assert [answer["anchor"]["decision"] for answer in (before, after)] == [first["decision"], again["decision"]]


def test_a_decision_that_did_not_pass_is_no_anchor(trains: Project) -> None:
    trains.commit({"params.yaml": "limit: 99.0\n"})
    judged(trains, code=10)
    pinned(trains)
    trains.commit({"params.yaml": "limit: 5.0\n"})
    gate = judged(trains, "--base", "HEAD~1", code=11)["gates"][2]
    assert "did not pass (failed)" in gate["reason"]


def test_the_anchor_of_the_base_counts_and_a_changed_one_is_told(trains: Project) -> None:
    loose = SETTINGS + "  - accuracy - anchor.accuracy > -0.4 @ 95%\n"
    anchor = pinned(trains, loose)
    judged(trains, "--base", "HEAD~1", code=0)
    trains.commit({"params.yaml": "limit: 5.1\n"})
    judged(trains, "--base", "HEAD~1", code=0)
    pinned(trains, loose)
    answer = judged(trains, "--base", "HEAD~1", code=0)
    assert answer["anchor"]["commit"] == anchor
    assert answer["judge"]["differences"] == ["anchor changed"]
    trains.commit({"mlops.yaml": SETTINGS})
    dropped = judged(trains, "--base", "HEAD~1", code=0)
    assert dropped["judge"]["differences"] == [
        "gate removed: accuracy - anchor.accuracy > -0.4 @ 95%",
        "anchor changed",
    ]
    assert len(dropped["gates"]) == 2


def test_new_rows_are_asked_of_the_anchors_model(trains: Project) -> None:
    pinned(trains)
    judged(trains, "--base", "HEAD~1", code=0)
    trains.commit({"data/trains.csv": csv_text(rows(3_000)), "params.yaml": "limit: 5.2\n"})
    answer = judged(trains, "--base", "HEAD~1", code=0)
    gate, run = answer["gates"][2], kept(answer)
    assert gate["verdict"] == "passed"
    assert gate["anchor"]["of"] == gate["candidate"]["of"] == len(run.arrays["anchor_labels"])
    assert "anchor_unanswered" not in run.arrays
    assert disagreements(run) == ()


def test_a_decision_that_compares_with_no_anchor_says_nothing_of_it(trains: Project) -> None:
    pinned(trains, SETTINGS)
    answer = judged(trains, "--base", "HEAD~1", code=0)
    assert answer["anchor"] is None
    assert "anchor" not in (Path(answer["reports"]["folder"]) / "decision.json").read_text().replace(
        "anchor changed", ""
    )
