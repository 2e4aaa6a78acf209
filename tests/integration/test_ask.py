"""`mlops-ci ask`: a server that runs somewhere holds the bundle and answers as judged, or not; hostile ones too."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops_ci.cli import main
from mlops_ci.edge import served as served_edge
from mlops_ci.edge.git import Repository
from mlops_ci.edge.http import Limits
from mlops_ci.edge.stores import folder as store
from mlops_ci.packaging import manifest
from mlops_ci.steps import ledger
from tests import helpers, serving_bundles
from tests.integration.test_releases import entry
from tests.serving_client import Running, running

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_bundles.write(tmp_path_factory.mktemp("ask") / "flights", serving_bundles.multiclass())


@pytest.fixture(scope="module")
def served(bundle: Path) -> Iterator[Running]:
    with running(bundle, "--release", "v3") as server:
        yield server


def ask(capsys: Capture, address: str, *words: str | Path) -> tuple[int, Any]:
    """Code and JSON."""
    code = main(["ask", address, *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def at(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def test_a_server_of_the_bundle_answers_as_judged(bundle: Path, served: Running, capsys: Capture) -> None:
    code, found = ask(capsys, at(served.port), bundle)
    golden = json.loads((bundle / "golden.json").read_bytes())
    told = served.ask("GET", "/metadata").json()
    assert (code, found["ok"], found["reason"]) == (0, True, "")
    assert (found["project"], found["rows"]) == ("flights", len(golden["rows"]))
    assert found["expected"] == {"release": "", "digest": told["digest"], "fingerprint": golden["fingerprint"]}
    assert found["found"] == found["expected"] | {"release": "v3"}


def test_its_log_knows_who_asked(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    with running(bundle, "--log", str(tmp_path / "log")) as server:
        assert ask(capsys, at(server.port), bundle)[0] == 0
    records = [json.loads(line) for path in (tmp_path / "log").glob("*.jsonl") for line in path.open()]
    assert {record["request"] for record in records} == {"mlops-ci-ask"}


def test_people_read_which_bundle_it_is(bundle: Path, served: Running, capsys: Capture) -> None:
    assert main(["ask", at(served.port) + "/", str(bundle)]) == 0
    said = capsys.readouterr()
    told = served.ask("GET", "/metadata").json()
    assert said.out.splitlines() == [
        f"as judged: {at(served.port)} serves flights {told['digest'][7:14]}",
        f"  the bundle     {told['digest']}",
        f"  fingerprint    {told['fingerprint']}",
    ]
    assert said.err.startswith("ask       12 answers as judged ")


def test_without_a_name_it_is_the_newest_release(
    bundle: Path, served: Running, tmp_path: Path, capsys: Capture
) -> None:
    settings = "version: 1\nproject: flights\ntask: regression\ndata: {sources: {rows: rows.csv}, target: y}\n"
    root = helpers.repo(tmp_path / "desk", {"mlops.yaml": settings})
    name = manifest.digest((bundle / manifest.NAME).read_bytes())
    made = entry(1, name)
    assert made.release is not None
    release = msgspec.structs.replace(made.release, project="flights")
    ledger.record(Repository.open(root), msgspec.structs.replace(made, release=release))
    store.put(root / ".mlops-ci/store", bundle, name)
    assert main(["-C", str(root), "ask", at(served.port)]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == f"as judged: {at(served.port)} serves flights v1"
    assert last == "  it calls itself v3"


def test_another_bundle_is_refused_by_its_digest(served: Running, tmp_path: Path, capsys: Capture) -> None:
    """The same answers, and other files."""
    other = serving_bundles.write(tmp_path / "other", serving_bundles.multiclass() | {"notes.txt": b"another day"})
    told = served.ask("GET", "/metadata").json()["digest"]
    code, found = ask(capsys, at(served.port), other)
    assert (code, found["ok"]) == (10, False)
    assert found["reason"] == f"it holds another bundle: {told[7:14]}, not {found['expected']['digest'][7:14]}"
    assert main(["ask", at(served.port), str(other)]) == 10
    said = capsys.readouterr().out
    assert said.startswith(f"refused: {at(served.port)} does not serve flights "), said


def test_a_token_is_sent_and_only_where_nobody_listens(
    bundle: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    with running(bundle, "--token-env", "TOKEN", TOKEN="secret") as server:
        assert ask(capsys, at(server.port), bundle, "--token-env", "TOKEN")[0] == 0
        code, found = ask(capsys, at(server.port), bundle)
        assert (code, found["error"]["code"]) == (3, "outside")
        assert "answers /metadata with 401" in found["error"]["message"]
        assert "--token-env NAME" in found["error"]["message"]
    for address, words in (("http://models.example", "is not encrypted"), ("https://a:b@models.example", "no address")):
        code, found = ask(capsys, address, bundle, "--token-env", "TOKEN")
        assert code == 2
        assert words in found["error"]["message"]
        assert "secret" not in json.dumps(found)


@pytest.mark.parametrize("token", ["", "two words", "a\nb"])
def test_what_is_no_token_is_not_sent(
    bundle: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("TOKEN", token)
    code, found = ask(capsys, "http://127.0.0.1:9", bundle, "--token-env", "TOKEN")
    assert (code, found["error"]["code"]) == (2, "usage")
    assert token == "" or token not in found["error"]["message"]


@pytest.mark.parametrize(
    "address", ["flights:8000", "ftp://flights", "http://", "http://h/?x=1", "http://h/#x", "http://[::"]
)
def test_what_is_no_address_is_a_usage_error(bundle: Path, capsys: Capture, address: str) -> None:
    code, found = ask(capsys, address, bundle)
    assert (code, found["error"]["code"]) == (2, "usage")
    assert address in found["error"]["message"]


def test_a_server_that_is_not_there_was_not_judged(bundle: Path, capsys: Capture) -> None:
    code, found = ask(capsys, "http://127.0.0.1:9", bundle)
    assert code == 3
    assert found["error"]["message"].startswith("http://127.0.0.1:9 does not answer: ")


Reply = tuple[int, bytes] | Callable[[Any], None]


@contextlib.contextmanager
def stranger(metadata: Reply, invocations: Reply) -> Iterator[tuple[str, list[str]]]:
    """A server of somebody: what it answers to each path, and the paths it was asked below its own."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.say(metadata)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.say(invocations)

        def say(self, reply: Reply) -> None:
            asked.append(self.path)
            if callable(reply):
                reply(self)
                return
            self.send_response(reply[0])
            self.send_header("content-length", str(len(reply[1])))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(reply[1])

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/models/flights", asked
    finally:
        server.shutdown()
        server.server_close()


def described(bundle: Path, **other: object) -> bytes:
    """What the runtime says under `/metadata`."""
    golden = json.loads((bundle / "golden.json").read_bytes())
    digest = f"sha256:{manifest.digest((bundle / manifest.NAME).read_bytes())}"
    return json.dumps({"digest": digest, "fingerprint": golden["fingerprint"], "release": "v3"} | other).encode()


def judged(bundle: Path) -> list[dict[str, Any]]:
    answers = json.loads((bundle / "golden.json").read_bytes())["answers"]
    return [dict(zip(answers, row, strict=True)) for row in zip(*answers.values(), strict=True)]


def test_below_a_path_it_is_asked_there(bundle: Path, capsys: Capture) -> None:
    good = json.dumps({"predictions": judged(bundle)}).encode()
    with stranger((200, described(bundle)), (200, good)) as (address, asked):
        assert ask(capsys, address, bundle)[0] == 0
        assert asked == ["/models/flights/metadata", "/models/flights/invocations"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prediction": "nowhere"}, "prediction of golden row 0 is 'nowhere'; the judged model says "),
        ({"prediction": "x" * 1_000_000}, "prediction of golden row 0 is 'xxx"),
        ({"probability_late": 10**400}, "probability_late of golden row 0 is 1000"),
        ({"probability_late": None}, "probability_late of golden row 0 is None"),
        ({"probability_late": {"a": 1}}, "its answer cannot be read: "),
    ],
)
def test_a_copy_that_answers_otherwise_is_refused(
    bundle: Path, capsys: Capture, change: dict[str, Any], words: str
) -> None:
    """It says that it is the bundle: what it answers is compared all the same."""
    first, *others = judged(bundle)
    said = json.dumps({"predictions": [first | change, *others]}).encode()
    with stranger((200, described(bundle)), (200, said)) as (address, _):
        code, found = ask(capsys, address, bundle)
    assert (code, found["ok"]) == (10, False)
    assert found["reason"].startswith(words)
    assert len(found["reason"]) <= 300


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"no such page", "it answers /metadata with 404: no such page"),
        (302, b"", "it answers /metadata with 302"),
        (200, b"<html>", "its answer cannot be read: "),
        (200, b'{"x": ' + b"[" * 200_000, "its answer cannot be read: "),
        (200, b"\xff\xfe{}", "its answer cannot be read: "),
        (200, b"{}", "it holds another bundle: one without a digest, not "),
        (200, b'{"digest": "\\u001b[2J::error::x"}', "it holds another bundle: "),
    ],
)
def test_what_is_no_server_of_a_bundle_is_refused(
    bundle: Path, capsys: Capture, status: int, body: bytes, words: str
) -> None:
    with stranger((status, body), (200, b"{}")) as (address, asked):
        assert main(["ask", address, str(bundle)]) == 10
        assert "\x1b" not in capsys.readouterr().out
        code, found = ask(capsys, address, bundle)
    assert code == 10
    assert found["reason"].startswith(words)
    assert len(found["reason"]) <= 300
    assert set(asked) == {"/models/flights/metadata"}, "golden rows are for nobody else"


@pytest.mark.parametrize("status", [403, 429, 502, 503, 504])
def test_a_server_that_is_busy_was_not_judged(bundle: Path, capsys: Capture, status: int) -> None:
    with stranger((200, described(bundle)), (status, b"")) as (address, _):
        code, found = ask(capsys, address, bundle)
    assert (code, found["error"]["code"]) == (3, "outside")
    assert f"answers /invocations with {status}: " in found["error"]["message"]


def test_an_endless_answer_is_cut_off(bundle: Path, capsys: Capture) -> None:
    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"[" * 65536)

    with stranger(endless, (200, b"")) as (address, _):
        code, found = ask(capsys, address, bundle)
    assert code == 3
    assert "an answer of more than 20,000,000 bytes" in found["error"]["message"]


def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(
    bundle: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte of its head comes soon enough."""
    monkeypatch.setattr(served_edge, "_LIMITS", Limits(quiet=1.0, whole=1.5))

    def slow(handler: Any) -> None:
        with contextlib.suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
            for _ in range(100):
                handler.wfile.write(b"x")
                time.sleep(0.1)

    with stranger(slow, (200, b"")) as (address, _):
        began = time.monotonic()
        code, found = ask(capsys, address, bundle)
        assert time.monotonic() - began < 8
    assert (code, found["error"]["message"]) == (3, f"{address} does not answer: not whole within 2 s")


def test_it_is_asked_again_while_it_starts(bundle: Path, capsys: Capture) -> None:
    """First something else answers, then nobody, then the bundle."""
    good, tries = json.dumps({"predictions": judged(bundle)}).encode(), iter([b"{}", None])

    def starting(handler: Any) -> None:
        said = next(tries, described(bundle))
        if said is not None:
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(said)

    with stranger(starting, (200, good)) as (address, asked):
        assert ask(capsys, address, bundle, "--wait", "20")[0] == 0
    assert len(asked) == 4
    began = time.monotonic()
    with stranger((200, b"{}"), (200, good)) as (address, asked):
        assert ask(capsys, address, bundle, "--wait", "2")[0] == 10
    assert len(asked) in (2, 3)
    assert time.monotonic() - began < 10
