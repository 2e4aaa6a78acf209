"""Bundles in a server that speaks S3, asked by the library of the extra `s3`; and what goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mlops_ci.edge.stores import s3
from mlops_ci.errors import UsageError
from tests.docker.machine import free_port
from tests.environments import python_with
from tests.github.server import Reply, Request, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[2]
NAME = "bundle-" + "a" * 64
# One line a step: what was answered, or the error with its advice.
DRIVER = """
import json, sys
from pathlib import Path
from mlops_ci.edge.stores.s3 import S3Store
from mlops_ci.errors import MlopsCiError

def asked(store, step):
    name, *rest = step
    try:
        if name == "fetch":
            return store.fetch(rest[0], Path(rest[1]), limit=int(rest[2]))
        return getattr(store, name)(*[Path(each) if "/" in each else each for each in rest])
    except MlopsCiError as error:
        return [type(error).__name__, error.message, error.advice]

store = S3Store("models", "flights")
print("told:" + json.dumps([asked(store, step) for step in json.loads(sys.argv[1])]))
"""


class Between:
    """Passes requests on to the server, unless `fault` answers."""

    def __init__(self, behind: str) -> None:
        self.requests: list[Request] = []
        self.fault: Callable[[Request], Reply | str | None] = lambda request: "on"
        self._behind = httpx.Client(base_url=behind)
        self.server = Server(self._answer, print)
        self.server.start()

    def _answer(self, request: Request) -> Reply | None:
        self.requests.append(request)
        said = self.fault(request)
        if not isinstance(said, str):
            return said
        query = f"?{request.query_text}" if request.query_text else ""
        told = self._behind.request(
            request.method, request.path + query, headers=request.headers, content=request.content
        )
        kept = ("etag", "last-modified", "content-type")
        headers = {key: told.headers[key] for key in kept if key in told.headers}
        if request.method == "HEAD" and told.status_code == 200:
            headers["x-length"] = told.headers["content-length"]
        return Reply(told.status_code, told.content, headers)


@pytest.fixture(scope="module")
def python() -> Path:
    """A Python with obstore, what the tool needs, and a server that speaks S3."""
    return python_with("s3")


@pytest.fixture(scope="module")
def server(python: Path) -> Iterator[str]:
    port = free_port()
    command = [str(python), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                httpx.put(f"{address}/models").raise_for_status()
                break
            except httpx.HTTPError:
                assert running.poll() is None
                time.sleep(0.1)
        yield address
        running.terminate()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "a.zip").write_bytes(b"PK" + tmp_path.name.encode() + bytes(range(256)) * 4000)
    return tmp_path / "a.zip"


def ask(python: Path, address: str, *steps: tuple[object, ...]) -> list[Any]:
    """What each step answered, all in one process."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables |= {"PYTHONPATH": str(REPOSITORY), "AWS_ENDPOINT_URL": address}
    variables |= {"AWS_ACCESS_KEY_ID": "ada", "AWS_SECRET_ACCESS_KEY": "secret"}
    told = json.dumps([[str(each) for each in step] for step in steps])
    done = subprocess.run(
        [str(python), "-c", DRIVER, told], env=variables, capture_output=True, text=True, check=False, timeout=200
    )
    assert "told:" in done.stdout, done.stderr
    assert "secret" not in done.stdout + done.stderr
    return list(json.loads(done.stdout.rpartition("told:")[2]))


def test_what_was_put_is_fetched_sized_and_removed(python: Path, server: str, archive: Path) -> None:
    back, other = archive.with_name("back.zip"), archive.with_name("other.zip")
    other.write_bytes(b"other")
    told = ask(
        python,
        server,
        ("size", NAME),
        ("fetch", NAME, back, 10),
        ("put", NAME, archive),
        ("put", NAME, archive),
        ("size", NAME),
        ("fetch", NAME, back, archive.stat().st_size),
        ("fetch", NAME, back.with_name("small.zip"), 10),
        ("put", NAME, other),
        ("remove", NAME),
        ("remove", NAME),
        ("size", NAME),
    )
    size = archive.stat().st_size
    assert told[:6] == [None, False, None, None, size, True]
    assert back.read_bytes() == archive.read_bytes()
    assert told[6][:2] == ["OutsideError", f"{NAME}.zip in s3://models/flights has more than 10 bytes"]
    assert not back.with_name("small.zip").exists()
    assert told[7][0] == "OutsideError"
    assert told[8:] == [None, None, None]


def test_it_is_put_only_where_there_is_none(python: Path, server: str, archive: Path) -> None:
    between = Between(server)
    ask(python, between.server.url, ("put", "bundle-" + "b" * 64, archive))
    between.server.stop()
    [put] = [each for each in between.requests if each.method == "PUT"]
    assert put.path == f"/models/flights/bundle-{'b' * 64}.zip"
    assert put.headers["if-none-match"] == "*"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Reply(403, b"<Error><Code>AccessDenied</Code></Error>"), "s3://models/flights refused PUT"),
        (Reply(404, b"<Error><Code>NoSuchBucket</Code></Error>"), "s3://models/flights could not be asked: PUT"),
        (Reply(503, b"<Error><Code>SlowDown</Code></Error>"), "s3://models/flights could not be asked: PUT"),
        (None, "s3://models/flights could not be asked: PUT"),
    ],
    ids=["403", "404", "503", "closed"],
)
def test_what_does_not_pass_is_told_and_the_next_run_does_it(
    python: Path, server: str, archive: Path, *, said: Reply | None, words: str
) -> None:
    between, name = Between(server), f"bundle-{abs(hash(words + str(said))):064x}"
    between.fault = lambda request: said if request.method == "PUT" else "on"
    [told] = ask(python, between.server.url, ("put", name, archive))
    assert told[0] == "OutsideError"
    assert told[1].startswith(words)
    assert told[2]
    between.server.stop()
    assert ask(python, server, ("size", name), ("put", name, archive)) == [None, None]


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)  # to import it fails, also where it is installed
    with pytest.raises(UsageError, match="is not installed here") as stopped:
        s3.S3Store("models", "flights")
    assert "mlops-ci[s3]" in stopped.value.advice


def test_credentials_go_to_no_address_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://minio.example:9000")
    monkeypatch.setattr(s3, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "obstore", type(sys)("obstore"))
    monkeypatch.setitem(sys.modules, "obstore.store", type(sys)("obstore.store"))
    sys.modules["obstore.store"].S3Store = object  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL_S3 has to begin with https"):
        s3.S3Store("models", "flights")
