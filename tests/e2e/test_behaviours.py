"""Behaviours that model tests count, at the command line: held, not held, and not known with the rows there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bad_input import Golden, Project, project, text_of

TESTS = """\
def test_more_rain_is_not_safer(behaviour, holdout):
    behaviour.direction(holdout, raise_by={{"rain": 1}}, then="not lower", at_least="{at_least}"{more})


def test_the_town_does_not_matter(behaviour, holdout):
    behaviour.invariant(holdout, change={{"town": "Dresden"}}, at_least="90%")
"""


@pytest.fixture
def trains(tmp_path: Path) -> Project:
    """The good project on main."""
    return project(tmp_path)


def judged(trains: Project, text: str, *, code: int) -> Any:
    """The decision on the commit after the one that brings the tests along: they are the judge's then."""
    trains.commit({"tests/model/test_behaviour.py": text})
    trains.commit({"params.yaml": "limit: 5.2\n"})
    ran = trains.run("check", "--json")
    assert ran.code == code, ran.out + ran.err
    return ran.document


def test_what_the_rows_show_passes_and_the_report_says_on_how_many(trains: Project) -> None:
    answer = judged(trains, TESTS.format(at_least="90%", more=""), code=0)
    direction, invariance = [one for one in answer["checks"] if one["part"] == "tests"]
    assert (direction["status"], direction["numbers"]["held"], direction["numbers"]["of"]) == ("passed", 43, 43)
    assert direction["where"] == {"file": "tests/model/test_behaviour.py", "line": 2}
    assert invariance["message"] == "invariance holds for 100 % of 43 rows [93.3, 100], needs 90 %"
    assert "holds for 100\u00a0% of 43 rows" in trains.run("report").out


def test_what_the_rows_cannot_show_is_undecided_and_blocks(trains: Project, golden: Golden) -> None:
    answer = judged(trains, TESTS.format(at_least="95%", more=""), code=10)
    assert answer["outcome"] == "undecided"
    golden("behaviour-undecided.txt", text_of(trains, trains.run("check")))


def test_an_undecided_one_may_be_let_through(trains: Project) -> None:
    answer = judged(trains, TESTS.format(at_least="95%", more=', when_undecided="warn"'), code=0)
    direction = next(one for one in answer["checks"] if "rain" in one["check"])
    assert (direction["status"], direction["blocking"]) == ("undecided", False)


def test_what_does_not_hold_is_refused(trains: Project, golden: Golden) -> None:
    text = TESTS.format(at_least="90%", more="").replace('"not lower"', '"lower"')
    answer = judged(trains, text, code=10)
    assert answer["outcome"] == "failed"
    golden("behaviour-refused.txt", text_of(trains, trains.run("check")))
