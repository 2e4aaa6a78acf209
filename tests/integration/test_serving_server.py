"""A bundle served by a process of its own: what attackers and slow clients send, and how it starts and stops."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import serving_bundles
from tests.serving_client import Running, running, until

ROW = {"carrier": "AA", "hour": 18, "distance": 300.5, "remark": None}
BODY = json.dumps({"instances": [ROW]}).encode()
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_bundles.write(tmp_path_factory.mktemp("bundles") / "flights", serving_bundles.multiclass())


@pytest.fixture(scope="module")
def served(bundle: Path) -> Iterator[Running]:
    with running(bundle, "--timeout", "2", "--max-bytes", "200000", "--token-env", "TOKEN", TOKEN="secret") as server:
        yield server


AUTHORISED = {"authorization": "Bearer secret"}


def answers(server: Running) -> bool:
    return server.ask("POST", "/invocations", BODY, JSON | AUTHORISED).status == 200


def raw(server: Running, *pieces: bytes, pause: float = 0.0, end: bool = False) -> bytes:
    """What comes back for bytes as they are, until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        received = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            if end:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            pass
        return received


def head(*lines: str, path: str = "/invocations") -> bytes:
    named = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        "Authorization: Bearer secret",
        "Content-Type: application/json",
        *lines,
    ]
    return "\r\n".join([*named, "", ""]).encode()


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


def test_it_answers_and_counts(served: Running) -> None:
    answer = served.ask("POST", "/invocations", BODY, JSON | AUTHORISED)
    assert answer.json()["predictions"][0]["prediction"] == "late"
    assert 'path="/invocations",status="200"' in served.ask("GET", "/metrics", headers=AUTHORISED).body.decode()


def test_a_head_has_no_body(served: Running) -> None:
    answer = served.ask("HEAD", "/health")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "18")


def test_the_token_is_asked_for_everywhere_but_by_orchestrators(served: Running) -> None:
    for path in ("/health", "/ready", "/v2/health/live", "/v2/health/ready", "/v2/models/flights/ready"):
        assert served.ask("GET", path).status == 200, path
    for path in ("/metadata", "/metrics", "/openapi.json", "/v2", "/v2/models/flights"):
        answer = served.ask("GET", path)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer"), path
        assert served.ask("GET", path, headers={"authorization": "Bearer secre"}).status == 401
        assert served.ask("GET", path, headers=AUTHORISED).status == 200, path
    assert served.ask("POST", "/invocations", BODY, JSON).status == 401


def test_a_chunked_body_is_bounded_too(served: Running) -> None:
    chunk = b"%x\r\n%b\r\n" % (len(BODY), BODY)
    assert status(raw(served, head("Transfer-Encoding: chunked", "Connection: close"), chunk, b"0\r\n\r\n")) == 200
    large = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    assert status(raw(served, head("Transfer-Encoding: chunked"), *[large] * 4)) == 413
    assert status(raw(served, head("Content-Length: 200001"))) == 413
    assert answers(served)


def test_a_gzip_bomb_is_cut_off_while_it_unfolds(served: Running) -> None:
    packed = {"content-encoding": "gzip"} | JSON | AUTHORISED
    assert served.ask("POST", "/invocations", gzip.compress(BODY), packed).status == 200
    before = most_memory(served)
    bomb = gzip.compress(b" " * 100_000_000)
    assert len(bomb) < 200_000
    assert served.ask("POST", "/invocations", bomb, packed).status == 413
    assert most_memory(served) - before < 20_000_000
    for broken in (gzip.compress(BODY)[:-9], gzip.compress(BODY) + b"x", BODY):
        answer = served.ask("POST", "/invocations", broken, packed)
        assert (answer.status, answer.json()["error"]["code"]) == (400, "not_gzip")


def most_memory(server: Running) -> int:
    lines = Path(f"/proc/{server.workers()[0]}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"POST /invoc"], id="half a first line"),
        pytest.param([head("Content-Length: 9")[:-2]], id="half a head"),
        pytest.param([head("Content-Length: 9"), b"{"], id="half a body"),
        pytest.param([head("Transfer-Encoding: chunked"), b"5\r\n{"], id="half a chunk"),
        pytest.param([b""], id="nothing"),
    ],
)
def test_a_slow_client_is_not_waited_for(served: Running, pieces: list[bytes]) -> None:
    began = time.monotonic()
    assert status(raw(served, *pieces)) == 408
    assert 1.5 < time.monotonic() - began < 8
    assert answers(served)


def test_a_client_that_closes_its_half_is_answered_or_left(served: Running) -> None:
    assert status(raw(served, head(f"Content-Length: {len(BODY)}", "Connection: close") + BODY, end=True)) == 200
    raw(served, head("Content-Length: 999") + BODY, end=True)
    assert answers(served)


def test_two_lengths_are_no_request(served: Running) -> None:
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    smuggled = b"GET /metadata HTTP/1.1\r\nHost: x\r\n\r\n"
    both = head(f"Content-Length: {len(chunk)}", "Transfer-Encoding: chunked")
    for sent in (
        both + chunk + smuggled,
        head("Transfer-Encoding: chunked", "Content-Length: 4") + chunk,
        head("Content-Length: 4", "Content-Length: 5") + BODY,
        head("Content-Length: -1") + BODY,
        head("Content-Length: 1_0") + BODY,
        head("Transfer-Encoding: gzip, chunked, x") + chunk,
        head("Content-Length : 4") + BODY,
    ):
        received = raw(served, sent, end=True)
        assert status(received) == 400, sent
        assert received.count(b"HTTP/1.1") == 1, sent
    assert answers(served)


def test_heads_are_bounded(served: Running) -> None:
    lines = b"".join(b"X: " + b"a" * 1000 + b"\r\n" for _ in range(66))
    assert status(raw(served, b"POST / HTTP/1.1\r\n", lines, pause=0.2)) == 431
    assert status(raw(served, b"GET /" + b"a" * 40_000, b"a" * 40_000, b"a" * 40_000, pause=0.2)) == 431
    trailers = [b"X: " + b"a" * 60_000 + b"\r\n"] * 8
    assert status(raw(served, head("Transfer-Encoding: chunked"), b"0\r\n", *trailers, pause=0.05)) == 413
    assert answers(served)


def test_what_is_no_http_is_told_so(served: Running) -> None:
    for sent in (
        b"\0" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
    ):
        assert status(raw(served, sent, end=True)) in (400, 404, 408), sent
    upgraded = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert status(raw(served, upgraded, end=True)) in (200, 400)
    assert answers(served)


def test_paths_lead_nowhere_else(served: Running) -> None:
    for path in (
        "/v2/models/..%2f..%2fetc%2fpasswd",
        "/v2/models/%2e%2e/serving.json",
        "/serving.json",
        "//etc/passwd",
    ):
        assert served.ask("GET", path, headers=AUTHORISED).status == 404, path


def test_the_first_signal_says_not_ready_and_running_requests_are_answered(bundle: Path, tmp_path: Path) -> None:
    with running(bundle, "--drain", "2", "--log", str(tmp_path / "log")) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as slow:
            slow.sendall(head(f"Content-Length: {len(BODY)}") + BODY[:5])
            time.sleep(0.2)
            server.process.terminate()
            assert until(lambda: server.ask("GET", "/ready").status == 503)
            time.sleep(0.5)  # uvicorn alone would have stopped listening by now
            assert server.ask("GET", "/health").status == 200
            assert server.post({"instances": [ROW]}).status == 200
            time.sleep(2.5)
            slow.sendall(BODY[5:])
            assert status(slow.recv(65536)) == 200
        server.lines.extend(server.process.communicate(timeout=30)[1].splitlines())
        assert server.process.returncode == 0
        assert server.lines[-1] == "2 records logged, 0 dropped"
        [segment] = (tmp_path / "log").iterdir()
        assert segment.suffix == ".jsonl"


def test_clients_that_never_stop_asking_do_not_hold_up_the_end(bundle: Path) -> None:
    """A connection that is taken in the last moment is told to close with its next answer."""
    answered: list[int] = []

    def keep_asking(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:  # http.client connects anew where it was told to close
                connection.request("POST", "/invocations", BODY, JSON)
                answered.append(connection.getresponse().read().count(b"late"))

    with running(bundle, "--drain", "1") as server:
        clients = [threading.Thread(target=keep_asking, args=(server.port,)) for _ in range(8)]
        for client in clients:
            client.start()
        until(lambda: len(answered) > 100)
        server.process.terminate()
        assert until(lambda: not server.ask("GET", "/ready").json()["ready"])
        assert server.ask("GET", "/ready").headers["connection"] == "close"
        assert server.process.wait(20) == 0
        for client in clients:
            client.join()


def test_what_is_no_bundle_is_not_served(bundle: Path, tmp_path: Path) -> None:
    def left(*options: str, **variables: str) -> tuple[int, str, Any]:
        command = [sys.executable, "-m", "mlops_ci_serving", *options]
        environment = {**os.environ, "PYTHONPATH": str(bundle / "serve"), **variables}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr.strip(), json.loads(done.stdout) if done.stdout else None

    code, _, found = left(str(bundle), "--check")
    assert (code, found["project"], found["release"], found["golden"]) == (0, "flights", "v12", 12)
    assert left(str(bundle), "--check", "--digest", found["digest"])[0] == 0
    assert left(str(bundle), "--check", MLOPS_CI_DIGEST="sha256:" + "1" * 64)[0] == 1
    code, said, _ = left(str(tmp_path))
    assert (code, said) == (1, f"{tmp_path}/manifest.json: No such file or directory")
    for wrong in (
        ["--token-env", "NOT_SET"],
        ["--port", "65536"],
        ["--workers", "0"],
        ["--log-sample", "1.5"],
        ["--x"],
    ):
        assert left(str(bundle), *wrong)[0] == 2
    code, said, _ = left(str(bundle), "--log", "/proc/predictions")
    assert (code, said) == (1, "/proc/predictions: the prediction log cannot be kept there: No such file or directory")
    with running(bundle) as server:
        code, said, _ = left(str(bundle), "--port", str(server.port))
        assert (code, said) == (1, f"127.0.0.1:{server.port}: Address already in use")


def test_a_killed_worker_is_started_again(bundle: Path) -> None:
    with running(bundle, "--workers", "2") as server:
        before = until(lambda: len(server.workers()) == 2 and server.workers())
        os.kill(before[0], signal.SIGKILL)
        after = until(lambda: set(server.workers()) != set(before) and len(server.workers()) == 2 and server.workers())
        assert before[1] in after
        assert until(lambda: server.post({"instances": [ROW]}).status == 200)
        server.process.kill()
        assert until(lambda: not any(Path(f"/proc/{each}").exists() for each in after))
