"""What must hold for every workflow of this repository and every one it generates, whatever the settings.

`breaches` names what is broken. The rules are those that no schema and no linter holds without a network.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlops_ci.config import yaml
from mlops_ci.workflows.pins import PINS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_ci.config.yaml import Document

_IGNORE = re.compile(r"#\s*zizmor:\s*ignore\[(?P<rules>[^]]*)\](?P<reason>.*)$")
_CACHES = re.compile(r"actions/cache(/restore)?@")
_CALLS = re.compile(r"\bmlops-ci\"? +[-a-z]")
_IS_A_CALL = re.compile(r"(\"\$RUNNER_TEMP/mlops-ci/bin/mlops-ci\"|mlops-ci)( [-\w./$\"]+)+")
_OURS = {str(pin) for pin in PINS.values()}


def breaches(text: str) -> list[str]:
    """What is wrong with a workflow, each with the name of its rule in front."""
    document = yaml.load(text, file="workflow")
    return [f"{rule.__name__}: {message}" for rule in _RULES for message in rule(text, document)]


def ignored(text: str) -> set[str]:
    """The rules of zizmor that comments switch off."""
    return {rule for line in text.splitlines() if (found := _IGNORE.search(line)) for rule in _names(found["rules"])}


def triggers(value: dict[str, Any]) -> set[str]:
    """The names of the events that start a workflow."""
    on = value["on"]
    return {on} if isinstance(on, str) else set(on)


def steps(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Every step of every job."""
    return [step for job in value["jobs"].values() for step in job["steps"]]


def nothing_is_permitted_at_the_top(text: str, workflow: Document) -> Iterator[str]:
    if workflow.value.get("permissions") != {}:
        yield f"permissions: {workflow.value.get('permissions')!r}"


def every_job_says_what_it_is_and_may(text: str, workflow: Document) -> Iterator[str]:
    for key, job in workflow.value["jobs"].items():
        for wanted in ("name", "permissions", "timeout-minutes"):
            if wanted not in job:
                yield f"{key} has no {wanted}"


def every_permission_says_why(text: str, workflow: Document) -> Iterator[str]:
    lines = text.splitlines()
    for key, job in workflow.value["jobs"].items():
        if not isinstance(job.get("permissions", {}), dict):
            yield f"{key}: {job['permissions']} for everything"
            continue
        for name, value in job.get("permissions", {}).items():
            line = lines[workflow.lines["jobs", key, "permissions", name] - 1]
            if not re.search(rf"\b{name}: {value} # \w", line):
                yield f"{key}.{name}: {line.strip()}"


def every_action_is_one_of_the_pins(text: str, workflow: Document) -> Iterator[str]:
    used = re.findall(r"^\s*(?:- )?(?:\"uses\"|uses)\s*:\s*(.+)$", text, re.MULTILINE)
    yield from (use for use in used if use not in _OURS)
    if len(used) != sum("uses" in step for step in steps(workflow.value)):
        yield "a `uses` that is not on a line of its own"


def no_expression_stands_in_a_script(text: str, workflow: Document) -> Iterator[str]:
    for step in steps(workflow.value):
        scripts = [step.get("run", ""), str(step.get("shell", "")), str(step.get("with", {}).get("script", ""))]
        yield from (script for script in scripts if "${{" in script)


def mlops_ci_is_all_of_the_script_that_calls_it(text: str, workflow: Document) -> Iterator[str]:
    for step in steps(workflow.value):
        script = str(step.get("run", ""))
        if _CALLS.search(script) and not _IS_A_CALL.fullmatch(script):
            yield script


def no_checkout_keeps_its_credentials(text: str, workflow: Document) -> Iterator[str]:
    for step in steps(workflow.value):
        if "actions/checkout@" in step.get("uses", "") and step.get("with", {}).get("persist-credentials") is not False:
            yield str(step.get("name", step["uses"]))


def no_code_of_a_pull_request_meets_the_bases_token(text: str, workflow: Document) -> Iterator[str]:
    if "pull_request_target" in triggers(workflow.value):
        yield "pull_request_target"
    if "workflow_run" in triggers(workflow.value):
        for job in workflow.value["jobs"].values():
            # A commit that the first job found in the ledger is the default branch's; not even that meets a right.
            passed = {"${{ matrix.commit }}"} if "write" not in str(job["permissions"]) and "needs" in job else set()
            for step in job["steps"]:
                given = step.get("with", {})
                other = "repository" in given or given.get("ref") not in (None, *passed)
                if "actions/checkout@" in step.get("uses", "") and other:
                    yield f"checks out {given}"


def a_merge_queue_waits_for_no_check_that_never_runs(text: str, workflow: Document) -> Iterator[str]:
    on = workflow.value["on"]
    if "pull_request" in triggers(workflow.value) and "merge_group" not in triggers(workflow.value):
        yield "pull_request without merge_group"
    filters = on.get("pull_request") if isinstance(on, dict) else None
    if filters and {"paths", "paths-ignore"} & set(filters):
        yield "a path filter leaves a required check pending forever"


def jobs_that_write_wait_for_each_other(text: str, workflow: Document) -> Iterator[str]:
    for key, job in _writers(workflow.value):
        lock = job.get("concurrency", workflow.value.get("concurrency"))
        if not isinstance(lock, dict) or lock.get("queue") != "max" or lock.get("cancel-in-progress") is not False:
            yield f"{key}: concurrency {lock!r}"


def jobs_that_write_take_nothing_from_a_cache(text: str, workflow: Document) -> Iterator[str]:
    for key, job in _writers(workflow.value):
        for step in job["steps"]:
            uses, given = step.get("uses", ""), step.get("with", {})
            asked = _CACHES.match(uses) or "cache" in given or given.get("enable-cache") not in (None, False)
            if asked or ("/setup-uv@" in uses and given.get("enable-cache") is not False):
                yield f"{key}: {uses}"


def nothing_runs_on_a_moving_image(text: str, workflow: Document) -> Iterator[str]:
    for key, job in workflow.value["jobs"].items():
        if re.search(r"-latest\b", str(job["runs-on"])):
            yield f"{key}: {job['runs-on']}"


def secrets_are_named_one_by_one(text: str, workflow: Document) -> Iterator[str]:
    for found in re.findall(r"\$\{\{[^}]*\bsecrets\b[^}]*\}\}", text):
        if not re.fullmatch(r"\$\{\{ secrets\.[A-Za-z_][A-Za-z0-9_]* \}\}", found):
            yield found


def what_is_ignored_has_a_reason(text: str, workflow: Document) -> Iterator[str]:
    for line in text.splitlines():
        found = _IGNORE.search(line)
        if ("zizmor" in line and not found) or (found and not (_names(found["rules"]) and found["reason"].strip())):
            yield line.strip()


def _writers(value: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(key, job) for key, job in value["jobs"].items() if "write" in str(job.get("permissions", {}))]


def _names(rules: str) -> list[str]:
    return [name.strip() for name in rules.split(",") if name.strip()]


_RULES: tuple[Callable[[str, Document], Iterator[str]], ...] = (
    nothing_is_permitted_at_the_top,
    every_job_says_what_it_is_and_may,
    every_permission_says_why,
    every_action_is_one_of_the_pins,
    no_expression_stands_in_a_script,
    mlops_ci_is_all_of_the_script_that_calls_it,
    no_checkout_keeps_its_credentials,
    no_code_of_a_pull_request_meets_the_bases_token,
    a_merge_queue_waits_for_no_check_that_never_runs,
    jobs_that_write_wait_for_each_other,
    jobs_that_write_take_nothing_from_a_cache,
    nothing_runs_on_a_moving_image,
    secrets_are_named_one_by_one,
    what_is_ignored_has_a_reason,
)
