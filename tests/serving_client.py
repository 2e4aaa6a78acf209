"""Asks a served bundle: the application in this process, or a server in another."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mlops_ci.serving.app import App
from mlops_ci.serving.direct import Direct


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(app: App, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
    """One request to the application, without a server."""
    return Response(*Direct(app).ask(method, path, (headers or {}).items(), lambda: body))


def post(app: App, value: object, path: str = "/invocations", **headers: str) -> Response:
    """JSON to the application."""
    content_type = {"content-type": "application/json"}
    return ask(app, "POST", path, json.dumps(value).encode(), content_type | headers)


class Running(NamedTuple):
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str]

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
        """One request over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, value: object, path: str = "/invocations", **headers: str) -> Response:
        content_type = {"content-type": "application/json"}
        return self.ask("POST", path, json.dumps(value).encode(), content_type | headers)

    def metrics(self) -> dict[str, float]:
        """What it has counted, by the name with its labels."""
        lines = self.ask("GET", "/metrics").body.decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[0] != "#"}

    def workers(self) -> list[int]:
        """The processes that answer, or will."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(each) for each in children.split()]

    def said(self) -> str:
        """Its next line, which is waited for."""
        assert self.process.stderr is not None
        self.lines.append(self.process.stderr.readline().strip())
        return self.lines[-1]

    def stop(self) -> int:
        """SIGTERM; the exit code, and what it said in `lines`."""
        self.process.terminate()
        self.lines.extend(self.process.communicate(timeout=60)[1].splitlines())
        return self.process.returncode


@contextlib.contextmanager
def running(
    bundle: Path, *options: str, preexec_fn: Callable[[], None] | None = None, **variables: str
) -> Iterator[Running]:
    """`python -m mlops_ci_serving` of the bundle itself, ready to be asked."""
    environment = {**os.environ, "PYTHONPATH": str(bundle / "serve"), **variables}
    command = [sys.executable, "-m", "mlops_ci_serving", str(bundle), "--port", "0", "--drain", "0", *options]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=preexec_fn)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)$", line.strip())
        assert found, line + process.stderr.read()
        yield Running(process, int(found[1]), [line.strip()])
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        assert process.stderr is not None
        process.stderr.close()


def until(what: Any, seconds: float = 30.0) -> Any:
    """What `what()` gives as soon as it is true."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with contextlib.suppress(OSError):
            if found := what():
                return found
        time.sleep(0.05)
    raise AssertionError("it did not come true")
