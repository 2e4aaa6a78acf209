"""One repository of a registry, by the OCI distribution specification, with Docker's way of asking who one is.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import hashlib
import io
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from mlops_ci.edge import files, http
from mlops_ci.edge.http import REDIRECTS, Answer, BrokenError, Http, Limits, Sink, plain
from mlops_ci.edge.patience import Patience, Time
from mlops_ci.edge.stores.credentials import credentials
from mlops_ci.errors import OutsideError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_SECONDS = 60.0
"""For all tries of one request together; a file may take `_TRANSFER`."""
_QUIET = 30.0
_TRANSFER = 900.0
_TRIES = 3
_HUB = {"docker.io": "registry-1.docker.io"}

Opened = Callable[[], IO[bytes]]


class _Request(NamedTuple):
    """What is asked. `content` is opened anew for each try; `own`: of the registry itself, which is told who asks."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    content: Opened | None = None
    into: Sink | None = None
    own: bool = True


class _Token(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Said(msgspec.Struct, frozen=True):
    errors: tuple[_Problem, ...] = ()


class Registry:
    """`place`: `ghcr.io/acme/models`. Every method raises OutsideError where the registry refuses or is not reached."""

    def __init__(self, host: str, name: str, time: Time | None = None) -> None:
        self.place = f"{host}/{name}"
        self._host, self._name = host, name
        self._time = time or Time()
        self._http = Http({"Accept": "*/*", "User-Agent": "mlops-ci"}, self._time.clock)
        where = http.address(f"https://{host}")
        scheme = "http" if where is not None and where.is_loopback else "https"
        self._root = f"{scheme}://{_HUB.get(host, host)}/v2/{name}"
        self._authorization = ""

    def manifest(self, tag: str) -> bytes | None:
        """None where there is none."""
        answer = self._called(_Request("GET", f"{self._root}/manifests/{quote(tag)}", {"Accept": MANIFEST}))
        if answer.status == 404:
            return None
        return self._good(answer, "GET", f"manifest {tag}").body

    def put_manifest(self, tag: str, content: bytes) -> None:
        url = f"{self._root}/manifests/{quote(tag)}"
        answer = self._called(_Request("PUT", url, {"Content-Type": MANIFEST}, _opened(content)))
        self._good(answer, "PUT", f"manifest {tag}")

    def delete_manifest(self, digest: str) -> None:
        """Remove it with all its tags; one that is gone already is no error. Some registries refuse that."""
        answer = self._called(_Request("DELETE", f"{self._root}/manifests/{digest}"))
        if answer.status == 405:
            advice = "It removes nothing over this way: do it on its own pages."
            raise OutsideError(f"{self.place} refused DELETE manifest {digest} (405)", advice)
        if answer.status != 404:
            self._good(answer, "DELETE", f"manifest {digest}")

    def put_blob(self, content: Path | bytes, digest: str) -> None:
        """Send what is not there yet; `digest`: `sha256:` and 64 hex digits. An upload that broke off begins anew."""
        for left in reversed(range(_TRIES)):
            if self._called(_Request("HEAD", f"{self._root}/blobs/{digest}")).status == 200:
                return
            begun = self._good(self._called(_Request("POST", f"{self._root}/blobs/uploads/")), "POST", "an upload")
            url = self._upload(begun)
            headers = {"Content-Type": "application/octet-stream"}
            url = f"{url}{'&' if '?' in url else '?'}digest={digest}"
            try:
                answer = self._asked(_Request("PUT", url, headers, _opened(content)))
            except BrokenError as error:
                if not (error.passing and left):
                    raise self._unreachable("PUT", f"blob {digest}", error) from error
            else:
                if answer.status < 500 or not left:
                    self._good(answer, "PUT", f"blob {digest}")
                    return

    def blob(self, digest: str, into: Sink) -> None:
        """Give `into` the bytes of a blob; where they lie on another host, that is not told who asks."""
        answer = self._called(_Request("GET", f"{self._root}/blobs/{digest}", into=into))
        if answer.status in REDIRECTS:
            answer = self._called(_Request("GET", self._elsewhere(answer), into=into, own=False))
        self._good(answer, "GET", f"blob {digest}")

    def _elsewhere(self, answer: Answer) -> str:
        url = http.joined(self._root, answer.headers.get("location", ""))
        where = http.address(url or "")
        if url is None or where is None or not (where.scheme == "https" or self._is_ours(url) or where.is_loopback):
            raise self._not_understood("it leads to what is no https address")
        return url

    def _upload(self, begun: Answer) -> str:
        url = http.joined(f"{self._root}/blobs/uploads/", begun.headers.get("location", ""))
        if url is None or not self._is_ours(url):
            raise self._not_understood("files are to be sent to another host")
        return url

    def _is_ours(self, url: str) -> bool:
        here, there = http.address(self._root), http.address(url)
        return here is not None and there is not None and here[:3] == there[:3] and not there.has_user

    def _called(self, request: _Request) -> Answer:
        """The answer, whatever it says, after as many tries as a registry in trouble may take; all may be repeated."""
        patience = Patience(self._time, _SECONDS)
        while True:
            try:
                answer = self._asked(request)
            except BrokenError as error:
                if not (error.passing and patience.again()):
                    what = request.url.partition("?")[0].removeprefix(self._root)
                    raise self._unreachable(request.method, what, error) from error
                continue
            if not ((answer.status >= 500 or answer.status == 429) and patience.again()):
                return answer

    def _asked(self, request: _Request) -> Answer:
        """One try, and one more where the registry first asks who it is."""
        method, url, content, into = request.method, request.url, request.content, request.into
        limits = Limits(_QUIET, _SECONDS if content is None and into is None else _TRANSFER)
        for again in (True, False):
            who = {"Authorization": self._authorization} if request.own and self._authorization else {}
            headers = {**request.headers, **who}
            with content() if content else io.BytesIO() as body:
                sent = body if content else None
                answer = self._http.ask(method, url, limits=limits, headers=headers, content=sent, into=into)
            if not (answer.status == 401 and request.own and again and self._logged_in(answer)):
                break
        return answer

    def _logged_in(self, answer: Answer) -> bool:
        """Do what a 401 asks for; False where there is nothing to do it with."""
        scheme, _, rest = answer.headers.get("www-authenticate", "").partition(" ")
        asked = urllib.request.parse_keqv_list([each for each in urllib.request.parse_http_list(rest) if "=" in each])
        given = credentials(self._host)
        if scheme.lower() == "basic" and given and not given.token:
            self._authorization = given.basic
            return True
        if scheme.lower() != "bearer" or "realm" not in asked:
            return False
        query = {"service": asked.get("service", ""), "scope": asked.get("scope", f"repository:{self._name}:pull,push")}
        self._authorization = f"Bearer {self._token(asked['realm'], query)}"
        return True

    def _token(self, realm: str, query: dict[str, str]) -> str:
        where = http.address(realm)
        if where is None or not (where.scheme == "https" or (where.is_loopback and self._root.startswith("http:"))):
            raise self._not_understood("it sends people who log in to what is no https address")
        given, limits = credentials(self._host), Limits(_QUIET, _SECONDS)
        try:
            if given and given.token:
                form = {**query, "grant_type": "refresh_token", "client_id": "mlops-ci", "refresh_token": given.token}
                headers = {"Content-Type": "application/x-www-form-urlencoded"}
                content = urlencode(form).encode()
                answer = self._http.ask("POST", realm, limits=limits, headers=headers, content=content)
            else:
                headers = {"Authorization": given.basic} if given else {}
                answer = self._http.ask("GET", http.with_query(realm, query), limits=limits, headers=headers)
        except BrokenError as error:
            raise self._unreachable("GET", "a token", error) from error
        try:
            told = msgspec.json.decode(self._good(answer, "GET", "a token").body, type=_Token)
        except msgspec.MsgspecError as error:
            raise self._not_understood(f"its token: {error}") from error
        return told.token or told.access_token

    def _good(self, answer: Answer, method: str, what: str) -> Answer:
        if answer.status < 300:
            return answer
        try:
            said = msgspec.json.decode(answer.body, type=_Said).errors
        except msgspec.MsgspecError:
            said = ()
        told = plain("; ".join(f"{each.code} {each.message}".strip() for each in said))
        raise OutsideError(
            f"{self.place} refused {method} {what} ({answer.status})" + (f": {told}" if told else ""),
            self._advice(answer.status),
        )

    def _advice(self, status: int) -> str:
        if status in (401, 403):
            job = "; in a workflow give the job `packages: write` and GITHUB_TOKEN" if self._host == "ghcr.io" else ""
            return f"Log in with an account that may do that: docker login {self._host}{job}."
        if status == 404:
            return f"Does {self.place} exist, and may this account see it? docker login {self._host}"
        if status == 429 or status >= 500:
            return "The registry is in trouble: run the command again later."
        return "Does the registry take OCI artifacts?"

    def _unreachable(self, method: str, what: str, error: BrokenError) -> OutsideError:
        return OutsideError(
            f"{self.place} could not be asked: {method} {what}: {plain(error.kind)}",
            "Is the name of the registry right, and does this machine reach it? Then run the command again.",
        )

    def _not_understood(self, reason: str) -> OutsideError:
        return OutsideError(f"the answer of {self.place} is not understood: {plain(reason)}", "Is it a registry?")


def digest_of(content: Path | bytes) -> str:
    """`sha256:` and 64 hex digits."""
    found = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else files.sha256(content)
    return f"sha256:{found}"


def _opened(content: Path | bytes) -> Opened:
    return (lambda: io.BytesIO(content)) if isinstance(content, bytes) else (lambda: content.open("rb"))
