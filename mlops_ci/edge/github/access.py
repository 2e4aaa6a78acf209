"""Where GitHub's API is, as whom it is asked, and for which repository."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, urlsplit

import msgspec

from mlops_ci import __version__
from mlops_ci.errors import UsageError

_API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://)?(?:[^@/\s]+@)?(?:ssh\.|www\.)?(?P<host>[A-Za-z0-9.-]+)(?::[0-9]+)?[:/]+"
    r"(?P<owner>[A-Za-z0-9](?:[A-Za-z0-9-]{0,98}[A-Za-z0-9])?)/(?P<name>[A-Za-z0-9._-]{1,104})/?"
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
OWN_TOKEN = "MLOPS_CI_TOKEN"  # noqa: S105 - the name of a variable
"""Where a repository keeps a token that may do more than the one of a job."""
_HOW_TO_GET_ONE = (
    "In a workflow hand it over as `env: {GITHUB_TOKEN: ${{ github.token }}}`; at a desk set GH_TOKEN, for example to "
    "what `gh auth token` prints."
)


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach one repository. The token is never shown."""

    api: str
    """Without a slash at the end."""
    token: str
    repository: str
    """`owner/name`."""
    user_agent: str

    @property
    def is_loopback(self) -> bool:
        return urlsplit(self.api).hostname in _LOOPBACK

    def __repr__(self) -> str:
        return f"Access(api={self.api!r}, repository={self.repository!r}, user_agent={self.user_agent!r})"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of a remote names."""

    host: str
    owner: str
    name: str

    @property
    def repository(self) -> str:
        return f"{self.owner}/{self.name}"


def place(remote: str) -> Place | None:
    """What a remote's address names; None where it has not the form of a repository on a GitHub."""
    found = _REMOTE.fullmatch(remote)
    if found is None:
        return None
    return Place(host=found["host"].lower(), owner=found["owner"], name=found["name"].removesuffix(".git"))


def host() -> str:
    """Where the GitHub that is asked has its pages: `github.com`, or what GITHUB_API_URL says."""
    return (urlsplit(_api()).hostname or "").removeprefix("api.")


def repository_named(remote: str) -> str:
    """`owner/name`: what GITHUB_REPOSITORY says, else a remote's address; "" where that is not on the GitHub asked."""
    found = place(remote)
    there = found.repository if found and found.host == host() else ""
    return os.environ.get("GITHUB_REPOSITORY") or there


def given_token() -> str:
    """MLOPS_CI_TOKEN where it is set, else GITHUB_TOKEN, outside of Actions also GH_TOKEN; "" where there is none.

    Whether it holds, only GitHub can tell.
    """
    own = os.environ.get(OWN_TOKEN) or os.environ.get("GITHUB_TOKEN")
    return own or ("" if _in_actions() else os.environ.get("GH_TOKEN", ""))


def has_own_token() -> bool:
    """Whether GitHub is asked with another token than the one every job has."""
    return bool(os.environ.get(OWN_TOKEN))


def from_environment(repository: str | None = None) -> Access:
    """Read GITHUB_API_URL, GITHUB_REPOSITORY and the token (see `given_token`).

    `repository`: `owner/name` where the caller knows it better. UsageError names the variable that is wrong.
    """
    named = repository or os.environ.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(named):
        raise UsageError(
            f"{named!r} is not a repository on GitHub" if named else "no repository on GitHub is named",
            "Set GITHUB_REPOSITORY to OWNER/NAME.",
        )
    return Access(api=_api(), token=_token(), repository=named, user_agent=user_agent())


def user_agent() -> str:
    """`mlops-ci/1.2.3 (WORKFLOW; JOB)`: whose calls these are. Outside of a workflow `mlops-ci/1.2.3`."""
    workflow = os.environ.get("GITHUB_WORKFLOW_REF") or os.environ.get("GITHUB_WORKFLOW", "")
    job = os.environ.get("GITHUB_JOB", "")
    tool = f"mlops-ci/{__version__}"
    return f"{tool} ({_in_header(workflow)}; {_in_header(job)})" if workflow or job else tool


def _in_header(name: str) -> str:
    """A name as a header can hold it: no control signs, and the rest outside of ASCII percent-encoded."""
    printable = "".join(sign for sign in name if sign.isprintable())
    return quote(printable, safe=" /@:,.-_+~")[:500]


def _api() -> str:
    api = os.environ.get("GITHUB_API_URL") or _API
    parts = urlsplit(api)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (safe and parts.hostname) or parts.username or parts.query or parts.fragment:
        raise UsageError(
            f"GITHUB_API_URL is {api!r}: the token goes there, so it has to begin with https://",
            f"Leave it out for {_API}; a GitHub Enterprise Server has https://HOST/api/v3.",
        )
    return api.rstrip("/")


def _token() -> str:
    token = given_token()
    if not token:
        in_actions = _in_actions()
        names = "GITHUB_TOKEN is" if in_actions else "GITHUB_TOKEN and GH_TOKEN are"
        raise UsageError(f"there is no token for GitHub: {names} not set", _HOW_TO_GET_ONE)
    if not _TOKEN.fullmatch(token):
        raise UsageError("the token for GitHub holds spaces or signs no token has", _HOW_TO_GET_ONE)
    return token


def _in_actions() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"
