"""The one comment on a pull request: what it says, that it fits, and that nothing in it can act or forge it."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest
from markdown_it import MarkdownIt

from mlops_ci.records.data import ColumnChange
from mlops_ci.records.decisions import Evidence
from mlops_ci.records.judged import State
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part as Side
from mlops_ci.reports import comment
from mlops_ci.reports.comment import LIMIT, MOST_RUNS, EarlierRun, Mark, Part
from mlops_ci.reports.story import Story
from tests.conftest import GOLDEN
from tests.unit.reports.comment_stories import COMMENTS, COMMIT, RUN, UNREADABLE, aside, mark, part
from tests.unit.reports.report_stories import HOSTILE, decision, new_data, refused, result, story, verdict, waived
from tests.unit.reports.test_report_markdown import ALLOWED, shown

replace = msgspec.structs.replace


def folds(told: str) -> int:
    """Folded parts that are opened and never closed, as a reader's browser sees them."""
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(told)
    return len(re.findall(r"<details[ >]", page)) - page.count("</details>")


@pytest.mark.parametrize("name", COMMENTS)
def test_the_comment_people_read_is_the_golden_one(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"comment-{name}.md", COMMENTS[name]())


def test_every_golden_comment_belongs_to_a_story() -> None:
    assert {path.name for path in GOLDEN.glob("comment-*")} == {f"comment-{name}.md" for name in COMMENTS}


@pytest.mark.parametrize("name", COMMENTS)
def test_the_first_line_people_see_is_the_verdict(name: str) -> None:
    first, second = COMMENTS[name]().split("\n")[:2]
    assert first.startswith("<!-- mlops-ci:report {")
    assert first.endswith("} -->")
    assert second.startswith("### ")
    assert re.search(r"\*\*(passed|refused|undecided|could not be judged)[^*]*\*\*", second)


@pytest.mark.parametrize("name", COMMENTS)
def test_folded_parts_are_closed_and_blank_lines_are_single(name: str) -> None:
    told = COMMENTS[name]()
    assert folds(told) == 0
    assert "\n\n\n" not in told
    assert told.endswith("</sub>\n")


def test_without_a_ledger_charts_are_drawn_with_letters() -> None:
    told = COMMENTS["no-pictures"]()
    assert "![" not in told
    assert "├" in told
    assert "█" in told
    assert "![" in COMMENTS["refused"]()


# Of several projects.


def test_the_worst_project_is_first_and_those_that_did_not_pass_are_open() -> None:
    told = COMMENTS["several"]()
    assert told.split("\n")[1] == "### **could not be judged**: 2 of 4 projects passed"
    listed = re.findall(r"^- (.) ([\w-]+): \*\*", told, re.MULTILINE)
    assert listed == [("!", "churn"), ("?", "digits"), ("✓", "flight-delay"), ("✓", "rents")]
    assert re.findall(r"<details( open)?><summary><b>([\w-]+)</b>: (\w+)", told) == [
        (" open", "digits", "undecided"),
        ("", "flight-delay", "passed"),
        ("", "rents", "passed"),
    ]
    assert "Nothing that is judged has changed in fares, routes." in told


def test_a_gate_that_is_waived_lets_a_project_pass_in_comment_and_count() -> None:
    passed = part(waived())
    assert passed.outcome is Outcome.PASSED
    told = comment.body(mark(), [passed, part(refused())], run_address=RUN)
    assert "1 of 2 projects passed" in told


# How long.


def _large(number: int, columns: int = 400) -> Part:
    """Every one of many columns drifted and fails a check with a long name of signs beyond the first plane."""
    told = new_data()
    change = told.evidence.data_change
    assert change is not None
    names = [f"column {place} {HOSTILE[place % len(HOSTILE)] * 9}\U0001f40b" for place in range(columns)]
    drifted = tuple(ColumnChange(column=name, change="drift", before=name, after=name, psi=0.5) for name in names)
    failed = tuple(
        result(name, name * 3, part=side, status=Status.FAILED, column=name, details=name * 9)
        for name in names
        for side in (Side.DATA, Side.TESTS)
    )
    evidence = replace(told.evidence, data_change=replace(change, columns=drifted))
    wide = replace(told, evidence=evidence, decision=replace(told.decision, checks=failed, project=f"large-{number}"))
    return part(wide)


@pytest.mark.parametrize("number", [1, 2, 3, 8])
def test_large_projects_fit_and_the_gates_of_each_are_told(number: int) -> None:
    told = comment.body(mark(), [_large(place) for place in range(number)], run_address=RUN)
    assert LIMIT / 5 < len(told) <= LIMIT
    assert len(told.encode()) <= 4 * LIMIT
    assert told.count("#### Gates") == told.count("#### Next") == number
    assert told.count("Left out for length:") == number
    assert folds(told) == 0


def test_what_one_project_does_not_need_is_room_for_another() -> None:
    alone = comment.body(mark(), [_large(0)], run_address=RUN)
    small = [part(_tiny(f"small-{place}")) for place in range(3)]
    beside = comment.body(mark(), [_large(0), *small], run_address=RUN)
    assert "Left out" in alone
    assert alone.count("####") == beside.count("####") - 3 * _headings(small[0])


def _tiny(name: str) -> Story:
    return story(decision(project=name, gates=(verdict("n >= 1", observed=2.0, threshold=1.0),)), _nothing())


def _nothing() -> Evidence:
    return replace(refused().evidence, evaluation=None, training=None, snapshot=None, data_change=None)


def _headings(one: Part) -> int:
    return comment.body(mark(), [one], run_address=RUN).count("####")


@pytest.mark.parametrize("number", [30, 300, 3_000])
@pytest.mark.parametrize("name", ["p", "$" * 900, HOSTILE[-1] * 30])
def test_no_number_of_projects_is_too_long_and_each_is_counted(number: int, name: str) -> None:
    parts = [aside(f"{name}{place}", State.NO_EVIDENCE, f"{place} {name}") for place in range(number)]
    told = comment.body(mark(earlier=_runs(5, 50)), [*parts, _large(0, 30)], run_address=RUN, notes=[name] * 9)
    assert len(told) <= LIMIT
    assert f"0 of {number + 1} projects passed" in told or f"1 of {number + 1} projects passed" in told
    listed = len(re.findall(r"^- [!?✗✓] ", told, re.MULTILINE))
    more = re.search(r"- and (\d+) more, on the page of the run", told)
    assert listed + int(more[1] if more else 0) == number + 1
    assert "and 4 more notes in the log of the run" in told


def test_sixty_gates_are_told_in_full() -> None:
    gates = tuple(
        verdict(
            f"recall[carrier={place:02d} of a company with a long name and {place} aeroplanes] >= 0.5 @ 95%",
            Status.FAILED,
            observed=0.4,
            low=0.35,
            high=0.45,
            threshold=0.5,
            reason="with 95 % confidence the value is at most 0.45, below 0.5",
            method="clopper-pearson/1",
            confidence=0.95,
        )
        for place in range(60)
    )
    told = refused()
    many = part(replace(told, decision=replace(told.decision, gates=gates)))
    body = comment.body(mark(), [many], run_address=RUN)
    assert len(body) <= LIMIT
    assert len(re.findall(r"^\| \d+ ✗", body, re.MULTILINE)) == 60


@pytest.mark.parametrize(
    ("needs", "room", "given"),
    [
        ([10, 10], 100, [10, 10]),
        ([90, 10], 100, [90, 10]),
        ([90, 90], 100, [50, 50]),
        ([90, 10, 90], 100, [45, 10, 45]),
        ([], 100, []),
    ],
)
def test_room_is_shared_fairly(needs: list[int], room: int, given: list[int]) -> None:
    assert comment.shares(needs, room) == given


# What names cannot do.


def test_nothing_in_a_hostile_comment_becomes_markup_or_a_mention() -> None:
    found = shown(COMMENTS["hostile"]().split("\n", 1)[1])
    assert {tag for tag, _ in found.seen} <= ALLOWED | {"a", "sub", "blockquote"}
    links = [attrs for tag, attrs in found.seen if tag == "a"]
    assert links
    assert all(str(attrs["href"]).startswith("https://github.com/acme/ml/") for attrs in links)
    assert all(set(attrs) <= {"src", "alt", "style", "align", "href", "open"} for _, attrs in found.seen)
    assert not re.search(r"@\w|(?<!\w)#\d|GH-\d|://|www\.|:tada:", found.codeless)


@pytest.mark.parametrize("name", [*HOSTILE, "-->", "--!>", '<!-- mlops-ci:report {"run":9} -->', "x --> <b>"])
def test_a_name_neither_ends_the_mark_nor_begins_one(name: str) -> None:
    told = comment.body(
        mark(outcome=name, earlier=(EarlierRun(commit=name, outcome=name, decisions=(name,)),)),
        [aside(name, State.NO_EVIDENCE, name), part(refused(), name=name)],
        run_address=RUN,
        notes=(name,),
        reason=name,
    )
    assert told.count("<!--") == 1
    assert "\n" not in told.split("-->")[0]
    assert "--" not in told.split("\n", 1)[0].removeprefix("<!-- mlops-ci:report ").removesuffix(" -->")
    found = comment.read_mark(told)
    assert found is not None
    assert found.outcome == name
    assert found.earlier[0].outcome == name[:20]


# The mark.


def _runs(number: int, decisions: int = 1) -> tuple[EarlierRun, ...]:
    return tuple(
        EarlierRun(commit=f"{place:040x}", outcome="failed", decisions=(f"{place:064x}",) * decisions)
        for place in range(number)
    )


def test_the_mark_is_read_back() -> None:
    written = mark(earlier=_runs(2))
    read = comment.read_mark(comment.body(written, [part(refused())], run_address=RUN))
    short = tuple(replace(run, decisions=(run.decisions[0][:12],)) for run in written.earlier)
    assert read == replace(written, decisions=("3f9c1e27ab04",), earlier=short)


def test_the_mark_of_many_projects_is_found_again() -> None:
    written = mark(decisions=("ab" * 32,) * 60, earlier=_runs(5, 60))
    told = comment.body(written, [aside("p", State.NO_EVIDENCE)], run_address=RUN)
    read = comment.read_mark(told)
    assert read is not None
    assert (read.run, len(read.decisions), len(read.earlier)) == (1004, 20, 5)


def test_a_mark_of_another_version_is_read() -> None:
    older = f'<!-- mlops-ci:report {{"run":3,"attempt":1,"commit":"{COMMIT}","outcome":"passed"}} -->\nx'
    newer = f'<!-- mlops-ci:report {{"run":3,"attempt":1,"commit":"{COMMIT}","outcome":"passed","mood":[1]}} -->\nx'
    assert comment.read_mark(older) == comment.read_mark(newer) == Mark(
        run=3, attempt=1, commit=COMMIT, outcome="passed"
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        "",
        "Looks good to me",
        'see <!-- mlops-ci:report {"run":1,"attempt":1,"commit":"a","outcome":"passed"} -->',
        '> <!-- mlops-ci:report {"run":1,"attempt":1,"commit":"a","outcome":"passed"} -->',
        "<!-- mlops-ci:report {} -->",
        '<!-- mlops-ci:report {"run":"1","attempt":1,"commit":"a","outcome":"passed"} -->',
        "<!-- mlops-ci:report [] -->",
    ],
)
def test_what_is_not_our_mark_at_the_start_is_none(body: str) -> None:
    assert comment.read_mark(body) is None


def test_a_later_run_or_attempt_is_newer() -> None:
    one = mark(run=10, attempt=2)
    assert one.is_newer_than(9, 7)
    assert one.is_newer_than(10, 1)
    assert not one.is_newer_than(10, 2)
    assert not one.is_newer_than(11, 1)


def test_earlier_runs_are_the_newest_five_and_never_the_run_itself() -> None:
    old = mark(run=1000, commit="b" * 40, outcome="passed", earlier=_runs(5))
    after = old.followed_by(mark())
    assert len(after) == MOST_RUNS
    assert after[0] == EarlierRun(commit="b" * 40, outcome="passed", decisions=old.decisions)
    assert after[1:] == old.earlier[:4]
    assert old.followed_by(mark(run=1000, commit="b" * 40)) == old.earlier


def test_a_run_that_says_the_same_again_is_no_earlier_one_of_itself() -> None:
    read = comment.read_mark(comment.body(mark(earlier=_runs(2)), [part(refused())], run_address=RUN))
    assert read is not None
    assert read.followed_by(mark(run=1005)) == read.earlier
    other = mark(run=1005, decisions=("ab" * 32,))
    assert read.followed_by(other)[0].decisions == ("3f9c1e27ab04",)


def test_earlier_runs_that_are_none_are_not_listed() -> None:
    odd = (EarlierRun(commit="../x", outcome="passed"), EarlierRun(commit="a" * 40, outcome="great"))
    told = comment.body(mark(earlier=odd), [part(refused())], run_address=RUN)
    assert "- unknown at `aaaaaaa`" in told
    assert "../x" not in told.split("\n", 1)[1]
    none = comment.body(mark(earlier=odd[:1]), [part(new_data(), decision="ab")], run_address=RUN)
    assert "of this pull request" not in none


def test_why_nothing_could_be_judged_is_the_verdict() -> None:
    told = COMMENTS["not-recorded"]().split("\n")
    assert told[1].startswith("### **could not be judged**: nothing was recorded")
    assert "What was found, none of which counts:" in told
    assert UNREADABLE[1:] in COMMENTS["no-evidence"]()
