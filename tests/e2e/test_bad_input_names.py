"""Hostile names of columns, files, branches and values: they are shown as text everywhere and act nowhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from mlops_ci.config.yaml import scalar
from tests.e2e.bad_input import (
    COLUMNS,
    SETTINGS,
    TRAIN,
    Golden,
    Project,
    Ran,
    assert_whole,
    bad,
    csv_text,
    project,
    recovers,
    rows,
    text_of,
)
from tests.helpers import git

NAMES = {
    "quotes": "a\"b'c`d",
    "blanks": "two  blanks",
    "pipe": "x | y || z",
    "script": "<script>alert(1)</script>",
    "image": '<img src=x onerror="alert(2)">',
    "expression": "${{ secrets.TOKEN }}",
    "shell": "$(touch owned); `touch owned` && rm -rf .",
    "sql": 'x"; DROP TABLE trains; --',
    "markdown": "[here](javascript:alert(3)) ![](http://evil.example/x.png) **bold**",
    "runner": "::error file=a::b",
    "emoji": "🚆 train 🇩🇪",
    "turned": "abc\u202egnp.exe\u2066",
    "escape": "\x1b[31mred\x1b[0m",
    "formula": "=cmd|' /C calc'!A0",
    "runner-old": "##[error]x",
}
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def _table(names: dict[str, str], values: list[list[str]]) -> str:
    lines = [[*line, *(values[trip % len(values)])] for trip, line in enumerate(rows())]
    return csv_text(lines, (*COLUMNS, *names.values()))


def _settings(names: dict[str, str]) -> str:
    return SETTINGS.replace("slices: [town]", f"slices: [town, {', '.join(map(scalar, names.values()))}]")


class _Page(HTMLParser):
    """What a browser would run or fetch in a page, outside of what we wrote ourselves."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.links += [str(value) for name, value in attrs if name in ("href", "src", "srcset", "action")]


def _harmless_html(text: str) -> None:
    page = _Page()
    page.feed(text)
    assert page.handlers == []
    assert not {"script", "img", "iframe", "object", "form"} & set(page.tags)
    assert not [link for link in page.links if "javascript:" in link or "evil" in link]


def _harmless_markdown(text: str) -> None:
    """As GitHub renders it: HTML is let through, so nothing of a name may be HTML."""
    assert not HIDDEN.search(text.replace("\u200b", ""))  # it breaks addresses apart, so that they are no links
    made = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    page = _Page()
    page.feed(made)
    assert page.handlers == []
    assert not {"script", "iframe", "object", "form"} & set(page.tags)
    assert not [link for link in page.links if "javascript:" in link or "evil" in link]


def _harmless_terminal(ran: Ran) -> None:
    assert not HIDDEN.search(ran.out + ran.err)
    assert not [line for line in (ran.out + ran.err).splitlines() if line.lstrip().startswith("::") or "##[" in line]


def _harmless_everywhere(made: Project, told: Ran, shown: Ran) -> None:
    _harmless_terminal(shown)
    _harmless_markdown(made.report(told))
    _harmless_html(made.report(told, "report.html"))
    _harmless_markdown(git(made.root, "show", "mlops-reports:README.md"))
    for words in (("history",), ("report",), ("data", "profile"), ("data", "validate"), ("rows", "--flipped", "worse")):
        _harmless_terminal(made.run(*words))
    assert not list(made.root.parent.rglob("owned"))


def test_hostile_column_names_and_values_are_shown_as_text_in_a_decision_that_passed(
    tmp_path: Path, golden: Golden
) -> None:
    made = project(tmp_path)
    names = {key: name for key, name in NAMES.items() if key != "escape"}  # settings cannot name that one
    values = [list(names.values()), list(reversed(names.values())), ["plain"] * len(names)]
    made.commit({"data/trains.csv": _table(names, values), "mlops.yaml": _settings(names)})
    told = bad(made, "names-passed", golden, code=0)
    _harmless_everywhere(made, told, made.run("check"))
    assert "##[" not in told.out
    report = made.report(told)
    for told_name in ("emoji", "sql"):
        assert NAMES[told_name].split()[0].strip('";') in report
    recovers(made)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_column_that_is_refused_is_named_as_text(tmp_path: Path, golden: Golden, name: str) -> None:
    made = project(tmp_path)
    made.commit({"data/trains.csv": _table({name: NAMES[name]}, [["inf"], ["1"]])})
    told = bad(made, f"names-refused-{name}", golden, code=10)
    [failed] = [result for result in told.document["checks"] if result["status"] == "failed"]
    assert failed["check"] == "infinite_values"
    _harmless_everywhere(made, told, made.run("check"))


def test_hostile_names_of_files_branches_and_titles_are_shown_as_text(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    git(made.root, "checkout", "--quiet", "-b", "x;touch${IFS}owned|<b>&'\"🚆")
    made.lay({"pipeline/<script>alert(1)</script>|`touch owned`.py": "", "pipeline/\x1b[31m\u202e.py": ""})
    made.lay({"pipeline/train.py": TRAIN + "\nraise ValueError('<script>alert(1)</script>')\n"})
    git(made.root, "add", "--all")
    git(made.root, "commit", "--quiet", "--message", "<img src=x onerror=alert(1)> | ${{ secrets.X }} ::error::x")
    told = bad(made, "names-of-files", golden, code=11)
    _harmless_everywhere(made, told, made.run("check"))
    git(made.root, "checkout", "--quiet", "main")
    recovers(made)


def test_a_hostile_name_in_the_settings_that_is_not_in_the_data_is_shown_as_text(
    tmp_path: Path, golden: Golden
) -> None:
    made = project(tmp_path)
    made.commit({"mlops.yaml": _settings({"turned": NAMES["turned"], "escape": NAMES["escape"]})})
    ran = made.run("check")
    assert ran.code == 2
    _harmless_terminal(ran)
    golden("bad-input/names-not-in-the-data.txt", text_of(made, ran))
    assert_whole(made)
