"""The job of GitHub Actions a command runs in: what its runner says in variables and files.

Variables: https://docs.github.com/actions/reference/workflows-and-actions/variables. The event is the file of a webhook
(https://docs.github.com/webhooks/webhook-events-and-payloads): GitHub wrote it, but titles and branch names in it are
anybody's.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import TypeVar

import msgspec

from mlops_ci.edge.github.access import given_token, user_agent
from mlops_ci.errors import OutsideError, UsageError

_LARGEST_EVENT = 32 * 1024 * 1024
_LARGEST_SUMMARY = 1000 * 1024
"""Of the 1 MiB that GitHub takes per step."""

_Payload = TypeVar("_Payload", bound=msgspec.Struct)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job. `repository`: OWNER/NAME; `commit`: of the event."""

    event: str
    repository: str
    commit: str
    run: str
    attempt: int
    server: str
    temporary: Path
    payload: Path
    output: Path | None
    summary: Path | None

    @property
    def run_address(self) -> str:
        """The page of the run."""
        return f"{self.server}/{self.repository}/actions/runs/{self.run}"


class Ref(msgspec.Struct, frozen=True):
    """One side of a pull request."""

    ref: str
    sha: str


class PullRequest(msgspec.Struct, frozen=True):
    number: int
    head: Ref
    base: Ref


class Review(msgspec.Struct, frozen=True):
    state: str


class OnPullRequest(msgspec.Struct, frozen=True):
    """The events pull_request and pull_request_review."""

    pull_request: PullRequest
    review: Review | None = None


class Repository(msgspec.Struct, frozen=True):
    full_name: str
    default_branch: str = ""


class OnRepository(msgspec.Struct, frozen=True):
    """Any event."""

    repository: Repository | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The run that a run of workflow_run is about."""

    id: int
    run_number: int
    run_attempt: int
    event: str
    conclusion: str | None = None
    head_sha: str
    head_branch: str | None = None
    head_repository: Repository | None = None
    path: str = ""
    html_url: str = ""


class OnWorkflowRun(msgspec.Struct, frozen=True):
    """The event workflow_run."""

    workflow_run: Run


def is_job() -> bool:
    """Whether this process runs in a job of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def job() -> Job:
    """The job this process runs in. UsageError outside of GitHub Actions."""
    if not is_job():
        raise UsageError(
            "this command is for a job of GitHub Actions", "At a desk: mlops-ci check, mlops-ci record RUN_DIR."
        )
    return Job(
        event=_variable("GITHUB_EVENT_NAME"),
        repository=_variable("GITHUB_REPOSITORY"),
        commit=_variable("GITHUB_SHA"),
        run=_variable("GITHUB_RUN_ID"),
        attempt=int(os.environ.get("GITHUB_RUN_ATTEMPT", "1")),
        server=os.environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/"),
        temporary=Path(_variable("RUNNER_TEMP")),
        payload=Path(_variable("GITHUB_EVENT_PATH")),
        output=_file("GITHUB_OUTPUT"),
        summary=_file("GITHUB_STEP_SUMMARY"),
    )


def actor() -> str:
    """Who started the job's run, by login; empty at a desk."""
    return os.environ.get("GITHUB_ACTOR", "") if is_job() else ""


def payload(found: Job, kind: type[_Payload]) -> _Payload:
    """The event's file. OutsideError when it is not of that kind."""
    try:
        with found.payload.open("rb") as file:
            return msgspec.json.decode(file.read(_LARGEST_EVENT), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OutsideError(
            f"the event {found.event} cannot be read: {error}", "It is written by the runner; run the job again."
        ) from error


def put_out(found: Job, name: str, value: str) -> None:
    """An output of the step, under a name of ours; no value can end it early."""
    if found.output is not None:
        end = f"end-{secrets.token_hex(16)}"
        with found.output.open("a", encoding="utf-8") as file:
            file.write(f"{name}<<{end}\n{value}\n{end}\n")


def summarise(found: Job, markdown: str) -> bool:
    """Append to the page of the run; False where it does not fit any more."""
    if found.summary is None:
        return False
    data = markdown.encode()
    there = found.summary.stat().st_size if found.summary.exists() else 0
    if there + len(data) > _LARGEST_SUMMARY:
        return False
    with found.summary.open("ab") as file:
        file.write(data)
    return True


def given(name: str) -> str:
    """A variable that the workflow sets for this step. OutsideError where it does not."""
    return _variable(name)


def git_settings(host: str) -> dict[str, str]:
    """What git needs to be let in at `host` (`https://github.com/`) with the token of this step; {} without one."""
    token = given_token()
    if not is_job() or not token:
        return {}
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {f"http.{host}.extraHeader": f"Authorization: basic {basic}", "http.userAgent": user_agent()}


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise OutsideError(f"the runner set no {name}", "Is this a job of GitHub Actions?")
    return value


def _file(name: str) -> Path | None:
    value = os.environ.get(name, "")
    return Path(value) if value else None
