"""One connection to a served bundle, byte by byte; and the same application under an ASGI server's own protocol."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import serving_bundles
from tests.serving_client import Running, running, until

ROW = {"carrier": "AA", "hour": 18, "distance": 300.5, "remark": None}
BODY = json.dumps({"instances": [ROW]}).encode()
MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_bundles.write(tmp_path_factory.mktemp("bundles") / "flights", serving_bundles.multiclass())


@pytest.fixture(scope="module")
def served(bundle: Path) -> Iterator[Running]:
    with running(bundle) as server:
        yield server


def question(*lines: bytes, body: bytes = BODY, version: bytes = b"1.1", path: bytes = b"/invocations") -> bytes:
    head = [b"POST %b HTTP/%b" % (path, version), b"host: x", b"content-length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def answers(connection: socket.socket, count: int) -> list[tuple[int, dict[str, str], bytes]]:
    """So many answers, in their order; fewer where the server ends the connection before."""
    found, read = [], b""
    while len(found) < count:
        head, end, rest = read.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        if end and len(rest) >= (length := int(headers.get("content-length", 0))):
            found.append((int(first.split()[1]), headers, rest[:length]))
            read = rest[length:]
        elif piece := connection.recv(65536):
            read += piece
        else:
            break
    return found


def test_questions_that_come_together_are_answered_in_their_order(served: Running) -> None:
    names = [b"x-request-id: n-%d" % number for number in range(50)]
    with connected(served) as connection:
        connection.sendall(b"".join(question(name) for name in names))
        found = answers(connection, 50)
    assert [headers["x-request-id"] for _, headers, _ in found] == [f"n-{number}" for number in range(50)]
    assert {status for status, _, _ in found} == {200}


def test_a_question_may_come_in_any_pieces(served: Running) -> None:
    whole = question()
    with connected(served) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in range(1, len(whole), 7):
            connection.sendall(whole[:cut])
            connection.sendall(whole[cut:])
            assert answers(connection, 1)[0][0] == 200


def test_a_client_that_asks_on_and_on_and_reads_nothing_is_ended(served: Running) -> None:
    """An answer of `/openapi.json` is hundreds of times its question."""
    asked = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 200_000
    with connected(served) as connection:
        connection.settimeout(2)
        with pytest.raises((TimeoutError, ConnectionError)):
            connection.sendall(asked)
        held = Path(f"/proc/{served.workers()[0]}/status").read_text(encoding="ascii")
        peak = next(int(line.split()[1]) for line in held.splitlines() if line.startswith("VmHWM"))
        assert peak < 200 * 1024
    assert served.ask("GET", "/health").status == 200


def test_a_body_is_sent_where_the_head_is_welcome(served: Running) -> None:
    with connected(served) as connection:
        connection.sendall(question(b"expect: 100-continue", body=b"").replace(b"h: 0", b"h: %d" % len(BODY)))
        assert answers(connection, 1)[0][0] == 100
        connection.sendall(BODY)
        assert answers(connection, 1)[0][0] == 200
    with connected(served) as connection:
        connection.sendall(question(b"expect: 100-continue", path=b"/nowhere", body=b"").replace(b"h: 0", b"h: 9"))
        assert answers(connection, 1)[0][0] == 404


def test_a_refused_head_leaves_the_connection_good(served: Running) -> None:
    with connected(served) as connection:
        connection.sendall(question(path=b"/nowhere") + question(b"content-encoding: br") + question())
        assert [status for status, _, _ in answers(connection, 3)] == [404, 415, 200]


GET = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        (question(version=b"1.0"), 200, b"predictions"),
        (question(b"connection: close"), 200, b"predictions"),
        (question(b"connection: upgrade, http2-settings", b"upgrade: h2c"), 400, b"no_upgrade"),
        (GET, 200, b"alive"),
    ],
    ids=["1.0", "close", "h2c", "websocket"],
)
def test_a_connection_ends_with_its_answer(served: Running, asked: bytes, status: int, part: bytes) -> None:
    with connected(served) as connection:
        connection.sendall(asked + question())
        ((found, _, body),) = answers(connection, 2)
        assert found == status
        assert part in body


@pytest.mark.parametrize("path", [b"\xff", b"//[", b"*"], ids=["bytes", "brackets", "star"])
def test_what_is_no_path_is_told_so(served: Running, path: bytes) -> None:
    with connected(served) as connection:
        connection.sendall(question(path=path))
        assert answers(connection, 1)[0][0] in (400, 404)


def test_an_asgi_server_of_ones_own_answers_the_same(served: Running, bundle: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    environment = {**os.environ, "PYTHONPATH": str(bundle / "serve"), "MLOPS_CI_LOG": str(log)}
    factory = ["--factory", "mlops_ci_serving.asgi:from_environment"]
    command = [sys.executable, "-m", "uvicorn", *factory, "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen([*command, "--http", "h11"], env=environment)
    other = Running(process, port, [])
    try:
        until(lambda: other.ask("GET", "/health").status == 200)
        assert other.post({"instances": [ROW]}).body == served.post({"instances": [ROW]}).body
        assert other.post({"instances": [{}]}).body == served.post({"instances": [{}]}).body
        assert other.ask("GET", "/nowhere").body == served.ask("GET", "/nowhere").body
        large = b" " * (9 * MEBIBYTE)
        chunked = {"transfer-encoding": "chunked", "content-type": "application/json"}
        assert other.ask("POST", "/invocations", large).status == 413
        assert (
            other.ask("POST", "/invocations", b"100000\r\n" + large[:MEBIBYTE] + b"\r\n0\r\n\r\n", chunked).status
            == 400
        )
        (written,) = log.iterdir()
        assert [json.loads(line)["status"] for line in written.read_text(encoding="utf-8").splitlines()][:2] == [
            200,
            400,
        ]
    finally:
        process.terminate()
        assert process.wait(30) in (0, -15)
