"""Every generated workflow keeps the rules; the rules can be broken; hostile names stay names or are refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlops_ci.config import yaml
from mlops_ci.errors import MlopsCiError
from tests.workflow_renders import CASES, Case, Project, rendered
from tests.workflow_rules import breaches, steps, triggers

ROOT = Path(__file__).parents[2]
CHECK, RECORD = ".github/workflows/mlops-check.yml", ".github/workflows/mlops-record.yml"
RELEASE, UPGRADE = ".github/workflows/mlops-release.yml", ".github/workflows/mlops-upgrade.yml"
SHA = "3d3c42e5aac5ba805825da76410c181273ba90b1"


@pytest.mark.parametrize("name", CASES)
def test_every_generated_workflow_keeps_the_rules(name: str) -> None:
    texts = rendered(CASES[name])
    assert [breach for text in texts.values() for breach in breaches(text)] == []


@pytest.mark.parametrize("path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.name)
def test_the_workflows_of_this_repository_keep_them_too(path: Path) -> None:
    assert breaches(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("rule", "found", "instead"),
    [
        ("nothing_is_permitted_at_the_top", "permissions: {}", "permissions: {contents: read}"),
        ("nothing_is_permitted_at_the_top", "permissions: {}\n", ""),
        ("every_job_says_what_it_is_and_may", r"    timeout-minutes: .+\n", ""),
        ("every_job_says_what_it_is_and_may", r"    name: mlops / .+\n", ""),
        ("every_permission_says_why", r"(contents: \w+) #.+", r"\1"),
        ("every_permission_says_why", r"permissions:\n( +\w[\w-]*: \w+ #.+\n)+", "permissions: write-all\n"),
        ("every_action_is_one_of_the_pins", SHA, "v7"),
        ("every_action_is_one_of_the_pins", "v7.0.1", "v7.0.0"),
        ("every_action_is_one_of_the_pins", f"{SHA} # v7.0.1", SHA),
        ("every_action_is_one_of_the_pins", r"uses: (actions/checkout@\w+) # v7.0.1", r"'uses': \1"),
        ("no_expression_stands_in_a_script", r"(run: \|\n)( +)", r"\1\2echo ${{ github.ref }}\n\2"),
        ("mlops_ci_is_all_of_the_script_that_calls_it", r"run: '?(.*mlops-ci\"? [^'\n]+)'?", r"run: 'X=1 \1'"),
        ("mlops_ci_is_all_of_the_script_that_calls_it", r"run: '?(.*mlops-ci\"? [^'\n]+)'?", r"run: '\1 || true'"),
        ("no_checkout_keeps_its_credentials", "persist-credentials: false", "persist-credentials: true"),
        ("no_checkout_keeps_its_credentials", r" +persist-credentials: false\n", ""),
        ("nothing_runs_on_a_moving_image", "ubuntu-24.04", "ubuntu-latest"),
        ("secrets_are_named_one_by_one", r"\n( +)env:\n", r"\n\1env:\n\1  ALL: ${{ toJSON(secrets) }}\n"),
        ("secrets_are_named_one_by_one", r"\n( +)env:\n", r"\n\1env:\n\1  ALL: ${{ secrets[x] }}\n"),
    ],
)
@pytest.mark.parametrize("path", [CHECK, RECORD, RELEASE, UPGRADE])
def test_a_workflow_that_breaks_a_rule_is_found(rule: str, found: str, instead: str, path: str) -> None:
    assert rule in _broken(path, found, instead)


@pytest.mark.parametrize(
    ("path", "rule", "found", "instead"),
    [
        (CHECK, "no_code_of_a_pull_request_meets_the_bases_token", r"  pull_request:", "  pull_request_target:"),
        (
            RECORD,
            "no_code_of_a_pull_request_meets_the_bases_token",
            "fetch-depth: 0",
            "ref: ${{ github.event.workflow_run.head_sha }}",
        ),
        (
            RELEASE,
            "no_code_of_a_pull_request_meets_the_bases_token",
            "matrix.commit }}\n          fetch",
            "github.event.workflow_run.head_sha }}\n          fetch",
        ),
        (
            RELEASE,
            "no_code_of_a_pull_request_meets_the_bases_token",
            r"contents: read # check out the commit",
            "contents: write # check out the commit",
        ),
        (
            RELEASE,
            "jobs_that_write_take_nothing_from_a_cache",
            r"contents: read # check out the commit",
            "contents: write # check out the commit",
        ),
        (RELEASE, "jobs_that_write_wait_for_each_other", r"  queue: max\n", ""),
        (CHECK, "a_merge_queue_waits_for_no_check_that_never_runs", "  merge_group:\n", ""),
        (
            CHECK,
            "a_merge_queue_waits_for_no_check_that_never_runs",
            r"  pull_request:\n",
            "  pull_request: {paths: ['data/**']}\n",
        ),
        (RECORD, "jobs_that_write_wait_for_each_other", r"      queue: max\n", ""),
        (RECORD, "jobs_that_write_wait_for_each_other", "cancel-in-progress: false", "cancel-in-progress: true"),
        (CHECK, "jobs_that_write_wait_for_each_other", r"contents: read #", "contents: write #"),
        (
            RECORD,
            "jobs_that_write_take_nothing_from_a_cache",
            r"(mlops / record\n(?:.*\n)+? +with:\n)",
            r"\1          cache: pip\n",
        ),
        (RECORD, "what_is_ignored_has_a_reason", r"ignore\[dangerous-triggers\].*", "ignore[dangerous-triggers]"),
        (RECORD, "what_is_ignored_has_a_reason", r"ignore\[dangerous-triggers\]", "ignore"),
    ],
)
def test_a_workflow_that_breaks_a_rule_of_its_kind_is_found(path: str, rule: str, found: str, instead: str) -> None:
    assert rule in _broken(path, found, instead)


def _broken(path: str, found: str, instead: str) -> set[str]:
    """The rules that a generated workflow breaks after one change."""
    text = rendered(Case())[path]
    changed = re.sub(found, instead, text, count=1)
    assert changed != text, "the change changes nothing"
    return {breach.partition(":")[0] for breach in breaches(changed)}


def test_only_what_the_settings_name_reaches_the_projects_code() -> None:
    for name, case in CASES.items():
        asked = {secret for project in case.projects for secret in project.secrets}
        texts = rendered(case)
        before, job, alone = texts[RELEASE].partition("\n  release:\n")  # the last job
        assert job
        texts[RELEASE] = before
        found = {path: set(re.findall(r"\bsecrets\.(\w+)", text)) for path, text in texts.items()}
        assert found.pop(UPGRADE) == {"MLOPS_CI_TOKEN"}, "it runs nothing of the project"
        signing = {"MLOPS_CI_SIGNING_KEY"} if any(project.signs for project in case.projects) else set()
        assert set(re.findall(r"\bsecrets\.(\w+)", alone)) == signing, "nor does this job"
        assert set().union(*found.values()) <= asked, name


HOSTILE = (
    "${{ github.token }}",
    "a ${{ secrets.X }} b",
    "a}} ${{ b",
    "two\nlines",
    "a\r\n- b: c",
    "'",
    '"',
    'it\'s "both" \\ `id`',
    "$(id)",
    "; rm -rf / #",
    "a: b",
    "a # b",
    "- a",
    "*a",
    "&a",
    "!!python/object:os.system",
    "{a: b}",
    "[a]",
    "| a",
    "> a",
    "%a",
    "@a",
    "~",
    "null",
    "true",
    "no",
    "1",
    "1e3",
    "0x1F",
    "2024-01-01",
    "1:30",
    " ",
    " a ",
    "\t",
    "a\x00b",
    "\x1b[31m",
    "\u2028",
    "\x85",
    "\ufeffa",
    "x\n",
    "Ünïcode",
    "-C",
    "--help",
    "..",
    "a/../b",
    "/etc",
    "<%= version %>",
    "::error::x",
    "a" * 300,
)
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="ab1-_.:/#${}'\"\\\n\r\t [],&*!|>%@~`", max_size=20),
    st.from_regex(r"\A[A-Za-z0-9._/-]{1,20}\Z"),
)
MARKERS = {"secret": "MARKER", "folder": "marker/inner"}
PLACES = ("name", "folder", "branch", "label", "one of two labels", "secret")


@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_text_is_refused_or_stands_where_it_belongs_and_changes_nothing_else(place: str) -> None:
    for value in HOSTILE:
        _stands_or_is_refused(place, value)


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=40)
@given(value=TEXTS)
def test_so_does_any_text(place: str, value: str) -> None:
    assume(value or place != "folder")  # that one is the root of the repository
    _stands_or_is_refused(place, value)


def _stands_or_is_refused(place: str, value: str) -> None:
    texts = _rendered_or_refused(_with(place, value))
    if isinstance(texts, MlopsCiError):
        assert texts.message
        assert texts.advice
        return
    marker = MARKERS.get(place, "marker")
    expected = {path.replace(marker, value): _put(each, marker, value) for path, each in _marked(place).items()}
    assert {path: _parsed(text) for path, text in texts.items()} == expected
    assert "${{" not in value, "an expression would be evaluated"
    assert [breach for text in texts.values() for breach in breaches(text)] == []


def _rendered_or_refused(case: Case) -> dict[str, str] | MlopsCiError:
    try:
        return rendered(case)
    except MlopsCiError as error:
        return error


@pytest.mark.parametrize("place", PLACES)
def test_what_is_usual_is_not_refused(place: str) -> None:
    for value in ("AbC_1", "a.b-c") if place not in ("name", "secret") else ("a1-b",) if place == "name" else ("A_b1",):
        assert rendered(_with(place, value))


def _with(place: str, value: str) -> Case:
    """A repository in which one text is `value`."""
    project = Project(folder="inside")
    changes: dict[str, dict[str, Any]] = {
        "name": {"name": value},
        "folder": {"folder": value},
        "label": {"labels": (value,)},
        "one of two labels": {"labels": ("self-hosted", value)},
        "secret": {"secrets": ("FIRST", value)},
    }
    if place == "branch":
        return Case(branch=value, projects=(project,))
    return Case(projects=(replace(project, **changes[place]),))


@cache
def _marked(place: str) -> dict[str, Any]:
    """The parsed workflows of the repository in which that text is the marker."""
    return {path: _parsed(text) for path, text in rendered(_with(place, MARKERS.get(place, "marker"))).items()}


def _parsed(text: str) -> Any:
    return yaml.load(text, file="workflow").value


def _put(value: Any, marker: str, instead: str) -> Any:
    """A parsed workflow with every `marker` in its texts replaced; in texts that are JSON too, as JSON."""
    if isinstance(value, dict):
        return {_put(key, marker, instead): _put(each, marker, instead) for key, each in value.items()}
    if isinstance(value, list):
        return [_put(each, marker, instead) for each in value]
    if not isinstance(value, str):
        return value
    inner = json.dumps(instead)[1:-1] if value.startswith(("{", "[")) else instead
    return value.replace(marker, inner)


def test_steps_and_triggers_are_read_from_every_generated_workflow() -> None:
    for text in rendered(CASES["three-mixed"]).values():
        assert steps(_parsed(text))
        assert triggers(_parsed(text)) <= {
            "pull_request",
            "pull_request_review",
            "merge_group",
            "push",
            "workflow_run",
            "schedule",
            "workflow_dispatch",
        }
