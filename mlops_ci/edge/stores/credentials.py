"""What `docker login` left for a registry, read from Docker's config.json and its helpers.

https://docs.docker.com/reference/cli/docker/login/#credential-stores
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import subprocess
from pathlib import Path

import msgspec

_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TOKEN_USER = "<token>"  # noqa: S105 - by this name a helper says that the secret is a token
_SECONDS = 30.0
_GITHUB = "ghcr.io"
_HUB = "https://index.docker.io/v1/"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """`token`: stands for user and password where a registry gave one. Neither is ever shown."""

    user: str = ""
    password: str = ""
    token: str = ""

    @property
    def basic(self) -> str:
        """The value of the header Authorization."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def __repr__(self) -> str:
        return "Credentials(…)"


class _Auth(msgspec.Struct, frozen=True):
    auth: str = ""
    identitytoken: str = ""


class _Config(msgspec.Struct, frozen=True):
    auths: dict[str, _Auth] = msgspec.field(default_factory=dict)
    credsStore: str = ""  # noqa: N815 - Docker's own names
    credHelpers: dict[str, str] = msgspec.field(default_factory=dict)  # noqa: N815


class _Told(msgspec.Struct, frozen=True):
    """The answer of a helper."""

    Username: str
    Secret: str


def credentials(host: str) -> Credentials | None:
    """For a registry, `ghcr.io`; None where nobody logged in. For ghcr.io in a job its GITHUB_TOKEN will do."""
    config = _config()
    names = (host, f"https://{host}", f"https://{host}/v1/", *([_HUB] if host == "docker.io" else []))
    helper = next((config.credHelpers[name] for name in names if name in config.credHelpers), config.credsStore)
    found = _helped(helper, host) if helper else None
    if found is None:
        written = next((config.auths[name] for name in names if name in config.auths), None)
        found = _written(written) if written else None
    token = os.environ.get("GITHUB_TOKEN", "")
    if found is None and host == _GITHUB and token:
        return Credentials(user=os.environ.get("GITHUB_ACTOR") or "x-access-token", password=token)
    return found


def _config() -> _Config:
    """What cannot be read holds no credentials: the registry then says that it wants some."""
    folder = os.environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Config)
    except (OSError, msgspec.MsgspecError):
        return _Config()


def _written(auth: _Auth) -> Credentials | None:
    try:
        user, _, password = base64.b64decode(auth.auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if auth.identitytoken:
        return Credentials(token=auth.identitytoken)
    return Credentials(user=user, password=password.rstrip("\0")) if user else None


def _helped(helper: str, host: str) -> Credentials | None:
    if not _HELPER.fullmatch(helper):
        return None
    command = [f"docker-credential-{helper}", "get"]
    try:
        done = subprocess.run(command, input=host.encode(), capture_output=True, timeout=_SECONDS, check=False)
        told = msgspec.json.decode(done.stdout, type=_Told)
    except (OSError, subprocess.TimeoutExpired, msgspec.MsgspecError):
        return None
    if told.Username == _TOKEN_USER:
        return Credentials(token=told.Secret)
    return Credentials(user=told.Username, password=told.Secret)
