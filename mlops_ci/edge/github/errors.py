"""A call to GitHub that was refused or got no answer, and what to do about it."""

from __future__ import annotations

import re

import msgspec

from mlops_ci.edge.http import plain
from mlops_ci.errors import OutsideError

# Of GitHub's own permissions those that `permissions:` of a job can name.
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
_OF_A_JOB = frozenset(
    (
        *("actions", "artifact_metadata", "attestations", "checks", "contents", "deployments", "discussions"),
        *("id_token", "issues", "models", "packages", "pages", "pull_requests", "security_events", "statuses"),
    )
)
_NOT_GRANTED = "Resource not accessible by "
_NO_PULL_REQUESTS = "GitHub Actions is not permitted to create or approve pull requests"
_OTHER_PLAN = "Upgrade to GitHub "


class GitHubError(OutsideError):
    """GitHub refused a call, or could not be reached (`status` 0).

    `said` is GitHub's own message, `needed` the permission it names as missing (`issues: write`).
    """

    def __init__(
        self, message: str, advice: str, *, status: int, method: str, path: str, said: str = "", needed: str = ""
    ) -> None:
        super().__init__(message, advice)
        self.status = status
        self.method = method
        self.path = path
        self.said = said
        self.needed = needed

    @property
    def needs_plan(self) -> bool:
        """Whether the owner's plan lacks the feature, as protection of a private repository's branches does."""
        return self.status == 403 and self.said.startswith(_OTHER_PLAN)


class RateLimitedError(GitHubError):
    """A rate limit that lasts longer than a command may wait: nothing is said about the call itself."""


class _Detail(msgspec.Struct, frozen=True):
    message: str | None = None
    field: str | None = None
    code: str | None = None


class _Said(msgspec.Struct, frozen=True):
    message: str = ""
    errors: tuple[_Detail | str, ...] | str = ()


def refused(method: str, path: str, *, status: int, body: bytes, accepted: str) -> GitHubError:
    """The error for an answer of 300 and above; `accepted` is the header X-Accepted-GitHub-Permissions."""
    said = _said(body)
    # The header comes with every answer: only these two say that a permission is what is missing.
    needed = needed_permissions(accepted) if status == 404 or said.startswith(_NOT_GRANTED) else ""
    message = f"GitHub refused {method} {path} ({status})" + (f": {said}" if said else "")
    advice = _advice(status, said, needed, accepted)
    return GitHubError(message, advice, status=status, method=method, path=path, said=said, needed=needed)


def unreachable(method: str, path: str, reason: str) -> GitHubError:
    """The error for a call that got no answer, or none that is understood."""
    return GitHubError(
        f"GitHub could not be asked: {method} {path}: {plain(reason)}",
        "Run the command again; if it fails again, see whether GitHub has an incident and whether this machine "
        "reaches GITHUB_API_URL.",
        status=0,
        method=method,
        path=path,
    )


def not_understood(method: str, path: str, reason: str) -> GitHubError:
    """The error for an answer that is not of the form GitHub documents."""
    return GitHubError(
        f"GitHub's answer to {method} {path} is not understood: {plain(reason)}",
        "Is GITHUB_API_URL the address of a GitHub API, and this version of mlops-ci recent?",
        status=0,
        method=method,
        path=path,
    )


def rate_limited(method: str, path: str, *, status: int, body: bytes, seconds: float) -> RateLimitedError:
    """The error for a rate limit that lasts longer than a command may wait."""
    said = _said(body)
    return RateLimitedError(
        f"GitHub's rate limit stops {method} {path} ({status})" + (f": {said}" if said else ""),
        f"Run the command again in {max(1, round(seconds / 60))} min.",
        status=status,
        method=method,
        path=path,
        said=said,
    )


def needed_permissions(accepted: str) -> str:
    """`issues=write; pull_requests=write` as a workflow writes it: `issues: write` or `pull-requests: write`.

    Lists are separated by semicolons, of which one is enough; of a list all are needed
    (https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api).
    """
    lists = [[_in_a_workflow(each) for each in one.split(",") if "=" in each] for one in accepted[:1000].split(";")]
    return " or ".join(" and ".join(each) for each in lists if each)


def _in_a_workflow(permission: str) -> str:
    name, _, level = permission.strip().partition("=")
    return f"`{plain(name.strip(), 60).replace('_', '-')}: {plain(level.strip(), 20)}`".replace("``", "`")


def _said(body: bytes) -> str:
    try:
        answer = msgspec.json.decode(body, type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    errors = (answer.errors,) if isinstance(answer.errors, str) else answer.errors
    details = [each if isinstance(each, str) else _detail(each) for each in errors]
    return plain("; ".join(part for part in (answer.message, *details) if part))


def _detail(each: _Detail) -> str:
    return each.message or " ".join(part for part in (each.field, each.code) if part)


def _advice(status: int, said: str, needed: str, accepted: str) -> str:
    if status == 401:
        return (
            "The token is wrong or has expired: set GITHUB_TOKEN (at a desk GH_TOKEN; MLOPS_CI_TOKEN where you gave "
            "one) to one that holds."
        )
    if status == 403 and needed:
        return _grant(said, needed, accepted)
    if status == 403 and said.startswith(_NO_PULL_REQUESTS):
        return "Allow it in the repository's Settings > Actions > General > Workflow permissions."
    if status == 403:
        return "May this token do that? A rule of the organization or of the repository can forbid it too."
    if status == 404:
        also = f" It takes {needed}." if needed else ""
        return "Does it exist, and is GITHUB_REPOSITORY right? GitHub says 404 also of what a token may not see." + also
    if status in (301, 302, 307, 308):
        return "The repository was renamed or moved: use its new name in GITHUB_REPOSITORY."
    if status >= 500:
        return "Run the command again; https://www.githubstatus.com tells of incidents."
    return "This version of mlops-ci and GitHub disagree about the call: an upgrade may help."


def _grant(said: str, needed: str, accepted: str) -> str:
    if said.startswith(_NOT_GRANTED + "personal"):
        return f"Give the token {needed} in its settings on GitHub, or use one that has it."
    names = {each.strip().partition("=")[0] for each in re.split("[;,]", accepted)}
    if names & _OF_A_JOB:
        return (
            f"Add {needed} to `permissions:` of this job in its workflow file. "
            "Runs for forks and for Dependabot can only read, whatever the file says."
        )
    return f"No job's token may do that: it takes a token of a person or an app with {needed}, in GH_TOKEN at a desk."
