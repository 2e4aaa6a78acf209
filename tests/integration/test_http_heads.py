"""What a server may send before the body of its answer: so many bytes, so many headers, and by the deadline."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlops_ci.edge.http import BrokenError, Http, Limits

LIMITS = Limits(quiet=5.0, whole=20.0)
FINE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"
LONG = b"x: " + b"y" * 997 + b"\r\n"
Say = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(say: Say, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Says that to every request of one connection, as long as somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepted: list[socket.socket] = []

        def serve() -> None:
            connection = listening.accept()[0]
            accepted.append(tls.wrap_socket(connection, server_side=True) if tls else connection)
            with accepted[0], contextlib.suppress(OSError):
                while accepted[0].recv(65536):
                    say(accepted[0])

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}/"
        with contextlib.suppress(OSError):
            accepted[0].shutdown(socket.SHUT_RDWR)
        thread.join(10)


def sent(*parts: bytes) -> Say:
    return lambda connection: [connection.sendall(part) for part in parts] and None


HINTS = sent(*[b"HTTP/1.1 103 Early Hints\r\n" + LONG + b"\r\n"] * 10_000, FINE, b"\r\nok")


def dripping(head: bytes) -> Say:
    def say(connection: socket.socket) -> None:
        for byte in head:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return say


@pytest.mark.parametrize(
    ("say", "told"),
    [
        (sent(FINE, *[LONG] * 10_000, b"\r\nok"), "bigger than|too long|too much|more than 100,000 bytes"),
        (sent(FINE, b"x: ", *[b"y" * 1000] * 10_000, b"\r\n\r\nok"), "too long|more than 100,000 bytes"),
        (HINTS, "100,000 bytes before"),
        (sent(FINE, *[b"x:\r\n"] * 250, b"\r\nok"), "an answer with 251 headers of 265 bytes"),
    ],
    ids=["10 MB of headers", "one of 10 MB", "10 MB of heads before it", "many of nothing"],
)
def test_what_is_too_much_is_no_answer_and_not_kept(say: Say, told: str) -> None:
    with server(say) as url:
        http = Http({})
        tracemalloc.start()
        with pytest.raises(BrokenError, match=told):
            http.ask("GET", url, limits=LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
        tracemalloc.stop()


@pytest.mark.needs("openssl")
def test_encrypted_it_is_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "2"]
    named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *named], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with server(HINTS, tls) as url, pytest.raises(BrokenError, match="100,000 bytes before"):
        Http({}).ask("GET", url, limits=LIMITS)


def test_as_much_as_servers_send_is_an_answer_each_time_anew() -> None:
    """Over one connection: what came with one answer does not count for the next."""
    hints = b"HTTP/1.1 103 Early Hints\r\n" + LONG * 10 + b"\r\n"
    with server(sent(hints, FINE, LONG * 50, b"\r\nok")) as url:
        http = Http({})
        for _ in range(5):
            answer = http.ask("GET", url, limits=LIMITS)
            assert (answer.status, answer.body, len(answer.headers["x"])) == (200, b"ok", 50 * 997 + 49 * 2)


@pytest.mark.parametrize(
    "say",
    [dripping(FINE + b"x: " + b"y" * 1000), dripping(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" * 9)],
    ids=["head", "length of a chunk"],
)
def test_a_byte_now_and_then_is_not_waited_for_longer_than_for_the_whole(say: Say) -> None:
    with server(say) as url:
        began = time.monotonic()
        with pytest.raises(BrokenError, match="not whole within 1 s") as error:
            Http({}).ask("GET", url, limits=Limits(quiet=1.0, whole=1.0))
        assert time.monotonic() - began < 5
    assert error.value.passing
