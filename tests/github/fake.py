"""The fake GitHub: `with FakeGitHub(workflows) as github:` in a test, or as a process

    python -m tests.github.fake --state DIR --workflows .github/workflows --git REPOSITORY.git

which prints its address, reads DIR/state.json at the start, and keeps it and DIR/requests.json up to date.

It is stricter than GitHub: reading a public repository takes the permission too, a job changes no comment but the
bot's, and a request that GitHub's own description does not allow is an error of the test.
"""

from __future__ import annotations

import argparse
import base64
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec

from tests.github import contract, git_http, permissions
from tests.github.calls import Call, RefusedError
from tests.github.routes import ROUTES, Route
from tests.github.server import Reply, Request, Server
from tests.github.state import Branch, State, Token

_FORBIDDEN = "Resource not accessible by integration"
_GIT = re.compile(r"/git/(?P<repository>[^/]+/[^/]+?)(\.git)?(?P<rest>/(info/refs|HEAD|git-[a-z]+-pack|objects/.*))")


class Fault(msgspec.Struct, kw_only=True):
    """What goes wrong with the `nth` request (from 1) that fits, and the `times - 1` after it.

    `status`, `message` (or `body`), `headers`: the answer there is instead.
    """

    method: str
    pattern: str
    nth: int = 1
    times: int = 1
    status: int | None = None
    message: str = "Server Error"
    body: Any = msgspec.UNSET
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    seconds: float = 0.0
    """To wait before anything else."""
    closed: bool = False
    """The connection is closed at once."""
    lost: bool = False
    """The request is carried out, and the connection closed without an answer."""
    cut: bool = False
    """The connection is closed in the middle of the answer."""
    meanwhile: Any = None
    """Called before the request is carried out: what somebody else does at that moment."""
    seen: int = 0

    def fits(self, request: Request) -> bool:
        if request.method != self.method or not re.fullmatch(self.pattern, request.path):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


class FakeGitHub:
    """GitHub for one repository, for as long as the context lasts; on leaving, wrong requests and answers raise.

    `workflows`: the folder of the files under test, which say what each job may do. `git`: a bare repository, to be
    served as well. `wrong` lists what is wrong while it runs.
    """

    def __init__(self, workflows: Path, state: State | None = None, *, git: Path | None = None) -> None:
        self.workflows = workflows
        self.state = state or State()
        self.git = git
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.wrong: list[str] = []
        self._lock = threading.Lock()
        self._api = Server(lambda request: self._answer(request, self._served), self.wrong.append)
        self._storage = Server(lambda request: self._answer(request, self._stored), self.wrong.append)
        self._uploads = Server(lambda request: self._answer(request, self._served), self.wrong.append)
        self.state.uploads = self._uploads.url
        self._see_branches()

    def __enter__(self) -> FakeGitHub:
        for server in (self._api, self._storage, self._uploads):
            server.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for server in (self._api, self._storage, self._uploads):
            server.stop()
        if kind is None:
            assert not self.wrong, "\n".join(self.wrong)

    @property
    def url(self) -> str:
        """What GITHUB_API_URL has to be."""
        return self._api.url

    @property
    def git_url(self) -> str:
        """The address of the repository for git."""
        return f"{self.url}/git/{self.state.repository}.git"

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
        """Let a request go wrong: `pattern` is a regular expression for the whole path as `asked` shows it."""
        self.faults.append(Fault(method=method, pattern=pattern, **how))
        return self.faults[-1]

    def asked(self, method: str, pattern: str = ".*") -> list[Request]:
        """The requests so far. Paths are those below the repository, `/git/...` and `/storage/...`."""
        return [each for each in self.requests if each.method == method and re.fullmatch(pattern, each.path)]

    def _answer(self, request: Request, carry_out: Callable[[Request], Reply]) -> Reply | None:
        """What `carry_out` says, unless a fault comes between; None: the connection is closed."""
        request.path = request.path.removeprefix(f"/repos/{self.state.repository}")
        with self._lock:
            self.requests.append(request)
            fault = next((each for each in self.faults if each.fits(request)), None)
        if fault:
            time.sleep(fault.seconds)
            if fault.meanwhile:
                fault.meanwhile()
            if fault.status is not None:
                request.status = fault.status
                body = {"message": fault.message} if fault.body is msgspec.UNSET else fault.body
                return Reply(fault.status, body, fault.headers)
            if fault.closed:
                return None
        with self._lock:
            try:
                reply = carry_out(request)
            except RefusedError as refused:
                reply = Reply(refused.status, refused.body)
        if fault and fault.lost:
            return None
        request.status = reply.status
        return reply._replace(cut=bool(fault and fault.cut))

    def _stored(self, request: Request) -> Reply:
        """An artifact, or a file of a release, from the storage, which refuses a token as Azure's does."""
        if "authorization" in request.headers:
            return Reply(400, {"code": "InvalidAuthenticationInfo"})
        name = request.path.rpartition("/")[2]
        if not name.startswith("asset-"):
            return Reply(200, self.state.artifacts[int(name)].content, {"Content-Type": "application/zip"})
        files = [each for release in self.state.releases.values() for each in release.assets]
        found = next(each for each in files if each.id == int(name.removeprefix("asset-")))
        return Reply(200, found.content, {"Content-Type": "application/octet-stream"})

    def _served(self, request: Request) -> Reply:
        if request.path.startswith("/git/") and not request.path.startswith("/git/refs/"):
            return self._git(request)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = self._token(given if scheme.lower() in ("bearer", "token") else "")
        route, path = self._route(request)
        accepted = {"X-Accepted-GitHub-Permissions": "; ".join(route.needs)}
        try:
            self._permitted(request, token, route.needs)
            reply = self._carried_out(request, route, path, token)
        except RefusedError as refused:
            reply = Reply(refused.status, refused.body)
        return reply._replace(headers=self._addresses(request, reply.headers) | accepted)

    def _carried_out(self, request: Request, route: Route, path: Mapping[str, str], token: Token) -> Reply:
        is_file = request.headers.get("content-type") == "application/octet-stream"
        body = request.content if is_file else request.body
        problems = contract.request_problems(request.method, route.template, path=path, query=request.query, body=body)
        self._note(request, problems)
        if problems:
            raise RefusedError(422, "Invalid request.", *problems)
        call = Call(
            path=path,
            query=request.query,
            body=None if is_file else body,
            login=token.login,
            is_job=token.kind != "person",
            accept=request.headers.get("accept", ""),
            content=request.content,
        )
        reply = route.answer(self.state, call)
        self._note(request, contract.answer_problems(request.method, route.template, reply.status, reply.body))
        return reply

    def _git(self, request: Request) -> Reply:
        found = _GIT.fullmatch(request.path)
        if self.git is None or found is None or found["repository"] != self.state.repository:
            raise RefusedError(404, "Repository not found.")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        _, _, password = base64.b64decode(given if scheme.lower() == "basic" else "").decode().partition(":")
        try:
            token = self._token(password)
        except RefusedError as refused:
            return Reply(refused.status, refused.body, {"WWW-Authenticate": 'Basic realm="GitHub"'})
        needs = git_http.needed(found["rest"], request.query)
        try:
            self._permitted(request, token, (needs,))
        except RefusedError:
            reading = needs == "contents=read"
            text = "Repository not found." if reading else "Write access to repository not granted."
            return Reply(404 if reading else 403, text.encode(), {"Content-Type": "text/plain"})
        said = git_http.call(
            self.git,
            found["rest"],
            method=request.method,
            query=request.query_text,
            headers=request.headers,
            content=request.content,
            login=token.login,
            protected=[name for name, branch in self.state.branches.items() if branch.protected],
            may_change_workflows=token.kind == "person",
        )
        self._see_branches()
        return Reply(said.status, said.content, said.headers)

    def _see_branches(self) -> None:
        """What was pushed shows in the API: branches, and the heads of open pull requests."""
        if self.git is None:
            return
        heads = git_http.heads(self.git)
        known = self.state.branches
        self.state.branches = {name: known.get(name, Branch()) for name in heads}
        for name, branch in self.state.branches.items():
            branch.sha = heads[name]
        for pull in self.state.pulls.values():
            if pull.state == "open" and pull.head_repository == self.state.repository and pull.head_ref in heads:
                pull.head_sha = heads[pull.head_ref]

    def _token(self, token: str) -> Token:
        if token not in self.state.tokens:
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

    def _permitted(self, request: Request, token: Token, needs: tuple[str, ...]) -> None:
        if token.kind == "person":
            return
        user_agent = request.headers.get("user-agent", "")
        job = permissions.caller(user_agent, self.workflows)
        if job is None:
            self._note(request, [f"no job of {self.workflows} calls: {user_agent}"])
            raise RefusedError(403, _FORBIDDEN)
        request.job = f"{job.file}: {job.name}"
        default, is_fork = self.state.default_workflow_permissions, token.kind == "fork"
        if not permissions.allows(permissions.granted(job, self.workflows, default=default, is_fork=is_fork), needs):
            raise RefusedError(403, _FORBIDDEN)

    def _addresses(self, request: Request, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers in which the number of the next page, or of an artifact, has become an address."""
        made = dict(headers)
        if "next-page" in made:
            query = urlencode(request.query | {"page": made.pop("next-page")})
            made["Link"] = f'<{self.url}/repos/{self.state.repository}{request.path}?{query}>; rel="next"'
        if "stored" in made:
            made["Location"] = f"{self._storage.url}/storage/{made.pop('stored')}?sig=signed"
        return made

    def _note(self, request: Request, problems: list[str]) -> None:
        self.wrong += [f"{request.method} {request.path}: {each}" for each in problems]


def main() -> None:
    options = argparse.ArgumentParser(description="A GitHub for tests, on 127.0.0.1.")
    options.add_argument("--state", type=Path, required=True, help="folder of state.json and requests.json")
    options.add_argument("--workflows", type=Path, default=Path(".github/workflows"), help="the files under test")
    options.add_argument("--git", type=Path, help="a bare repository to serve")
    chosen = options.parse_args()
    file = chosen.state / "state.json"
    state = msgspec.json.decode(file.read_bytes(), type=State) if file.exists() else State()
    signal.signal(signal.SIGTERM, _stop)
    with FakeGitHub(chosen.workflows, state, git=chosen.git) as github:
        print(github.url, flush=True)
        try:
            while True:
                _keep(chosen.state, github)
                time.sleep(0.2)
        except KeyboardInterrupt:
            _keep(chosen.state, github)


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _keep(folder: Path, github: FakeGitHub) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in (("state.json", github.state), ("requests.json", github.requests)):
        beside = folder / f"{name}.part"
        beside.write_bytes(msgspec.json.encode(value))
        beside.replace(folder / name)


if __name__ == "__main__":
    main()
