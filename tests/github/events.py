"""What GitHub tells a run: the payloads of events, made from what the fake holds.

https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.github.state import Pull, Run, State


class Event(NamedTuple):
    """Why a workflow runs, and of which commit its file is. `head`: the commit the run is filed under."""

    name: str
    payload: dict[str, Any]
    head: str
    branch: str
    repository: str | None


def push(state: State, sha: str, branch: str = "main") -> Event:
    payload = {"ref": f"refs/heads/{branch}", "after": sha, "repository": _repository(state)}
    return Event("push", payload, sha, branch, state.repository)


def pull_request(state: State, pull: Pull, *, base_sha: str, action: str = "synchronize") -> Event:
    payload = _about(state, pull, base_sha) | {"action": action}
    return Event("pull_request", payload, pull.head_sha, pull.head_ref, pull.head_repository)


def approval(state: State, pull: Pull, *, base_sha: str) -> Event:
    payload = _about(state, pull, base_sha) | {"action": "submitted", "review": {"state": "approved"}}
    return Event("pull_request_review", payload, pull.head_sha, pull.head_ref, pull.head_repository)


def merge_group(state: State, sha: str, *, branch: str, base_sha: str) -> Event:
    group = {"head_sha": sha, "head_ref": f"refs/heads/{branch}", "base_sha": base_sha}
    payload = {"action": "checks_requested", "merge_group": group, "repository": _repository(state)}
    return Event("merge_group", payload, sha, branch, state.repository)


def completed(state: State, run: Run, *, sha: str) -> Event:
    """A run of the check has ended; `sha`: of the default branch, whose file of the recording workflow runs."""
    told = {
        "id": run.id,
        "run_number": run.run_number,
        "run_attempt": run.run_attempt,
        "event": run.event,
        "conclusion": run.conclusion,
        "head_sha": run.head_sha,
        "head_branch": run.head_branch,
        "head_repository": {"full_name": run.head_repository} if run.head_repository else None,
        "path": run.path,
        "html_url": f"https://github.com/{state.repository}/actions/runs/{run.id}",
    }
    payload = {"action": "completed", "repository": _repository(state), "workflow_run": told}
    return Event("workflow_run", payload, sha, state.default_branch, state.repository)


def schedule(state: State, sha: str) -> Event:
    """The hour of a `cron` line has come; `sha`: of the default branch."""
    payload = {"schedule": "47 4 * * 1", "repository": _repository(state)}
    return Event("schedule", payload, sha, state.default_branch, state.repository)


def workflow_dispatch(state: State, sha: str) -> Event:
    """Somebody starts a workflow by hand, of the default branch."""
    payload = {"inputs": None, "ref": f"refs/heads/{state.default_branch}", "repository": _repository(state)}
    return Event("workflow_dispatch", payload, sha, state.default_branch, state.repository)


def _about(state: State, pull: Pull, base_sha: str) -> dict[str, Any]:
    head = {"ref": pull.head_ref, "sha": pull.head_sha, "repo": {"full_name": pull.head_repository}}
    base = {"ref": pull.base_ref, "sha": base_sha, "repo": _repository(state)}
    told = {"number": pull.number, "title": pull.title, "head": head, "base": base}
    return {"number": pull.number, "pull_request": told, "repository": _repository(state)}


def _repository(state: State) -> dict[str, Any]:
    return {"full_name": state.repository, "default_branch": state.default_branch}
