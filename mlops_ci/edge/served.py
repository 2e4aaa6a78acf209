"""A server of a bundle, asked over HTTP. It may be anybody's: its answers have a size, a deadline, and get one line."""

from __future__ import annotations

import os
import re

from mlops_ci.edge import http
from mlops_ci.edge.http import Answer, BrokenError, Http, Limits
from mlops_ci.errors import OutsideError, UsageError

_LIMITS = Limits(quiet=15.0, whole=60.0)
_ASKED = "mlops-ci-ask"
"""What its prediction log knows these requests by."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_NOT_NOW = {
    401: "it asks for a token: name the variable that holds it, --token-env NAME.",
    403: "may this token ask it?",
    429: "it is asked too often.",
    502: "what stands in front of it does not reach it.",
    503: "it is starting or stopping, has too much to do, or cannot write its log.",
    504: "what stands in front of it does not reach it.",
}
"""Not about the model; a server that fails at the golden requests says 500."""


class Served:
    """A server at `address`: all paths of the runtime (docs/serving.md) lie below it."""

    def __init__(self, address: str, token_env: str = "") -> None:
        """token_env: the variable that holds the bearer token, which goes over https or stays on this machine.

        UsageError where one of them cannot be used.
        """
        self.address = address.rstrip("/")
        token = _token(token_env) if token_env else ""
        _check(address, token_env)
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = Http(
            {"Accept": "application/json", "User-Agent": "mlops-ci", "X-Request-Id": _ASKED, **authorization}
        )

    def ask(self, path: str, body: str = "") -> Answer:
        """What it answers to a GET, or to a POST of JSON; OutsideError where it cannot be asked now."""
        try:
            answer = self._once(path, body)
        except BrokenError as error:
            advice = "Is that its address, and does it run? --wait SECONDS asks again while it starts."
            raise OutsideError(f"{self.address} does not answer: {http.plain(str(error))}", advice) from error
        if answer.status in _NOT_NOW:
            advice = _NOT_NOW[answer.status]
            raise OutsideError(f"{self.address} answers {path} with {answer.status}: {advice}", "Then ask it again.")
        return answer

    def _once(self, path: str, body: str) -> Answer:
        method = "POST" if body else "GET"
        headers = {"Content-Type": "application/json"} if body else {}
        return self._http.ask(
            method, f"{self.address}{path}", limits=_LIMITS, headers=headers, content=body.encode() or None
        )


def _check(address: str, token_env: str) -> None:
    where = http.address(address)
    if where is None or where.scheme not in ("http", "https") or not where.host or where.has_user:
        raise UsageError(f"{address!r} is no address of a server", "Write https://HOST, or http://127.0.0.1:8080.")
    if "?" in address or "#" in address:
        raise UsageError(f"{address!r} has more than host, port and path", "Leave out what begins with ? or #.")
    if token_env and where.scheme == "http" and not where.is_loopback:
        raise UsageError(
            f"{address} is not encrypted: who listens would have the token of {token_env}",
            "Ask it over https, or forward its port to this machine and ask http://127.0.0.1:PORT.",
        )


def _token(variable: str) -> str:
    token = os.environ.get(variable, "")
    if not _TOKEN.fullmatch(token):
        found = "holds spaces or signs no token has" if token else "is not set"
        raise UsageError(f"--token-env: {variable} {found}", "Name the variable that holds the server's token.")
    return token
