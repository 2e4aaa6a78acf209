"""The generated workflows: what must hold for every one of them, whatever the settings; the pins; the gates of init."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mlops_ci.config import yaml
from mlops_ci.errors import ConfigError
from mlops_ci.workflows import compare
from mlops_ci.workflows.compare import State
from mlops_ci.workflows.generate import Inputs, generate
from mlops_ci.workflows.pins import PINS, with_newer_pins, without_pins

ROOT = Inputs(
    version="0.1.0", project="churn", folder="", default_branch="main", labels=("ubuntu-24.04",), timeout=3600
)
INSIDE = Inputs(
    version="0.1.0",
    project="churn",
    folder="services/churn",
    default_branch="trunk",
    labels=("self", "gpu"),
    timeout=90,
)
TEXTS = [pytest.param(text, id=path) for inputs in (ROOT, INSIDE) for path, text in generate(inputs).items()]


def jobs(text: str) -> dict[str, dict[str, Any]]:
    return dict(yaml.load(text, file="workflow").value["jobs"])


@pytest.mark.parametrize("text", TEXTS)
def test_the_first_line_says_who_made_it_and_what_to_edit(text: str) -> None:
    assert text.startswith("# Made by mlops-ci 0.1.0: edit mlops.yaml instead")


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_is_permitted_at_the_top_and_each_job_says_what_it_needs(text: str) -> None:
    assert yaml.load(text, file="workflow").value["permissions"] == {}
    for job in jobs(text).values():
        assert job["permissions"]
        assert job["timeout-minutes"] > 0


@pytest.mark.parametrize("text", TEXTS)
def test_no_expression_stands_in_a_script(text: str) -> None:
    scripts = [step["run"] for job in jobs(text).values() for step in job["steps"] if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


@pytest.mark.parametrize("text", TEXTS)
def test_every_action_is_pinned_by_the_commit_in_the_table(text: str) -> None:
    used = re.findall(r"^ +uses: (.+)$", text, re.MULTILINE)
    assert used
    assert set(used) <= {str(pin) for pin in PINS.values()}


@pytest.mark.parametrize("text", TEXTS)
def test_no_checkout_leaves_its_credentials(text: str) -> None:
    steps = [step for job in jobs(text).values() for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert steps
    assert all(step["with"] == {"fetch-depth": 0, "persist-credentials": False} for step in steps)


def test_the_job_that_runs_the_branchs_code_may_only_read() -> None:
    text = generate(ROOT)[".github/workflows/mlops-check.yml"]
    assert jobs(text)["run"]["permissions"] == {"contents": "read"}
    assert jobs(text)["run"]["name"] == "mlops / run"
    assert "GITHUB_TOKEN" not in text
    assert "secrets." not in text
    triggers = yaml.load(text, file="workflow").value["on"]
    assert set(triggers) == {"pull_request", "merge_group", "push"}
    assert triggers["push"] == {"branches": ["main"]}


def test_the_job_that_may_write_never_takes_a_forks_run_or_its_code() -> None:
    text = generate(ROOT)[".github/workflows/mlops-record.yml"]
    [job] = jobs(text).values()
    assert job["if"] == "github.event.workflow_run.head_repository.full_name == github.repository"
    checkouts = [step for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert all("ref" not in step["with"] for step in checkouts)


def test_a_project_in_a_folder_has_names_of_its_own() -> None:
    made = generate(INSIDE)
    assert set(made) == {".github/workflows/mlops-check-churn.yml", ".github/workflows/mlops-record-churn.yml"}
    check = yaml.load(made[".github/workflows/mlops-check-churn.yml"], file="w").value
    record = yaml.load(made[".github/workflows/mlops-record-churn.yml"], file="w").value
    assert record["on"]["workflow_run"]["workflows"] == [check["name"]]
    assert check["jobs"]["run"]["runs-on"] == ["self", "gpu"]
    assert check["jobs"]["run"]["timeout-minutes"] == 21
    assert check["jobs"]["run"]["name"] == "mlops / run (churn)"


@pytest.mark.parametrize("folder", ["a b", "-x", "a/../b", "$(id)", "a${{ x }}", 'a"b', "a//b", "/a"])
def test_a_folder_that_cannot_stand_in_a_workflow_is_refused(folder: str) -> None:
    with pytest.raises(ConfigError):
        generate(Inputs(version="1", project="p", folder=folder, default_branch="main", labels=("x",), timeout=60))


@pytest.mark.parametrize("branch", ["a b", "-x", "${{ x }}", "a]"])
def test_a_branch_that_cannot_stand_in_a_workflow_is_refused(branch: str) -> None:
    with pytest.raises(ConfigError):
        generate(Inputs(version="1", project="p", folder="", default_branch=branch, labels=("x",), timeout=60))


def test_moved_pins_are_no_edit_and_newer_ones_are_kept() -> None:
    made = f"uses: {PINS['checkout']}\n"
    newer = f"uses: actions/checkout@{'a' * 40} # v7.10.0\n"
    older = f"uses: actions/checkout@{'b' * 40} # v6.9.9\n"
    assert without_pins(made) == without_pins(newer) == "uses: actions/checkout\n"
    assert with_newer_pins(made, newer) == newer
    assert with_newer_pins(made, older) == made


def test_an_action_that_is_not_pinned_by_commit_is_an_edit() -> None:
    made = f"uses: {PINS['checkout']}\n"
    found = compare.compare("w.yml", mine="uses: actions/checkout@v7\n", made=made, lock=None)
    assert found.state is State.EDITED


def test_an_older_pin_is_outdated() -> None:
    made = f"uses: {PINS['checkout']}\n"
    mine = f"uses: actions/checkout@{'b' * 40} # v6.9.9\n"
    found = compare.compare("w.yml", mine=mine, made=made, lock=None)
    assert (found.state, found.text) == (State.OUTDATED, made)


def test_a_broken_lock_says_how_to_mend_it() -> None:
    with pytest.raises(ConfigError) as found:
        compare.parse_lock("{", file=".mlops-ci/generated.lock")
    assert "--update" in found.value.advice
