"""The fake GitHub as a server on 127.0.0.1: `with FakeGitHub(workflows) as github:` or

    python -m tests.github.fake --state DIR --workflows .github/workflows

which prints its address, reads DIR/state.json at the start and keeps it up to date.

What it is stricter in than GitHub: reading a public repository takes the permission too, and whatever GitHub's own
description of a request does not allow is an error of the test.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from tests.github import contract, permissions
from tests.github.routes import ROUTES, Call, RefusedError, Reply, Route
from tests.github.state import State, Token

_FORBIDDEN = "Resource not accessible by integration"


class Request(msgspec.Struct, kw_only=True):
    """A request that came, and what it was answered."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    job: str | None
    """`mlops-record.yml: record`; None: not called by a job."""
    status: int = 0
    """0: no answer was given."""


class Fault(msgspec.Struct, kw_only=True):
    """What goes wrong with the `nth` request (from 1) that fits, and the `times - 1` after it.

    `status`, `message`, `headers`: the answer there is instead.
    """

    method: str
    pattern: str
    nth: int = 1
    times: int = 1
    status: int | None = None
    message: str = "Server Error"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    seconds: float = 0.0
    """To wait before anything else."""
    closed: bool = False
    """The connection is closed at once."""
    lost: bool = False
    """The request is carried out, and the connection closed without an answer."""
    seen: int = 0

    def fits(self, request: Request) -> bool:
        if request.method != self.method or not re.fullmatch(self.pattern, request.path):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


class FakeGitHub:
    """GitHub for one repository, for as long as the context lasts; on leaving, wrong requests and answers raise.

    `wrong` lists them while it runs.
    """

    def __init__(self, workflows: Path, state: State | None = None) -> None:
        self.workflows = workflows
        self.state = state or State()
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.wrong: list[str] = []
        self._lock = threading.Lock()
        self._servers = [_Server(self, _Api), _Server(self, _Storage)]

    def __enter__(self) -> FakeGitHub:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        if kind is None:
            assert not self.wrong, "\n".join(self.wrong)

    @property
    def url(self) -> str:
        """What GITHUB_API_URL has to be."""
        return self._servers[0].url

    @property
    def storage(self) -> str:
        """The other host artifacts lie on."""
        return self._servers[1].url

    def environment(self, workflow: str, job: str, *, token: str = "job-token") -> dict[str, str]:
        """The variables GitHub gives the job, as far as they are looked at."""
        reference = f"{self.state.repository}/.github/workflows/{workflow}@refs/heads/{self.state.default_branch}"
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": self.state.repository,
            "GITHUB_TOKEN": token,
            "GITHUB_WORKFLOW_REF": reference,
            "GITHUB_JOB": job,
        }

    def fail(self, method: str, pattern: str, **how: Any) -> Fault:
        """Let a request go wrong: `pattern` is a regular expression for the whole path below the repository."""
        self.faults.append(Fault(method=method, pattern=pattern, **how))
        return self.faults[-1]

    def asked(self, method: str, pattern: str = ".*") -> list[Request]:
        return [each for each in self.requests if each.method == method and re.fullmatch(pattern, each.path)]

    def answer(self, request: Request, carry_out: Callable[[Request], Reply]) -> Reply | None:
        """What `carry_out` says to a request, unless a fault comes between; None: the connection is closed."""
        with self._lock:
            self.requests.append(request)
            fault = next((each for each in self.faults if each.fits(request)), None)
        if fault:
            time.sleep(fault.seconds)
            if fault.status is not None:
                request.status = fault.status
                return Reply(fault.status, {"message": fault.message}, fault.headers)
            if fault.closed:
                return None
        with self._lock:
            reply = carry_out(request)
        if fault and fault.lost:
            return None
        request.status = reply.status
        return reply

    def stored(self, request: Request) -> Reply:
        """An artifact from the storage, which refuses a token as Azure's does."""
        if "authorization" in request.headers:
            return Reply(400, {"code": "InvalidAuthenticationInfo"})
        found = self.state.artifacts[int(request.path.rpartition("/")[2])]
        return Reply(200, found.content, {"Content-Type": "application/zip"})

    def served(self, request: Request) -> Reply:
        """An answer of the API."""
        try:
            token = self._token(request)
            route, path = self._route(request)
            self._permitted(request, route, token)
            problems = contract.request_problems(
                request.method, route.template, path=path, query=request.query, body=request.body
            )
            self._note(request, problems)
            if problems:
                raise RefusedError(422, "Invalid request.", *problems)
            call = Call(path, request.query, request.body, token.login, token.kind != "person")
            reply = route.answer(self.state, call)
            self._note(request, contract.answer_problems(request.method, route.template, reply.status, reply.body))
        except RefusedError as refused:
            return Reply(refused.status, refused.body, refused.headers)
        return reply

    def _token(self, request: Request) -> Token:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "token") or token not in self.state.tokens:
            raise RefusedError(401, "Bad credentials")
        return self.state.tokens[token]

    def _route(self, request: Request) -> tuple[Route, dict[str, str]]:
        for route in ROUTES:
            match = route.pattern.fullmatch(request.path)
            if match and route.method == request.method:
                root = dict(zip(("owner", "repo"), self.state.repository.split("/"), strict=True))
                return route, root | {name: unquote(value) for name, value in match.groupdict().items()}
        self._note(request, ["the fake does not serve that"])
        raise RefusedError(404, "Not Found")

    def _permitted(self, request: Request, route: Route, token: Token) -> None:
        if token.kind == "person":
            return
        job = permissions.caller(request.headers.get("user-agent", ""), self.workflows)
        if job is None:
            self._note(request, [f"no job of {self.workflows} called: {request.headers.get('user-agent')}"])
            raise RefusedError(403, _FORBIDDEN)
        request.job = f"{job.file}: {job.name}"
        levels = permissions.granted(
            job,
            self.workflows,
            default=self.state.default_workflow_permissions,
            is_fork=token.kind == "fork",
        )
        if not permissions.allows(levels, route.needs):
            raise RefusedError(403, _FORBIDDEN, headers={"X-Accepted-GitHub-Permissions": "; ".join(route.needs)})

    def _note(self, request: Request, problems: list[str]) -> None:
        self.wrong += [f"{request.method} {request.path}: {each}" for each in problems]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, github: FakeGitHub, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.github = github

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            self.github.wrong.append(f"the fake itself failed: {traceback.format_exc()}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def heard(self, path: str) -> Request:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return Request(
            method=self.command,
            path=path,
            query=dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=json.loads(content) if content else None,
            job=None,
        )

    def say(self, reply: Reply | None) -> None:
        if reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **reply.headers}.items():
            self.send_header(name, value)
        if reply.status == 204:
            self.end_headers()
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Api(_Handler):
    def handle_any(self) -> None:
        github, parts = self.server.github, urlsplit(self.path)
        request = self.heard(parts.path.removeprefix(f"/repos/{github.state.repository}"))
        reply = github.answer(request, github.served)
        if reply and "next-page" in reply.headers:
            query = _with_page(parts.query, reply.headers["next-page"])
            reply = reply._replace(headers={"Link": f'<{github.url}{parts.path}?{query}>; rel="next"'})
        if reply and "stored" in reply.headers:
            location = f"{github.storage}/{reply.headers['stored']}?sig=signed"
            reply = reply._replace(headers={"Location": location})
        self.say(reply)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815


class _Storage(_Handler):
    def do_GET(self) -> None:
        github = self.server.github
        self.say(github.answer(self.heard(f"storage{urlsplit(self.path).path}"), github.stored))


def _with_page(query: str, page: str) -> str:
    kept = [part for part in query.split("&") if part and not part.startswith("page=")]
    return "&".join([*kept, f"page={page}"])


def main() -> None:
    options = argparse.ArgumentParser(description="A GitHub for tests, on 127.0.0.1.")
    options.add_argument("--state", type=Path, required=True, help="folder of state.json, read and kept up to date")
    options.add_argument("--workflows", type=Path, default=Path(".github/workflows"), help="the files under test")
    chosen = options.parse_args()
    file = chosen.state / "state.json"
    state = msgspec.json.decode(file.read_bytes(), type=State) if file.exists() else State()
    with FakeGitHub(chosen.workflows, state) as github:
        print(github.url, flush=True)
        while True:
            time.sleep(0.2)
            _keep(file, state)


def _keep(file: Path, state: State) -> None:
    beside = file.with_suffix(".part")
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.write_bytes(msgspec.json.encode(state))
    beside.replace(file)


if __name__ == "__main__":
    main()
