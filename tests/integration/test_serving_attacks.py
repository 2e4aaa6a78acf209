"""What hostile clients send to a served bundle: they are told what is wrong, and the server answers on."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import serving_bundles
from tests.integration.test_serving_connections import BODY, MEBIBYTE, ROW
from tests.integration.test_serving_connections import bundle as bundle  # noqa: PLC0414 - a fixture
from tests.serving_client import Running, running, until


@pytest.fixture(scope="module")
def served(bundle: Path) -> Iterator[Running]:
    with running(bundle, "--timeout", "3") as server:
        yield server
        assert server.post({"instances": [ROW]}).status == 200


def memory(server: Running, which: str = "VmHWM") -> int:
    """Bytes: the most there ever were, or with VmRSS now."""
    lines = Path(f"/proc/{server.workers()[0]}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(which))


def rows(count: int = 1, **changed: Any) -> bytes:
    return json.dumps({"dataframe_records": [ROW | changed] * count}).encode()


def without(name: str) -> bytes:
    return json.dumps({"dataframe_records": [{key: value for key, value in ROW.items() if key != name}]}).encode()


def cell(text: str) -> bytes:
    return b'{"instances":[["AA",18,%b,null]]}' % text.encode()


# What is sent: status, code, where, part of the message.
BAD: dict[str, tuple[bytes, int, str, str, str]] = {
    "cut off": (BODY[:-3], 400, "not_json", "", ""),
    "no text": (b"\xff\xfe" + BODY, 400, "not_json", "", ""),
    "nested": (b'{"instances":' + b"[" * 200_000, 400, "wrong_form", "instances[0][0]", "got `array`"),
    "a long number": (cell("9" * 500_000), 400, "wrong_form", "instances[0][2]", "Integer value out of range"),
    "a number beyond": (cell("1e999999999"), 400, "wrong_form", "instances[0][2]", "Number out of range"),
    "NaN": (cell("NaN"), 400, "not_json", "", "NaN and Infinity are no JSON: null is missing"),
    "Infinity": (cell("-Infinity"), 400, "not_json", "", "NaN and Infinity are no JSON"),
    "text": (rows(distance="far"), 400, "wrong_kind", "row 0, column distance", "a float is allowed"),
    "a long text": (rows(distance="x" * 10**6), 400, "wrong_kind", "row 0, column distance", "'xxxxx"),
    "a column less": (without("hour"), 400, "missing_column", "column hour", "column 'hour' is missing"),
    "a column more": (rows(tail=1), 400, "unknown_column", "column tail", "allowed: carrier, hour, distance, remark"),
    "a name of a path": (rows(**{"../../etc/passwd": 1}), 400, "unknown_column", "column ../../etc/passwd", "allowed"),
    "a category": (rows(carrier="XX"), 400, "unknown_category", "row 0, column carrier", "allowed: 'AA', 'B6', 'UA'"),
    "10,000 rows": (rows(10_000), 413, "too_many_rows", "", "10000 rows; at most 1000 a request are allowed"),
    "too many bytes": (b" " * 8 * MEBIBYTE + BODY, 413, "too_large", "", "at most 8388608 bytes"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_answered_is_told_why(served: Running, case: str) -> None:
    body, status, code, where, words = BAD[case]
    answer = served.ask("POST", "/invocations", body, {"content-type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status, error["code"], error["where"]) == (status, code, where)
    assert words in error["message"]
    assert len(answer.body) < 1_000


# Bodies of nearly 8 MiB that are made to become something larger.
GROWING: dict[str, tuple[bytes, str, int]] = {
    "rows of nothing": (b'{"instances":[' + b",".join([b"[]"] * 2_700_000) + b"]}", "application/json", 400),
    "rows of one": (
        b'{"dataframe_split":{"columns":["a"],"data":[' + b",".join([b"[1]"] * 2_000_000) + b"]}}",
        "application/json",
        450,
    ),
    "another column in each row": (
        json.dumps(
            {"dataframe_records": [{f"{row:x}-{place}": 1 for place in range(600)} for row in range(800)]}
        ).encode(),
        "application/json",
        300,
    ),
    "another column in each of too many rows": (
        json.dumps({"dataframe_records": [{f"{row:x}": 1} for row in range(500_000)]}).encode(),
        "application/json",
        300,
    ),
    "lines": (b"a\n" * 4_000_000, "text/csv", 150),
    "a bomb": (gzip.compress(gzip.compress(b" " * 10**9)), "application/json", 50),
}


@pytest.mark.parametrize("case", GROWING)
def test_a_request_is_bounded_in_what_it_takes(bundle: Path, case: str) -> None:
    body, content_type, most = GROWING[case]
    assert len(body) < 8 * MEBIBYTE
    packed = {"content-encoding": "gzip"} if case == "a bomb" else {}
    with running(bundle) as server:
        assert server.post({"instances": [ROW]}).status == 200
        before, began = memory(server), time.monotonic()
        answer = server.ask("POST", "/invocations", body, {"content-type": content_type} | packed)
        assert answer.status in (400, 413)
        assert time.monotonic() - began < 15  # a second or so; before, some never ended
        assert memory(server) - before < most * MEBIBYTE


def connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def test_many_large_requests_on_their_way_do_not_fill_the_memory(bundle: Path) -> None:
    """Sixty clients that send all but the last byte of eight mebibytes would be half a gigabyte."""
    large = b" " * (8 * MEBIBYTE - len(BODY) - 1) + BODY
    head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(large)
    with running(bundle, "--timeout", "60") as server:
        before = memory(server)
        waiting, refused = [], 0
        try:
            for _ in range(60):
                connection = connected(server)
                try:
                    connection.sendall(head + large[:-1])
                except (BrokenPipeError, ConnectionResetError):
                    refused += 1
                    connection.close()
                else:
                    waiting.append(connection)
            assert refused > 30 or len(waiting) > 9
            assert memory(server) - before < 200 * MEBIBYTE
            assert server.post({"instances": [ROW]}).status == 200
            first = waiting[0]
            first.sendall(large[-1:])
            assert first.recv(65536).startswith(b"HTTP/1.1 200")
        finally:
            for connection in waiting:
                connection.close()
        assert until(lambda: server.ask("POST", "/invocations", large).status == 200)
        assert 'mlops_ci_errors_total{code="busy"}' in server.ask("GET", "/metrics").body.decode()


def test_a_client_that_reads_no_answer_is_left(served: Running) -> None:
    body = rows(1_000)
    question = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    with connected(served) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(2)
        began, left = time.monotonic(), False
        before = memory(served)
        while not left and time.monotonic() - began < 40:
            try:
                connection.sendall(question)
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                left = True
        assert left
        assert memory(served) - before < 100 * MEBIBYTE


TWICE = [
    (b"authorization: Bearer a", b"authorization: Bearer b"),
    (b"content-type: application/json", b"content-type: text/csv"),
    (b"content-encoding: gzip", b"Content-Encoding: identity"),
    (b"inference-header-content-length: 1", b"inference-header-content-length: 2"),
]


@pytest.mark.parametrize("lines", TWICE)
def test_a_header_that_decides_is_there_once(served: Running, lines: tuple[bytes, ...]) -> None:
    with connected(served) as connection:
        head = [b"POST /invocations HTTP/1.1", b"host: x", b"connection: close", *lines]
        connection.sendall(b"\r\n".join([*head, b"content-length: %d" % len(BODY), b"", BODY]))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.startswith(b"HTTP/1.1 400")
    assert b"is there 2 times" in received


@pytest.mark.parametrize(
    "line",
    [
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: \x0bchunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding:\r\n chunked",
        b"Transfer-Encoding\x00: chunked",
    ],
)
def test_what_is_hidden_in_a_body_is_no_second_request(served: Running, line: bytes) -> None:
    """Another server in front may have read the length otherwise."""
    hidden = b"0\r\n\r\nGET /metadata HTTP/1.1\r\nhost: x\r\n\r\n"
    with connected(served) as connection:
        length = b"Content-Length: %d" % len(hidden)
        connection.sendall(b"\r\n".join([b"POST /invocations HTTP/1.1", b"host: x", length, line, b"", hidden]))
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 ") == 1
    assert received.startswith(b"HTTP/1.1 400")


def test_what_an_mlmodel_says_to_load_is_not_loaded(bundle: Path, tmp_path: Path) -> None:
    """Neither the server nor its check reads MLmodel; and one that was changed is no part of the bundle."""
    went_off = tmp_path / "went-off"
    files = serving_bundles.multiclass() | {
        "MLmodel": b"flavors:\n  python_function:\n    loader_module: evil\n    code: .\n",
        "evil.py": f"open({str(went_off)!r}, 'w')\n".encode(),
    }
    with running(serving_bundles.write(tmp_path / "hostile", files)) as server:
        assert server.post({"instances": [ROW]}).status == 200
    assert not went_off.exists()
