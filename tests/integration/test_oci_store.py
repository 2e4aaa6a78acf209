"""Bundles in a registry that runs: with and without logging in, whole or not there, and what goes wrong on the way."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from mlops_ci.edge import patience
from mlops_ci.edge.git import Repository
from mlops_ci.edge.stores.oci import ARTIFACT, OciStore
from mlops_ci.edge.stores.registry import Registry
from mlops_ci.errors import ExitCode, OutsideError
from mlops_ci.steps import ledger, stores
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.project import open_project
from tests.between import Between
from tests.docker import machine
from tests.github.server import Reply, Request, Server
from tests.helpers import bare, git, repo
from tests.integration.test_releases import SETTINGS, bundle, entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.needs("docker-registry", "openssl")

NAME = "bundle-" + "a" * 64
USER, PASSWORD = "ada", "pass:word"
HTPASSWD = f"{USER}:$2b$05$abcdefghijklmnopqrstuuDIEddBSuRWBBEY6g5zv60IAP5bSSfki\n"
QUICK = patience.Time(sleep=lambda seconds: None)


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own is not looked at."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker"


@pytest.fixture
def between(running: machine.Registry) -> Iterator[Between]:
    found = Between(f"http://{running.address}")
    yield found
    found.stop()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "a.zip").write_bytes(b"PK" + tmp_path.name.encode() + bytes(range(256)) * 400)
    return tmp_path / "a.zip"


@pytest.fixture
def store(between: Between, tmp_path: Path) -> OciStore:
    return of(between.address, tmp_path)


def of(address: str, tmp_path: Path) -> OciStore:
    """A repository of its own for each test."""
    return OciStore(Registry(address, f"acme/{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}", QUICK))


def gives_back(store: OciStore, archive: Path) -> bool:
    into = archive.with_name("back.zip")
    return store.fetch(NAME, into, limit=1 << 20) and into.read_bytes() == archive.read_bytes()


def test_what_was_put_is_fetched(store: OciStore, between: Between, archive: Path) -> None:
    assert not store.fetch(NAME, archive.with_name("none"), limit=10)
    store.put(NAME, archive)
    assert gives_back(store, archive)
    root = f"http://{between.address}/v2/{store.place.partition('/')[2]}"
    told = httpx.get(
        f"{root}/manifests/{NAME}", headers={"Accept": "application/vnd.oci.image.manifest.v1+json"}
    ).json()
    assert told["artifactType"] == ARTIFACT
    assert told["layers"][0]["annotations"] == {"org.opencontainers.image.title": f"{NAME}.zip"}
    sent = len(between.asked("PUT"))
    store.put(NAME, archive)
    assert len(between.asked("PUT")) == sent
    archive.write_bytes(b"other")
    with pytest.raises(OutsideError, match="is not the artifact that was put there"):
        store.put(NAME, archive)


def test_what_is_removed_is_gone_and_what_others_put_there_is_not(
    store: OciStore, between: Between, archive: Path
) -> None:
    assert store.size(NAME) is None
    store.put(NAME, archive)
    assert store.size(NAME) == archive.stat().st_size
    between.fault = lambda request: Reply(405, {}) if request.method == "DELETE" else "on"
    with pytest.raises(OutsideError, match=r"\(405\)") as stopped:
        store.remove(NAME)
    assert "its own pages" in stopped.value.advice
    between.fault = lambda request: "on"
    store.remove(NAME)
    store.remove(NAME)
    assert store.size(NAME) is None
    between.fault = lambda request: Reply(200, b"{}") if "/manifests/" in request.path else "on"
    deleted = len(between.asked("DELETE"))
    with pytest.raises(OutsideError, match="is nothing of mlops-ci's"):
        store.remove(NAME)
    assert len(between.asked("DELETE")) == deleted


# Logging in


def logged_in(folder: Path, address: str, **auth: str) -> None:
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {address: auth or {"auth": basic}}}))


def test_a_password_of_docker_login_is_used(tmp_path: Path, docker_config: Path, archive: Path) -> None:
    (tmp_path / "registry").mkdir()
    registry = machine.Registry(tmp_path / "registry", HTPASSWD)
    try:
        refused = OciStore(Registry(registry.address, "acme/models", QUICK))
        with pytest.raises(OutsideError, match=r"refused GET manifest .* \(401\): UNAUTHORIZED") as stopped:
            refused.put(NAME, archive)
        assert stopped.value.advice == f"Log in with an account that may do that: docker login {registry.address}."
        logged_in(docker_config, registry.address, auth=base64.b64encode(b"ada:wrong").decode())
        with pytest.raises(OutsideError, match="401"):
            refused.put(NAME, archive)
        logged_in(docker_config, registry.address)
        store = OciStore(Registry(registry.address, "acme/models", QUICK))
        store.put(NAME, archive)
        assert gives_back(store, archive)
    finally:
        registry.stop()


def test_a_helper_of_docker_login_is_asked(
    tmp_path: Path, docker_config: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "registry").mkdir()
    registry = machine.Registry(tmp_path / "registry", HTPASSWD)
    helper = tmp_path / "docker-credential-test"
    told = json.dumps({"ServerURL": registry.address, "Username": USER, "Secret": PASSWORD})
    helper.write_text(f'#!/bin/sh\n[ "$1" = get ] && [ "$(cat)" = {registry.address} ] && echo \'{told}\'\n')
    helper.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (docker_config / "config.json").write_text(json.dumps({"credHelpers": {registry.address: "test"}}))
    try:
        store = OciStore(Registry(registry.address, "acme/models", QUICK))
        store.put(NAME, archive)
        assert gives_back(store, archive)
    finally:
        registry.stop()


class Tokens:
    """A token server: a JSON Web Token with what is asked for, to who has the password or the identity token."""

    def __init__(self, folder: Path) -> None:
        self.key, self.certificate = folder / "key.pem", folder / "cert.pem"
        self.requests: list[Request] = []
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=tokens", "-days", "2"),
            *("-keyout", str(self.key), "-out", str(self.certificate)),
        )
        self.server = Server(self._answer, print)
        self.server.start()

    @property
    def auth(self) -> str:
        """Of the registry's settings."""
        rest = f"service: registry, issuer: tokens, rootcertbundle: {self.certificate}"
        return f"auth: {{token: {{realm: '{self.server.url}/token', {rest}}}}}\n"

    def _answer(self, request: Request) -> Reply:
        self.requests.append(request)
        form = dict(httpx.QueryParams(request.content.decode())) if request.method == "POST" else request.query
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        known = request.headers.get("authorization") == f"Basic {basic}" or form.get("refresh_token") == "identity"
        if not known:
            return Reply(401, {"errors": [{"code": "UNAUTHORIZED", "message": "who are you?"}]})
        kind, name, actions = form["scope"].split(":")
        access = [{"type": kind, "name": name, "actions": actions.split(",")}]
        word = "access_token" if request.method == "POST" else "token"
        return Reply(200, {word: self._signed({"access": access, "aud": form["service"], "sub": USER})})

    def _signed(self, claims: dict[str, Any]) -> str:
        der = base64.b64encode(_openssl("x509", "-in", str(self.certificate), "-outform", "DER")).decode()
        now = int(time.time())
        times = {"iss": "tokens", "exp": now + 300, "nbf": now - 60, "iat": now, "jti": "1"}
        parts = ({"typ": "JWT", "alg": "RS256", "x5c": [der]}, claims | times)
        text = ".".join(_packed(json.dumps(part).encode()) for part in parts)
        return f"{text}.{_packed(_openssl('dgst', '-sha256', '-sign', str(self.key), stdin=text.encode()))}"


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _openssl(*words: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Tokens]:
    found = Tokens(tmp_path)
    yield found
    found.server.stop()


def test_a_registry_that_wants_a_token_gets_one(
    tmp_path: Path, tokens: Tokens, docker_config: Path, archive: Path
) -> None:
    """As Docker Hub, ghcr.io and most others do it: the registry says where, for what, and checks the signature."""
    (tmp_path / "registry").mkdir()
    registry = machine.Registry(tmp_path / "registry", auth=tokens.auth)
    try:
        with pytest.raises(OutsideError, match=r"refused GET a token \(401\): UNAUTHORIZED who are you\?"):
            OciStore(Registry(registry.address, "acme/models", QUICK)).put(NAME, archive)
        logged_in(docker_config, registry.address)
        store = OciStore(Registry(registry.address, "acme/models", QUICK))
        store.put(NAME, archive)
        assert gives_back(store, archive)
        scopes = [
            set(each.query["scope"].removeprefix("repository:acme/models:").split(",")) for each in tokens.requests
        ]
        assert scopes[1] == {"pull"}
        assert {"pull", "push"} in scopes
        logged_in(docker_config, registry.address, auth="", identitytoken="identity")
        assert gives_back(OciStore(Registry(registry.address, "acme/models", QUICK)), archive)
        assert tokens.requests[-1].method == "POST"
    finally:
        registry.stop()


def test_a_password_goes_to_no_address_without_encryption(between: Between, store: OciStore, archive: Path) -> None:
    challenge = {"WWW-Authenticate": 'Bearer realm="http://tokens.example/token",service="x"'}
    between.fault = lambda request: Reply(401, {}, challenge)
    with pytest.raises(OutsideError, match="no https address"):
        store.put(NAME, archive)


# What goes wrong


def first(times: int, what: Callable[[Request], bool], said: Reply | None) -> Callable[[Request], Reply | str | None]:
    left = [times]

    def fault(request: Request) -> Reply | str | None:
        if what(request) and left[0] > 0:
            left[0] -= 1
            return said
        return "on"

    return fault


def puts_blob(request: Request) -> bool:
    return request.method == "PUT" and "/blobs/" in request.path


def gets_blob(request: Request) -> bool:
    return request.method == "GET" and "/blobs/" in request.path


def puts_manifest(request: Request) -> bool:
    return request.method == "PUT" and "/manifests/" in request.path


def anything(request: Request) -> bool:
    return True


BROKEN = Reply(503, {"errors": [{"code": "UNAVAILABLE", "message": "try later"}]})


@pytest.mark.parametrize("said", [BROKEN, None], ids=["503", "closed"])
@pytest.mark.parametrize("what", [puts_blob, gets_blob, puts_manifest, anything])
def test_what_passes_is_tried_again(
    store: OciStore, between: Between, archive: Path, *, what: Callable[[Request], bool], said: Reply | None
) -> None:
    between.fault = first(2, what, said)
    store.put(NAME, archive)
    assert gives_back(store, archive)


DENIED = Reply(403, {"errors": [{"code": "DENIED", "message": "not you"}]})


@pytest.mark.parametrize("said", [BROKEN, DENIED, None], ids=["503", "403", "closed"])
@pytest.mark.parametrize("what", [puts_blob, gets_blob, puts_manifest, anything])
def test_what_does_not_pass_is_told_and_the_next_run_does_it(
    store: OciStore, between: Between, archive: Path, *, what: Callable[[Request], bool], said: Reply | None
) -> None:
    between.fault = first(99, what, said)
    with pytest.raises(OutsideError) as stopped:
        store.put(NAME, archive)
    assert stopped.value.exit_code is ExitCode.OUTSIDE
    assert stopped.value.advice
    if what is not gets_blob:
        between.fault = first(0, what, None)
        assert not store.fetch(NAME, archive.with_name("none"), limit=1 << 20)
    between.fault = first(0, what, None)
    store.put(NAME, archive)
    assert gives_back(store, archive)


def test_bytes_of_another_digest_are_not_let_in(store: OciStore, between: Between, archive: Path) -> None:
    store.put(NAME, archive)
    size = archive.stat().st_size
    between.fault = lambda request: Reply(200, b"x" * size) if gets_blob(request) else "on"
    with pytest.raises(OutsideError, match="arrived with another digest than it should have"):
        store.fetch(NAME, archive.with_name("back.zip"), limit=1 << 20)
    between.fault = lambda request: Reply(200, b"x" * (size << 4)) if gets_blob(request) else "on"
    with pytest.raises(OutsideError, match="has more than"):
        store.fetch(NAME, archive.with_name("back.zip"), limit=size)
    assert not archive.with_name("back.zip").exists()


def test_a_download_cut_short_begins_anew(store: OciStore, between: Between, archive: Path) -> None:
    store.put(NAME, archive)
    cut = [True]

    def fault(request: Request) -> Reply | str | None:
        return between.passed_on(request)._replace(cut=True) if gets_blob(request) and cut and cut.pop() else "on"

    between.fault = fault
    assert gives_back(store, archive)
    assert not cut


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[]",
        b'{"schemaVersion": 2',
        msgspec.json.encode({"schemaVersion": 2, "mediaType": "x", "artifactType": "y", "layers": []}),
    ],
)
def test_what_somebody_else_put_there_is_not_read(
    store: OciStore, between: Between, archive: Path, content: bytes
) -> None:
    between.fault = lambda request: Reply(200, content) if "/manifests/" in request.path else "on"
    with pytest.raises(OutsideError, match="is nothing of mlops-ci's"):
        store.fetch(NAME, archive.with_name("back.zip"), limit=1 << 20)


def test_the_storage_behind_it_is_not_told_who_asks(
    store: OciStore, between: Between, archive: Path, docker_config: Path
) -> None:
    store.put(NAME, archive)
    seen: list[Request] = []

    def stored(request: Request) -> Reply:
        seen.append(request)
        return Reply(200, archive.read_bytes())

    storage = Server(stored, print)
    storage.start()
    logged_in(docker_config, between.address)
    asked = Reply(401, {}, {"WWW-Authenticate": 'Basic realm="x"'})

    def fault(request: Request) -> Reply | str | None:
        if "authorization" not in request.headers:
            return asked
        del request.headers["authorization"]
        return Reply(307, None, {"Location": f"{storage.url}/x?sig=1"}) if gets_blob(request) else "on"

    between.fault = fault
    try:
        assert gives_back(store, archive)
        assert [each.query_text for each in seen] == ["sig=1"]
        assert "authorization" not in seen[0].headers
        between.fault = lambda request: (
            Reply(307, None, {"Location": "http://storage.example/x"}) if gets_blob(request) else "on"
        )
        with pytest.raises(OutsideError, match="no https address"):
            gives_back(store, archive)
        between.fault = lambda request: (
            Reply(202, None, {"Location": f"{storage.url}/up"}) if request.method == "POST" else "on"
        )
        archive.write_bytes(b"not there yet")
        with pytest.raises(OutsideError, match="files are to be sent to another host"):
            store.put("bundle-" + "b" * 64, archive)
    finally:
        storage.stop()


def test_a_registry_that_is_not_there_is_named(archive: Path) -> None:
    store = OciStore(Registry(f"127.0.0.1:{machine.free_port()}", "acme/models", QUICK))
    with pytest.raises(OutsideError, match=r"127\.0\.0\.1:\d+/acme/models could not be asked: GET .*ConnectError"):
        store.put(NAME, archive)


# Bundles


def test_a_release_is_served_from_another_clone(running: machine.Registry, tmp_path: Path) -> None:
    root = repo(tmp_path / "r", {"mlops.yaml": f"{SETTINGS}store: oci://{running.address}/acme/served\n"})
    bare(root, tmp_path / "origin.git")
    digest = bundle(tmp_path / "made")
    put = stores.keep(open_project(root), tmp_path / "made", digest, print)
    assert put.place == f"{running.address}/acme/served"
    ledger.record(Repository.open(root), entry(1, digest))
    git(root, "push", "--quiet", "origin", "mlops-reports")
    git(tmp_path, "clone", "--quiet", "origin.git", "elsewhere")
    there = tmp_path / "elsewhere"
    assert find_bundle(there, "v1", print) == (there / ".mlops-ci/store/bundles" / digest, "v1")
