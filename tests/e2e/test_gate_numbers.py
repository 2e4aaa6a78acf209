"""A gate has one number in terminal, report, `rows`, `waive` and `explain`; and what `rows` lists of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.flows.explain import explain as explain_word
from mlops_ci.ledger.statements import encode, parse_statement
from tests.e2e.bad_input import SETTINGS, Golden, Project, csv_text, project, rows, text_of
from tests.helpers import commit, git

NOW = datetime.now(UTC)
SOON = (NOW + timedelta(days=20)).date().isoformat()
OWN = "recall >= 0.99"
RAISED = SETTINGS + f"  - {OWN}\n"
FACTS = SETTINGS + "  - bundle_size <= 1 B\n  - tests.failed == 0\n  - drift.max_psi <= 0.2\n  - data.rows >= 1\n"


@pytest.fixture
def trains(tmp_path: Path) -> Project:
    made = project(tmp_path)
    git(made.root, "config", "user.name", "Ada Example")
    return made


def judged(made: Project, *words: str, code: int) -> Any:
    ran = made.run("check", "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran.document


def listed(made: Project, *words: str) -> tuple[list[dict[str, str]], str]:
    ran = made.run("rows", *words, "--json")
    assert ran.code == 0, ran.err
    found = ran.document
    return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]], found["about"]


def test_a_commits_own_gates_go_on_after_those_of_the_base_wherever_a_number_stands(
    trains: Project, golden: Golden
) -> None:
    trains.commit({"mlops.yaml": RAISED.replace("accuracy >= 0.6", "accuracy >= 0.7")})
    ran = trains.run("check", "--json")
    assert (ran.code, "\ngates     2 of 3 passed " in ran.err) == (10, True), ran.err
    answer: Any = ran.document
    assert [gate["gate"] for gate in answer["gates"]] == ["accuracy >= 0.6"]
    assert [gate["gate"] for gate in answer["judge"]["head_verdicts"]] == ["accuracy >= 0.7", OWN]
    golden("own-gates.txt", text_of(trains, trains.run("check")))
    report = trains.run("report").out
    assert f"| 3 ✗\u00a0failed | `{OWN}`" in report
    assert "| 1 ✓\u00a0passed | `accuracy >= 0.6`" in report
    assert f"mlops-ci rows {answer['decision'][:12]} --gate 3" in report
    assert "mlops-ci waive 3" in report
    told, about = listed(trains, "--gate", "3")
    assert OWN in about
    assert {(row["truth"], row["predicted"]) for row in told} == {("1", "0")}
    assert trains.run("explain", "3").out.startswith(f"{OWN}\n")
    assert trains.run("explain", "2").out.startswith("accuracy >= 0.7\n")
    ran = trains.run("waive", "3", "--reason", "x", "--until", SOON, "--json")
    assert ran.document["gate"] == OWN
    for words in (("rows", "--gate", "4"), ("explain", "4"), ("waive", "4", "--reason", "x", "--until", SOON)):
        ran = trains.run(*words)
        assert (ran.code, "there is no gate 4" in ran.err, "gates 1 to 3" in ran.err) == (2, True, True), ran.err


def test_the_base_can_waive_a_gate_that_a_commit_will_bring(trains: Project) -> None:
    waiver = f'version: 1\nwaivers:\n  - {{gate: "{OWN}", reason: later, owner: Ada, until: {SOON}}}\n'
    today = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    commit(trains.root, {"waivers.yaml": waiver}, "a waiver", date=today)
    commit(trains.root, {"mlops.yaml": RAISED}, "a gate", date=today)
    ran = trains.run("check", "--json")
    assert (ran.code, "\ngates     1 of 2 passed, 1 waived " in ran.err) == (0, True), ran.err
    answer: Any = ran.document
    assert answer["judge"].get("idle_waivers") is None
    assert answer["judge"]["head_verdicts"][1]["waived"]["owner"] == "Ada"
    assert "passed, with one gate waived: 1 of 2 gates hold, 1 waived" in trains.run("check").out
    assert f"**Passed, with one gate waived** until {SOON} by Ada: later" in trains.run("report").out
    run = Path(answer["reports"]["folder"])
    decision = parse_statement((run / "decision.json").read_bytes())
    head = decision.judge.head_verdicts
    forged = msgspec.structs.replace(head[1], waived=msgspec.structs.replace(head[1].waived, owner="Eve"))
    judge = msgspec.structs.replace(decision.judge, head_verdicts=(head[0], forged))
    (run / "decision.json").write_bytes(encode(msgspec.structs.replace(decision, judge=judge)))
    ran = trains.run("record", str(run))
    assert ran.code == 2
    assert "does not waive it so" in ran.err


def test_a_fact_has_no_rows_and_the_command_says_what_there_is(trains: Project, golden: Golden) -> None:
    trains.commit({"mlops.yaml": FACTS})
    judged(trains, code=10)
    trains.commit({"params.yaml": "limit: 5.1\n"})
    judged(trains, "--base", "HEAD", code=10)
    told = [text_of(trains, trains.run("rows", "--gate", str(number))) for number in (2, 3, 4, 5)]
    assert all(one.startswith("exit code 2\n") for one in told)
    golden("rows-of-facts.txt", "\n".join(told))


def test_a_gate_that_was_not_judged_has_no_rows(tmp_path: Path) -> None:
    made = project(tmp_path, checked=False)
    made.commit({"mlops.yaml": SETTINGS + "  - accuracy - champion.accuracy > -0.1\n"})
    judged(made, "--base", "HEAD", code=0)
    ran = made.run("rows", "--gate", "2")
    assert ran.code == 2
    assert (
        "gate 2 (accuracy - champion.accuracy > -0.1) was skipped, so no rows are behind it\nNo model has passed"
        in ran.err
    )


def test_rows_against_the_anchor_are_those_that_only_it_got_right(trains: Project) -> None:
    git(trains.root, "checkout", "--quiet", "-b", "side")
    anchor = git(trains.root, "rev-parse", "HEAD")
    against = ("accuracy - anchor.accuracy > -0.01", "d <= 0.01", "roc_auc - anchor.roc_auc > -0.01", "brier <= 0.01")
    gates = "".join(f"  - {one}\n" for one in against)
    trains.commit({"mlops.yaml": f"{SETTINGS}{gates}anchor: '{anchor[:9]}'\n"})
    judged(trains, "--base", "HEAD", code=10)
    trains.commit({"params.yaml": "limit: 6.0\n"})
    answer = judged(trains, "--base", "HEAD~1", code=10)
    by_anchor, about = listed(trains, "--gate", "2")
    assert about.endswith("and not against the anchor")
    assert list(by_anchor[0])[:4] == ["truth", "predicted", "anchor", "score"]
    assert {row["anchor"] == row["truth"] != row["predicted"] for row in by_anchor} == {True}
    everything, _ = listed(trains, "--holdout")
    assert list(everything[0])[:3] == ["truth", "predicted", "champion"]
    wrong = sum(row["truth"] != row["predicted"] for row in everything)
    right = sum(row["truth"] == row["predicted"] for row in everything)
    gate = answer["gates"][1]
    assert (gate["candidate"]["count"], gate["candidate"]["of"]) == (right, right + wrong)
    lost_more_than_won = gate["anchor"]["count"] - right
    assert lost_more_than_won <= len(by_anchor) < wrong
    changed, about = listed(trains, "--gate", "3")
    assert about == "answered otherwise than by the champion"
    assert {row["champion"] != row["predicted"] for row in changed} == {True}
    costly, about = listed(trains, "--gate", "5")
    assert about == "the 5 % of its rows that brier <= 0.01 counts most against this commit"
    costs = sorted(((float(row["score"]) - int(row["truth"])) ** 2 for row in everything), reverse=True)
    found = sorted(((float(row["score"]) - int(row["truth"])) ** 2 for row in costly), reverse=True)
    assert 0 < len(found) <= len(costs) // 10
    assert found == costs[: len(found)]
    _, about = listed(trains, "--gate", "4")
    assert about.endswith("counts most against this commit, compared with the anchor")


def test_of_rows_kept_for_verdicts_nothing_is_listed(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path, checked=False)
    promised = "holdout: {guarantee: {adaptivity: full, decisions: 4, disclose: verdict}}\n"
    gates = SETTINGS.replace("accuracy >= 0.6\n", "accuracy >= 0.6 @ 95%\n  - recall >= 0.5\n")
    made.commit({"mlops.yaml": gates + promised, "data/trains.csv": csv_text(rows(900))})
    judged(made, "--base", "HEAD", code=0)
    ran = made.run("rows", "--gate", "1")
    assert ran.code == 2
    golden("rows-kept-for-verdicts.txt", text_of(made, ran))
    told, _ = listed(made, "--gate", "2")
    every, _ = listed(made, made.run("history", "--json").document["decisions"][0]["id"][:12], "--holdout")
    assert 0 < len(told) < len(every) < 200, "a half of 270 rows or so"


def test_a_plan_is_about_the_last_rows_there_are(trains: Project, golden: Golden) -> None:
    trains.commit({"mlops.yaml": SETTINGS + "  - accuracy >= 0.9 @ 95%\n  - bundle_size <= 1 MB\n"})
    judged(trains, "--base", "HEAD", code=10)
    trains.commit({"data/trains.csv": csv_text([[*line[:4], ""] for line in rows()])})
    trains.run("check")
    ran = trains.run("gates", "plan")
    assert ran.code == 0, ran.err
    golden("gates-plan.txt", text_of(trains, ran))


def test_words_metrics_facts_and_checks_are_found_however_they_are_written_and_else_the_nearest(
    golden: Golden, tmp_path: Path
) -> None:
    asked = ("Champion", "looks", "contract", "roc_auc", "log_loss", "r2", "bundle_size", "could not be judged")
    told = [f"# {one}\n\n{explain_word(tmp_path, one)}" for one in asked]
    for unknown in ("wiaver", "target_leekage", "zzzz"):
        with pytest.raises(UsageError) as caught:
            explain_word(tmp_path, unknown)
        told.append(f"# {unknown}\n\n{caught.value.message}\n{caught.value.advice}")
    golden("explain-words.txt", "\n\n".join(told) + "\n")


def test_a_gate_that_names_nothing_there_is_is_refused_and_not_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no metric"):
        explain_word(tmp_path, "acuracy >= 0.6")
    with pytest.raises(ConfigError, match="cannot read"):
        explain_word(tmp_path, "accuracy => 0.6")
