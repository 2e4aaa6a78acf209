"""What GitHub shows beside the comment: the status of the commit, and annotations at lines of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from mlops_ci.cli.output import annotate, printable
from mlops_ci.records.judged import State
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Where
from mlops_ci.reports import gate_status
from mlops_ci.reports.annotations import MOST, of_story
from mlops_ci.reports.comment import Part
from tests.unit.reports.comment_stories import UNREADABLE, aside, part, several
from tests.unit.reports.report_stories import HOSTILE, STORIES, hostile, leak, refused, regression, waived

STATES = {"passed": "success", "failed": "failure", "undecided": "failure", "errored": "error"}


def statuses() -> Iterator[tuple[str, tuple[Part, ...]]]:
    for name, story in STORIES.items():
        yield name, (part(story()),)
    yield "several", several()
    yield "several that pass", tuple(part(STORIES[name]()) for name in ("new-data", "regression", "waived"))
    yield "unaffected", (aside("fares", State.UNAFFECTED),)
    yield "one and unaffected", (part(refused()), aside("fares", State.UNAFFECTED))
    yield "no evidence", (aside("churn", State.NO_EVIDENCE, UNREADABLE),)
    yield "removed", (aside("churn", State.REMOVED, "this commit removes churn/mlops.yaml"),)
    yield "no project", ()


def test_every_status_people_read_is_the_golden_one(golden: Callable[[str, str], None]) -> None:
    lines = []
    for name, parts in statuses():
        status = gate_status.of_parts(parts)
        lines.append(f"{name}\n  {status.state}: {status.description}\n")
    golden("gate-statuses.txt", "\n".join(lines))


@pytest.mark.parametrize(("name", "parts"), [pytest.param(*pair, id=pair[0]) for pair in statuses()])
def test_a_status_fits_and_says_what_github_waits_for(name: str, parts: tuple[Part, ...]) -> None:
    status = gate_status.of_parts(parts)
    assert 0 < len(status.description) <= gate_status.LONGEST
    assert status.state == STATES[status.outcome]
    assert (status.state == "success") == all(one.outcome is Outcome.PASSED for one in parts)


def test_a_waived_gate_lets_the_merge_go_on() -> None:
    assert gate_status.of_parts([part(waived())]).state == "success"


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("x" * 300, "x…"),
        (" ".join(["seven77"] * 40), " seven77…"),
        ("word, " * 40, " word…"),
        ("and the last word is " + "y" * 400, "y…"),
    ],
)
def test_a_long_status_ends_with_a_whole_word_where_it_can(reason: str, end: str) -> None:
    told = gate_status.errored(reason).description
    assert told.startswith("could not be judged: ")
    assert told.endswith(end)
    assert 110 < len(told) <= 140


def test_a_status_that_fits_is_not_cut() -> None:
    reason = "z" * (140 - len("could not be judged: "))
    assert gate_status.errored(reason).description.endswith("zz")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_status_is_one_line_with_nothing_hidden(name: str) -> None:
    told = gate_status.of_parts([aside(name, State.NO_EVIDENCE, name)]).description
    assert told.isprintable()


# Annotations.


def test_annotations_people_read_are_the_golden_ones(
    golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for name, story in STORIES.items():
        for one in of_story(story()):
            annotate(one.kind, one.title, one.message, one.where)
        told.append(f"{name}\n{capsys.readouterr().out}")
    golden("annotations.txt", "\n".join(told))


def test_what_stopped_the_commit_is_told_at_its_line() -> None:
    found = of_story(refused())
    assert [(one.kind, str(one.where)) for one in found] == [
        ("error", "mlops.yaml:24"),
        ("warning", "mlops.yaml:25"),
        ("warning", "params.yaml:2"),
    ]
    assert "Recall" not in found[0].title
    assert [str(one.where) for one in of_story(leak())] == ["pipeline/prepare.sql:7", "data/contract.yaml:31"]


def test_a_project_in_a_folder_names_its_files_from_the_root() -> None:
    inside = msgspec.structs.replace(refused(), prefix="models/late")
    assert [str(one.where) for one in of_story(inside)][:1] == ["models/late/mlops.yaml:24"]


def test_what_passed_and_what_does_not_block_is_no_annotation() -> None:
    assert of_story(regression()) == ()
    assert of_story(waived()) == ()


def test_ten_are_shown_and_the_last_counts_the_rest() -> None:
    story = refused()
    gates = tuple(
        msgspec.structs.replace(story.decision.gates[1], gate=f"recall >= 0.{place}", where=Where("mlops.yaml", place))
        for place in range(1, 31)
    )
    many = msgspec.structs.replace(story, decision=msgspec.structs.replace(story.decision, gates=gates))
    found = of_story(many)
    assert len(found) == MOST == 10
    assert found[-1].message == "and 22 more: the report has them all"  # 30 gates and the parameter, nine are shown
    assert [one.where.line for one in found[:-1] if one.where] == list(range(1, 10))


def test_ten_are_not_cut() -> None:
    story = refused()
    gates = (story.decision.gates[1],) * 9
    ten = msgspec.structs.replace(story, decision=msgspec.structs.replace(story.decision, gates=gates))
    assert len(of_story(ten)) == 10
    assert "more" not in of_story(ten)[-1].message


@pytest.mark.parametrize("name", [*HOSTILE, "a%b", "x\n::error::y", "50%25", "a,b:c::d", "\r\n::stop-commands::t"])
def test_no_name_ends_an_annotation_or_one_of_its_properties(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    annotate("error", name, name, Where(name, 3))
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    head, properties, message = _read(line)
    assert head == "error"
    assert properties["file"] == printable(name)
    assert properties["line"] == "3"
    assert properties["title"] == printable(name)
    assert message == printable(name)


def test_nothing_hostile_is_more_than_ten_lines(capsys: pytest.CaptureFixture[str]) -> None:
    for one in of_story(hostile()):
        annotate(one.kind, one.title, one.message, one.where)
    lines = capsys.readouterr().out.splitlines()
    assert 1 <= len(lines) <= MOST
    assert all(line.startswith(("::error ", "::warning ")) for line in lines)
    assert all(len(line) < 4_000 for line in lines)


def _read(line: str) -> tuple[str, dict[str, str], str]:
    """As the runner does (https://github.com/actions/runner, ActionCommand.cs): up to the next `::`, then the rest."""
    command, _, message = line.rstrip("\n").removeprefix("::").partition("::")
    head, _, listed = command.partition(" ")
    pairs = dict(pair.split("=", 1) for pair in listed.split(","))
    return head, {key: _decoded(value, also=True) for key, value in pairs.items()}, _decoded(message)


def _decoded(text: str, *, also: bool = False) -> str:
    signs = (("%3A", ":"), ("%2C", ",")) if also else ()
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), *signs, ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_an_undecided_gate_is_a_warning() -> None:
    kinds = {one.title.rsplit(" ", 1)[-1]: one.kind for one in of_story(refused())[:2]}
    assert kinds == {"failed": "error", Status.UNDECIDED.value: "warning"}
