"""SIGHUP: another bundle takes the place of the one that is served, whole, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import pickle
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import serving_bundles
from tests.serving_client import Running, running, until

SLOPES = {"gentle": 3.0, "steep": 30.0}
ROW = {"area": 100.0, "rooms": 2}
BODY = json.dumps({"instances": [ROW]}).encode()
DONE, FAILED = (f'mlops_ci_reloads_total{{result="{result}"}}' for result in ("done", "failed"))


class Desk(NamedTuple):
    """Two bundles of one project that answer otherwise, and the link that says which of them is served."""

    folder: Path

    @property
    def link(self) -> Path:
        return self.folder / "current"

    def point(self, to: Path) -> None:
        """In one step, as who deploys should."""
        (self.folder / "next").symlink_to(to)
        (self.folder / "next").rename(self.link)

    def bundle(self, name: str) -> Path:
        return self.folder / name

    def copy(self, name: str = "copy", of: str = "steep") -> Path:
        return Path(shutil.copytree(self.bundle(of), self.bundle(name)))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    for name, slope in SLOPES.items():
        serving_bundles.write(tmp_path / name, serving_bundles.regression(slope) | {"requirements.lock": b"numpy==2\n"})
    desk = Desk(tmp_path)
    desk.point(desk.bundle("gentle"))
    return desk


def digest(bundle: Path) -> str:
    return "sha256:" + hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()


def hang_up(server: Running) -> None:
    os.kill(server.process.pid, signal.SIGHUP)


def reload(server: Running) -> str:
    hang_up(server)
    return server.said()


def records(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in log.iterdir() for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("workers", [1, 2])
def test_another_bundle_takes_over_and_says_so_everywhere(desk: Desk, tmp_path: Path, workers: int) -> None:
    log = tmp_path / "log"
    with running(desk.link, "--workers", str(workers), "--release", "v7", "--log", str(log)) as server:
        before = server.post({"instances": [ROW]}).json()["predictions"][0]["prediction"]
        old = server.workers()
        desk.point(desk.bundle("steep"))
        new = digest(desk.bundle("steep"))
        assert reload(server) == f"reloaded: rents ({new})"
        described = server.ask("GET", "/metadata").json()
        # v7 is the number of the other one
        assert (described["digest"], described["release"]) == (new, "")
        after = server.post({"instances": [ROW]}).json()["predictions"][0]["prediction"]
        assert after > 5 * before
        assert until(lambda: len(server.workers()) == workers and not set(server.workers()) & set(old))
        assert until(lambda: server.metrics()["mlops_ci_ready"] == workers)
        found = server.metrics()
        assert (found[DONE], found[FAILED], found["mlops_ci_worker_restarts_total"]) == (1, 0, 0)
        assert found["mlops_ci_rows_total"] == 2
        desk.point(desk.bundle("gentle"))
        assert reload(server) == f"reloaded: rents v7 ({digest(desk.bundle('gentle'))})"
        assert server.stop() == 0
        assert server.lines[-1] == "2 records logged, 0 dropped"
    found = {record["digest"]: (record["outputs"]["prediction"], record["release"]) for record in records(log)}
    assert found == {digest(desk.bundle("gentle")): (before, "v7"), new: (after, "")}


def tampered(desk: Desk) -> str:
    model = desk.copy("tampered") / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    return f"{model}: sha256 "


class Hostile:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.marker}",))


def pickled(desk: Desk) -> str:
    bundle = desk.copy("pickled")
    (bundle / "model.onnx").write_bytes(pickle.dumps(Hostile(desk.folder / "marker")))
    serving_bundles.sealed(bundle)
    return "model.onnx: "


def missing(desk: Desk) -> str:
    return f"{desk.bundle('missing')}/manifest.json: No such file or directory"


def of_another_project(desk: Desk) -> str:
    bundle = serving_bundles.write(desk.bundle("of_another_project"), serving_bundles.multiclass())
    return f"{bundle}: a bundle of flights; this server serves rents"


def with_other_libraries(desk: Desk) -> str:
    bundle = desk.copy("with_other_libraries")
    (bundle / "requirements.lock").write_bytes(b"numpy==3\n")
    serving_bundles.sealed(bundle)
    return f"{bundle}: it is locked to other libraries than those the server runs with"


def that_answers_otherwise(desk: Desk) -> str:
    bundle = desk.copy("that_answers_otherwise")
    shutil.copyfile(desk.bundle("gentle") / "model.onnx", bundle / "model.onnx")
    serving_bundles.sealed(bundle)
    return "golden.json: row 0: the model answers prediction "


def with_a_name_of_no_text(desk: Desk) -> str:
    bundle = desk.copy("with_a_name_of_no_text")
    Path(os.fsdecode(os.fsencode(bundle) + b"/\xff\nreloaded: rents")).touch()
    return f"{bundle}/\\udcff reloaded: rents: manifest.json does not list it"


CASES: dict[str, Callable[[Desk], str]] = {
    each.__name__: each
    for each in (
        tampered,
        pickled,
        missing,
        of_another_project,
        with_other_libraries,
        that_answers_otherwise,
        with_a_name_of_no_text,
    )
}


def test_what_is_wrong_is_not_served_and_the_old_one_goes_on(desk: Desk) -> None:
    with running(desk.link) as server:
        old = server.workers()
        for number, (name, make) in enumerate(CASES.items(), start=1):
            why = make(desk)
            desk.point(desk.bundle(name))
            assert reload(server).startswith(f"not reloaded: {why}"), server.lines
            assert server.metrics()[FAILED] == number
            assert server.ask("GET", "/metadata").json()["digest"] == digest(desk.bundle("gentle"))
            assert server.post({"instances": [ROW]}).status == 200
            assert until(lambda: server.workers() == old)
        assert not (desk.folder / "marker").exists()
        desk.point(desk.bundle("steep"))
        assert reload(server).startswith("reloaded: ")
        assert server.metrics()[DONE] == 1


def test_a_server_that_is_held_to_a_digest_loads_no_other(desk: Desk) -> None:
    held = digest(desk.bundle("gentle"))
    with running(desk.link, "--digest", held) as server:
        desk.point(desk.bundle("steep"))
        assert reload(server).endswith(f"only {held} may be served here")
        desk.point(desk.copy(of="gentle"))
        assert reload(server) == f"reloaded: rents ({held})"


def test_nothing_is_imported_from_the_new_folder(desk: Desk) -> None:
    """Its runtime is no part of what serves, nor is a module there that is called as a library is."""
    bundle = desk.copy()
    touch = f"open({str(desk.folder / 'marker')!r}, 'w')\n"
    (bundle / "serve" / "onnxruntime.py").write_text(touch, encoding="utf-8")
    for path in (bundle / "serve" / "mlops_ci_serving").rglob("*.py"):
        path.write_text(touch, encoding="utf-8")
    serving_bundles.sealed(bundle)
    with running(desk.link, PYTHONDONTWRITEBYTECODE="1") as server:
        desk.point(bundle)
        assert reload(server) == f"reloaded: rents ({digest(bundle)})"
        assert server.post({"instances": [ROW]}).status == 200
    assert not (desk.folder / "marker").exists()


def test_a_request_on_its_way_is_answered_by_the_bundle_that_it_came_to(desk: Desk, tmp_path: Path) -> None:
    """The new one has other inputs: it would have refused the request."""
    bundle = desk.copy()
    serving = json.loads((bundle / "serving.json").read_bytes())
    serving["inputs"][0]["maximum"] = 1e6
    serving["ids"] = ["house"]
    (bundle / "serving.json").write_text(json.dumps(serving), encoding="utf-8")
    serving_bundles.sealed(bundle)
    other = json.dumps({"instances": [ROW | {"house": "A"}]}).encode()
    head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    with running(desk.link, "--log", str(tmp_path / "log")) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
            slow.sendall(head % len(other) + other[:9])
            time.sleep(0.3)  # it has been accepted
            desk.point(bundle)
            assert reload(server) == f"reloaded: rents ({digest(bundle)})"
            assert server.ask("POST", "/invocations", other, {"content-type": "application/json"}).status == 200
            time.sleep(2.0)  # the old one would have ended by now if nothing were on its way
            slow.sendall(other[9:])
            answer = slow.recv(65536)
            assert b" 400 " in answer.partition(b"\r\n")[0]
            assert b"unknown" in answer
            assert b"connection: close" in answer
        assert until(lambda: len(server.workers()) == 1)
        server.stop()
    found = {record["status"]: record["digest"] for record in records(tmp_path / "log")}
    assert found == {400: digest(desk.bundle("gentle")), 200: digest(bundle)}


class Client(threading.Thread):
    """Asks over a connection that it keeps, and remembers every answer, by the name of the request."""

    def __init__(self, port: int, number: int, stopping: threading.Event) -> None:
        super().__init__()
        self.answers: dict[str, float] = {}
        self.wrong: list[str] = []
        self._port = port
        self._number = number
        self._stopping = stopping

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stopping.is_set():
            name = f"{self._number}-{len(self.answers)}"
            try:
                connection.request("POST", "/invocations", BODY, {"x-request-id": name})
                answer = connection.getresponse()
                self.answers[name] = json.loads(answer.read())["predictions"][0]["prediction"]
                connection.request("GET", "/ready")
                if (answer := connection.getresponse()).read() != b'{"ready":true}':
                    self.wrong.append(f"/ready is {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(f"{type(error).__name__}: {error}")
                connection.close()
        connection.close()


def test_no_answer_and_no_record_is_lost_while_it_reloads_and_reloads(desk: Desk, tmp_path: Path) -> None:
    """Without a worker killed, no client is ever refused, cut off or told that nothing is ready."""
    stopping = threading.Event()
    with running(desk.link, "--workers", "2", "--log", str(tmp_path / "log")) as server:
        clients = [Client(server.port, number, stopping) for number in range(4)]
        for client in clients:
            client.start()
        ends = time.monotonic() + 6
        turn = 0
        while time.monotonic() < ends:
            turn += 1
            desk.point(desk.bundle(list(SLOPES)[turn % 2]))
            hang_up(server)
            time.sleep(0.5)
        stopping.set()
        for client in clients:
            client.join()
        reloads = server.metrics()[DONE]
        assert server.stop() == 0
    assert reloads >= 2
    assert [words for client in clients for words in client.wrong] == []
    answers = {name: answer for client in clients for name, answer in client.answers.items()}
    found = records(tmp_path / "log")
    assert len(found) == len(answers) > 100
    assert {record["request"]: record["outputs"]["prediction"] for record in found} == answers
    by_digest = {record["digest"]: set[float]() for record in found}
    for record in found:
        by_digest[record["digest"]].add(record["outputs"]["prediction"])
    assert [len(values) for values in by_digest.values()] == [1, 1]  # neither digest on an answer of the other
    assert server.lines[-1] == f"{len(found)} records logged, 0 dropped"


def test_a_storm_of_signals_is_one_reload_and_one_more(desk: Desk) -> None:
    with running(desk.link) as server:
        for _ in range(100):
            hang_up(server)
            time.sleep(0.005)
        server.said()
        assert until(lambda: len(server.workers()) == 1 and server.metrics()["mlops_ci_ready"] == 1)
        time.sleep(3)
        assert 1 <= server.metrics()[DONE] <= 3
        assert server.metrics()[FAILED] == 0
        assert server.post({"instances": [ROW]}).status == 200


def test_a_signal_while_it_starts_does_not_end_it(desk: Desk) -> None:
    command = [sys.executable, "-m", "mlops_ci_serving", str(desk.link), "--port", "0", "--drain", "0"]
    environment = {**os.environ, "PYTHONPATH": str(desk.link / "serve")}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            until(lambda: "mlops_ci_serving" in Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8"))
            until(lambda: deaf_or_listening(process.pid))
            storm = threading.Thread(target=lambda: [(os.kill(process.pid, 1), time.sleep(0.01)) for _ in range(40)])
            storm.start()
            assert process.stderr.readline().startswith(f"rents ({digest(desk.bundle('gentle'))}) on http://")
            storm.join()
        finally:
            process.terminate()
        assert process.wait(60) == 0


STRUCK = """
import os, signal, sys

class Once:
    def find_spec(self, name, path=None, target=None):
        if name == "mlops_ci_serving.command":
            os.kill(os.getpid(), signal.SIGHUP)

sys.meta_path.insert(0, Once())
"""


def test_a_signal_before_it_listens_does_not_end_it(desk: Desk) -> None:
    """While its own modules are read, which takes longest."""
    (desk.folder / "sitecustomize.py").write_text(STRUCK, encoding="utf-8")
    path = os.pathsep.join((str(desk.folder), str(desk.link / "serve")))
    with running(desk.link, PYTHONPATH=path) as server:
        assert server.stop() == 0


def deaf_or_listening(process: int) -> bool:
    """Whether SIGHUP does not end the process any more."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    masks = {line[:6]: int(line.split()[1], 16) for line in lines if line.startswith(("SigIgn", "SigCgt"))}
    return bool((masks["SigIgn"] | masks["SigCgt"]) & 1)


def stall(desk: Desk, of: str = "gentle") -> Path:
    """A bundle whose manifest is a pipe: who reads it waits for `feed`."""
    bundle = desk.copy("stuck", of)
    (bundle / "manifest.json").unlink()
    os.mkfifo(bundle / "manifest.json")
    desk.point(bundle)
    return bundle


def feed(desk: Desk, of: str = "gentle") -> None:
    """The first of those who wait by now; afterwards it is a bundle as any other."""
    path, content = desk.bundle("stuck") / "manifest.json", (desk.bundle(of) / "manifest.json").read_bytes()
    with path.open("wb") as pipe:
        path.unlink()
        path.write_bytes(content)
        pipe.write(content)


def is_quiet(server: Running, seconds: float = 2.0) -> bool:
    return not select.select([server.process.stderr], [], [], seconds)[0]


def test_a_signal_while_the_first_bundle_is_read_is_a_reload_after_it(desk: Desk) -> None:
    stall(desk)
    command = [sys.executable, "-m", "mlops_ci_serving", str(desk.link), "--port", "0", "--drain", "0"]
    environment = {**os.environ, "PYTHONPATH": str(desk.link / "serve")}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        server = Running(process, 0, [])
        try:
            assert until(server.workers)
            desk.point(desk.bundle("steep"))
            hang_up(server)
            feed(desk)
            assert server.said().startswith(f"rents ({digest(desk.bundle('gentle'))}) on http://")
            assert not is_quiet(server, 30)
            assert server.said() == f"reloaded: rents ({digest(desk.bundle('steep'))})"
        finally:
            process.terminate()


@pytest.mark.parametrize("comes", [True, False], ids=["another came", "it was refused"])
def test_a_signal_while_it_reloads_is_another_reload_after_it(desk: Desk, comes: bool) -> None:
    with running(desk.link) as server:
        bundle = stall(desk)
        hang_up(server)
        assert until(lambda: len(server.workers()) == 2)
        desk.point(desk.bundle("steep"))
        hang_up(server)
        time.sleep(0.3)  # heard
        if comes:
            feed(desk)
        else:
            (bundle / "manifest.json").write_bytes(b"")
        assert server.said().startswith("reloaded: " if comes else "not reloaded: ")
        assert not is_quiet(server, 30)
        assert server.said() == f"reloaded: rents ({digest(desk.bundle('steep'))})"


def test_the_new_take_over_together_or_not_at_all(desk: Desk) -> None:
    """One that is ready waits for the other, and ends with it."""
    with running(desk.link, "--workers", "2") as server:
        old = server.workers()
        stall(desk, "steep")
        hang_up(server)
        assert until(lambda: len(server.workers()) == 4)
        new = server.workers()[2:]
        time.sleep(0.5)  # both wait for the manifest
        os.kill(new[1], signal.SIGSTOP)
        feed(desk, "steep")
        assert is_quiet(server, 3)
        assert server.ask("GET", "/metadata").json()["digest"] == digest(desk.bundle("gentle"))
        os.kill(new[1], signal.SIGKILL)
        assert server.said() == "not reloaded: a worker ended by signal 9 before it was ready"
        assert until(lambda: server.workers() == old, 10)


def test_it_is_reloaded_once_the_old_ones_take_nothing_more(desk: Desk) -> None:
    with running(desk.link) as server:
        assert until(lambda: server.metrics()["mlops_ci_ready"] == 1)
        [old] = server.workers()
        os.kill(old, signal.SIGSTOP)  # it does not hear that it is to go
        desk.point(desk.bundle("steep"))
        hang_up(server)
        quiet = is_quiet(server, 3)
        os.kill(old, signal.SIGCONT)
        assert quiet
        assert server.said() == f"reloaded: rents ({digest(desk.bundle('steep'))})"


def test_where_no_old_one_is_left_the_new_are_waited_for(desk: Desk) -> None:
    with running(desk.link) as server:
        [old] = server.workers()
        stall(desk, "steep")
        hang_up(server)
        assert until(lambda: len(server.workers()) == 2)
        shutil.move(desk.bundle("gentle") / "golden.json", desk.folder)
        os.kill(old, signal.SIGKILL)
        assert "golden.json" in server.said(), "it cannot start again"
        assert is_quiet(server)
        feed(desk, "steep")
        assert server.said() == f"reloaded: rents ({digest(desk.bundle('steep'))})"
        assert server.post({"instances": [ROW]}).status == 200


@pytest.fixture
def stuck(desk: Desk) -> Iterator[tuple[Running, list[int]]]:
    """A server whose reload does not come to an end: a manifest that is a pipe nobody writes to."""
    with running(desk.link) as server:
        old = server.workers()
        stall(desk)
        hang_up(server)
        assert until(lambda: len(server.workers()) == 2)
        assert server.post({"instances": [ROW]}).status == 200
        yield server, sorted(set(server.workers()) - set(old))


def test_it_can_be_stopped_while_it_reloads(stuck: tuple[Running, list[int]]) -> None:
    server, new = stuck
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 10
    assert not Path(f"/proc/{new[0]}").exists()


def test_all_end_with_a_parent_that_is_killed_while_it_reloads(stuck: tuple[Running, list[int]], desk: Desk) -> None:
    server, new = stuck
    known = server.workers()
    server.process.kill()
    (old,) = set(known) - set(new)
    assert until(lambda: not Path(f"/proc/{old}").exists())
    (desk.bundle("stuck") / "manifest.json").write_bytes(b"")  # now it is read, and looked who waits
    assert until(lambda: not Path(f"/proc/{new[0]}").exists())


def test_a_worker_that_is_killed_before_it_is_ready_is_a_failed_reload(
    stuck: tuple[Running, list[int]], desk: Desk
) -> None:
    server, new = stuck
    os.kill(new[0], signal.SIGKILL)
    assert server.said() == "not reloaded: a worker ended by signal 9 before it was ready"
    desk.point(desk.bundle("steep"))
    assert reload(server) == f"reloaded: rents ({digest(desk.bundle('steep'))})"


def test_a_worker_that_is_killed_comes_back_with_its_own_bundle(desk: Desk) -> None:
    """Nobody has asked for a reload: a link that was moved is a decision that somebody else has still to take."""
    with running(desk.link) as server:
        desk.point(desk.bundle("steep"))
        os.kill(server.workers()[0], signal.SIGKILL)
        assert until(lambda: server.metrics()["mlops_ci_worker_restarts_total"] == 1)
        assert server.ask("GET", "/metadata").json()["digest"] == digest(desk.bundle("gentle"))


def test_no_connection_is_refused_while_no_worker_is_left(desk: Desk) -> None:
    with running(desk.link, "--workers", "2") as server:
        for each in server.workers():
            os.kill(each, signal.SIGKILL)
        for _ in range(5):
            assert server.post({"instances": [ROW]}).status == 200


def test_connections_do_not_wait_for_a_worker_that_hangs(desk: Desk) -> None:
    """The kernel deals some of them out to it; others take these."""
    with running(desk.link, "--workers", "2") as server:
        assert until(lambda: server.metrics()["mlops_ci_ready"] == 2)
        hanging = server.workers()[0]
        os.kill(hanging, signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(20):
            assert server.post({"instances": [ROW]}).status == 200
        assert time.monotonic() - began < 15
        os.kill(hanging, signal.SIGCONT)
        assert server.stop() == 0
