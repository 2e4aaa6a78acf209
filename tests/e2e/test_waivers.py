"""`waive` and waivers.yaml at the command line: which waivers count, for how long, and how they are told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops_ci.ledger.statements import encode, parse_statement
from mlops_ci.records.outcomes import Outcome
from tests.e2e.bad_input import SETTINGS, Files, Golden, Project, assert_whole, project, text_of
from tests.helpers import commit, git

NOW = datetime.now(UTC)
SOON = (NOW + timedelta(days=20)).date().isoformat()
GATE = "accuracy >= 0.6"
BAD: Files = {"params.yaml": "limit: 99.0\n"}


@pytest.fixture
def trains(tmp_path: Path) -> Project:
    """The good project, on main."""
    made = project(tmp_path)
    git(made.root, "config", "user.name", "Ada Example")
    return made


def land(trains: Project, files: Files, *, days: int = 0) -> str:
    """A commit of today, or of some days before."""
    return commit(trains.root, files, "a change", date=(NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ"))


def waived(trains: Project, *more: str) -> None:
    ran = trains.run("waive", "1", "--reason", "the sensors are being replaced", "--until", SOON, *more)
    assert ran.code == 0, ran.err


def judged(trains: Project, *words: str, code: int) -> Any:
    ran = trains.run("check", "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran.document


def told(text: str) -> str:
    """A text in which the days of this test stand for themselves."""
    return text.replace(SOON, "SOON").replace(NOW.date().isoformat(), "TODAY")


def file(until: str, *, gate: str = GATE, reason: str = "the sensors are being replaced", owner: str = "Ada") -> str:
    return f'version: 1\nwaivers:\n  - gate: {gate}\n    reason: "{reason}"\n    owner: "{owner}"\n    until: {until}\n'


def test_a_waiver_on_the_base_lets_a_failed_gate_through_and_every_text_says_so(
    trains: Project, golden: Golden
) -> None:
    land(trains, {})
    waived(trains)
    land(trains, {})
    land(trains, BAD)
    answer = judged(trains, code=0)
    [gate] = answer["gates"]
    assert (answer["outcome"], gate["verdict"], gate["blocking"]) == ("passed", "failed", False)
    assert (gate["waived"]["owner"], gate["waived"]["until"]) == ("Ada Example", SOON)
    ran = trains.run("check")
    golden("waivers/passed.txt", told(text_of(trains, ran)))
    golden("waivers/report.md", told("\n".join(text_of(trains, trains.run("report")).splitlines()[:8]) + "\n"))
    assert 'class="is-undecided"' in Path(answer["reports"]["html"]).read_text()
    assert "1 waived" in trains.run("history").out
    assert "1 waived" in git(trains.root, "show", "mlops-reports:README.md").replace("\\", "")
    assert_whole(trains)


def test_a_commit_cannot_waive_its_own_gate(trains: Project) -> None:
    land(trains, {})
    waived(trains)
    land(trains, BAD)
    answer = judged(trains, code=10)
    assert answer["judge"]["differences"] == [
        f"waiver added: {GATE} until {SOON} by Ada Example: the sensors are being replaced"
    ]
    assert "waived" not in answer["gates"][0]
    assert "waiver added" in trains.run("report").out


def test_files_that_are_not_committed_waive_nothing_either(trains: Project) -> None:
    land(trains, BAD)
    waived(trains)
    judged(trains, code=10)


def test_what_the_base_waives_counts_for_files_that_are_not_committed(trains: Project) -> None:
    land(trains, {"waivers.yaml": file(SOON)})
    trains.lay(BAD)
    assert judged(trains, code=0)["gates"][0]["waived"]["owner"] == "Ada"


def test_where_there_is_no_base_the_rules_of_the_commit_decide_and_the_report_says_so(tmp_path: Path) -> None:
    made = project(tmp_path, checked=False)
    shutil.rmtree(made.root / ".git")
    git(made.root, "init", "--quiet", "--initial-branch=main")
    land(made, {**BAD, "waivers.yaml": file(SOON)})
    answer = judged(made, code=0)
    assert (answer["judge"]["source"], bool(answer["gates"][0]["waived"])) == ("head", True)
    report = made.run("report").out
    assert "Passed, with one gate waived" in report
    assert "Judged by its own rules" in report


def test_a_waiver_that_is_over_is_named_and_its_gate_blocks(trains: Project, golden: Golden) -> None:
    land(trains, {"waivers.yaml": file("2020-01-31")})
    land(trains, BAD)
    answer = judged(trains, code=10)
    assert [one["why"] for one in answer["judge"]["idle_waivers"]] == ["expired"]
    golden("waivers/expired.txt", told(text_of(trains, trains.run("check"))))


def test_what_counts_follows_from_the_commits_and_not_from_the_clock(trains: Project) -> None:
    """As long as it lasted then; and a commit cannot be dated before what it stands on."""
    until = (NOW - timedelta(days=30)).date().isoformat()
    land(trains, {"waivers.yaml": file(until)}, days=40)
    land(trains, BAD, days=35)
    assert judged(trains, code=0)["gates"][0]["waived"]
    land(trains, {}, days=10)
    land(trains, {"params.yaml": "limit: 98.0\n"}, days=35)
    assert judged(trains, code=10)["judge"]["idle_waivers"][0]["why"] == "expired"


def test_a_waiver_without_an_end_in_sight_does_not_count(trains: Project) -> None:
    land(trains, {"waivers.yaml": file("2099-01-01")})
    land(trains, BAD)
    assert judged(trains, code=10)["judge"]["idle_waivers"][0]["why"] == "too-long"


def test_leftovers_are_named(trains: Project) -> None:
    land(trains, {"waivers.yaml": file(SOON)})
    land(trains, {"params.yaml": "limit: 4.5\n"})
    assert judged(trains, code=0)["judge"]["idle_waivers"][0]["why"] == "not-needed"
    assert "not needed any more" in trains.run("check").out
    land(trains, {"waivers.yaml": file(SOON, gate="accuracy >= 0.65")})
    land(trains, {"params.yaml": "limit: 4.6\n"})
    assert judged(trains, code=0)["judge"]["idle_waivers"][0]["why"] == "no-such-gate"


def test_a_reason_is_text_wherever_it_is_shown(trains: Project) -> None:
    hostile = "<script>alert(1)</script> | [x](http://e.example) ##[error]x ::error::y @octocat"
    land(trains, {"waivers.yaml": file(SOON, reason=hostile, owner="<b>Ada</b>")})
    land(trains, BAD)
    page = Path(judged(trains, code=0)["reports"]["html"]).read_text()
    assert "<script>alert" not in page
    assert "<b>Ada" not in page
    report, line = trains.run("report").out, trains.run("check").out
    assert "[x](http" not in report
    assert "<script>" not in report.replace("\\<script>", "")
    assert "##[error]" not in line
    assert " ::error::" not in line


def forged(trains: Project, name: str, change: Callable[[Any], Any]) -> tuple[int, str]:
    """`record` of the last run with another decision in it."""
    run = Path(trains.run("check", "--json").document["reports"]["folder"])
    folder = shutil.copytree(run, trains.root.parent / name)
    decision = parse_statement((folder / "decision.json").read_bytes())
    (folder / "decision.json").write_bytes(encode(change(decision)))
    ran = trains.run("record", str(folder))
    return ran.code, ran.err


def test_record_takes_only_waivers_that_the_base_holds(trains: Project) -> None:
    replace = msgspec.structs.replace
    land(trains, {"waivers.yaml": file(SOON)})
    land(trains, BAD)
    answer = judged(trains, code=0)
    git(trains.root, "branch", "--quiet", "-D", "mlops-reports")
    assert trains.run("record", answer["reports"]["folder"]).code == 0

    def other_owner(decision: Any) -> Any:
        [gate] = decision.gates
        return replace(decision, gates=(replace(gate, waived=replace(gate.waived, owner="Eve")),))

    def no_waiver(decision: Any) -> Any:
        return replace(decision, gates=(replace(decision.gates[0], waived=msgspec.UNSET),))

    def blocks(decision: Any) -> Any:
        return replace(decision, gates=(replace(decision.gates[0], waived=msgspec.UNSET, blocking=True),))

    def failed(decision: Any) -> Any:
        return replace(decision, outcome=Outcome.FAILED)

    for change, why in (
        (other_owner, "does not waive it so"),
        (no_waiver, "nothing lets it through"),
        (blocks, "its answers say failed"),
        (failed, "its answers say passed"),
    ):
        code, said = forged(trains, change.__name__, change)
        assert code == 2, change.__name__
        assert why in said


def test_waive_writes_one_entry_and_again_changes_nothing(trains: Project, golden: Golden) -> None:
    land(trains, BAD)
    judged(trains, code=10)
    words = ("waive", "1", "--reason", 'a "reason": # with signs', "--until", SOON)
    first = trains.run(*words)
    golden("waivers/waive.txt", told(text_of(trains, first)))
    written = (trains.root / "waivers.yaml").read_text()
    golden("waivers/waivers.yaml", told(written))
    again = trains.run("waive", GATE, *words[2:], "--json")
    assert (again.code, again.document["changed"], again.document["gate"]) == (0, False, GATE)
    assert (trains.root / "waivers.yaml").read_text() == written
    assert_whole(trains)


def test_the_number_is_the_one_of_the_report_and_a_name_is_a_gate_too(trains: Project) -> None:
    named = SETTINGS.replace(f"  - {GATE}\n", f"  - {{gate: {GATE}, name: enough}}\n  - recall >= 0.1\n")
    land(trains, {"mlops.yaml": named})
    for asked, gate in (("enough", GATE), ("recall  >= 0.1", "recall >= 0.1"), ("1", GATE)):
        ran = trains.run("waive", asked, "--reason", "x", "--until", SOON, "--json")
        assert (ran.code, ran.document.get("gate")) == (0, gate), ran.err
    assert trains.run("waive", "2", "--reason", "x", "--until", SOON).code == 2  # the last report has one gate


LATE = (NOW + timedelta(days=91)).date().isoformat()
REFUSED = {
    "no-such-number": ("7", "x", SOON),
    "unknown-gate": ("acuracy >= 0.6", "x", SOON),
    "empty-reason": ("1", " ", SOON),
    "two-lines": ("1", "a\nb", SOON),
    "past": ("1", "x", "2020-01-01"),
    "not-a-day": ("1", "x", "next week"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_waived_is_refused_and_nothing_is_written(trains: Project, golden: Golden, name: str) -> None:
    gate, reason, until = REFUSED[name]
    ran = trains.run("waive", gate, "--reason", reason, "--until", until)
    assert ran.code == 2
    late = (NOW + timedelta(days=90)).date().isoformat()
    golden(f"waivers/refused-{name}.txt", told(text_of(trains, ran)).replace(late, "LATEST"))
    assert not (trains.root / "waivers.yaml").exists()


def test_a_day_too_far_ahead_is_refused(trains: Project) -> None:
    ran = trains.run("waive", "1", "--reason", "x", "--until", LATE)
    assert ran.code == 2
    assert "more than 90 days away" in ran.err


def test_nobody_owns_it_where_git_knows_no_name(trains: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    git(trains.root, "config", "user.name", "")
    ran = trains.run("waive", "1", "--reason", "x", "--until", SOON)
    assert ran.code == 2
    assert "--owner NAME" in ran.err


NO_SCORES = """\
class Rule:
    classes_ = [0, 1]

    def predict(self, frame):
        return (frame["rain"] > 5).astype(int)


def train(frame, params, seed):
    return Rule()
"""


def test_a_gate_that_could_not_be_judged_is_not_waived(trains: Project) -> None:
    """Neither by the command nor by an entry made by hand."""
    needs_scores = SETTINGS.replace(GATE, "roc_auc >= 0.6")
    entry = file(SOON, gate="roc_auc >= 0.6")
    land(trains, {"mlops.yaml": needs_scores, "pipeline/train.py": NO_SCORES, "waivers.yaml": entry})
    land(trains, {"params.yaml": "limit: 5.5\n"})
    answer = judged(trains, code=11)
    assert answer["judge"]["idle_waivers"][0]["why"] == "errored"
    ran = trains.run("waive", "1", "--reason", "x", "--until", SOON)
    assert ran.code == 2
    assert "could not be judged" in ran.err


def test_a_waivers_file_that_cannot_be_read_stops_before_anything_is_computed(trains: Project, golden: Golden) -> None:
    land(trains, {"waivers.yaml": file(SOON).replace("owner", "onwer")})
    ran = trains.run("check")
    assert ran.code == 2
    golden("bad-input/file-waivers-unknown-key.txt", text_of(trains, ran))
