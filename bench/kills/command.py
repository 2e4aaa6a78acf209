"""The command `python -m bench.kills`: an hour's load in two minutes; exit code 1 where an answer is not in the log."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

from bench.kills.client import Asked, Client
from bench.kills.reckoning import Reckoning, reckon
from tests import serving_bundles
from tests.serving_client import Running, running

_HOUR = 3_600
_PAUSE = 1.5  # seconds between two kills: a worker takes about one to be back


class Load(NamedTuple):
    """Seconds of it, workers and clients, and seconds between two reloads."""

    seconds: float
    workers: int
    clients: int
    reload: float


class Run(NamedTuple):
    """What came of a load; `seconds` of it, and those until the server had ended, under load still."""

    reckoning: Reckoning
    seconds: float
    goodbye: float
    kills: int
    reloads: int
    """As far as the server says, and those that a kill made fail."""
    told: str
    """The last line of the server."""
    wrong: list[str]
    p50: float
    p99: float

    def lines(self) -> list[str]:
        """As a person reads it."""
        found = self.reckoning
        rate = found.requests / _HOUR
        return [
            f"{found.requests:,} requests in {self.seconds:.0f} s: as many as an hour at {rate:.0f} a second",
            f"p50 {self.p50 * 1000:.1f} ms, p99 {self.p99 * 1000:.1f} ms",
            f"{self.kills} workers killed, {self.reloads} reloads, {found.unanswered} requests left without an answer",
            f"records of what was answered: {found.answered:,}; of these in the log: {found.logged:,}",
            f"logged beside, the answer not out when the worker was killed: {found.in_flight:,}",
            f"the server ended {self.goodbye:.1f} s after it was asked to; it says: {self.told}",
            *([f"WRONG: {words}" for words in self.wrong] or ["every answer is in the log, once, as it was given"]),
        ]


def main(arguments: Sequence[str] = ()) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the load lasts (120)")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--reload", type=float, default=5.0, help="seconds between two signals to reload (5)")
    parser.add_argument("--clients", type=int, default=8)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        put_on = Load(chosen.seconds, chosen.workers, chosen.clients, chosen.reload)
        found = run(Path(folder), put_on)
    print("\n".join(found.lines()))
    return 1 if found.wrong else 0


def run(folder: Path, load: Load) -> Run:
    """Serve a bundle and another one in turns, put the load on, kill workers, and SIGTERM the parent under load."""
    link, log = _bundles(folder), folder / "log"
    with running(link, "--workers", str(load.workers), "--log", str(log)) as server:
        stopping = threading.Event()
        asking = [Client(server.port, number, stopping) for number in range(load.clients)]
        threads = [threading.Thread(target=each.run) for each in asking]
        threads.append(threading.Thread(target=_reload, args=(server, link, load.reload, stopping)))
        began = time.monotonic()
        for thread in threads:
            thread.start()
        kills, fell = _killed(server, began + load.seconds)
        reloads = sum(found for name, found in _totals(_scraped(server)).items() if "reloads" in name)
        ends = time.monotonic()
        code = server.stop()
        ended = time.monotonic()
        stopping.set()
        for thread in threads:
            thread.join()
    asked: dict[str, Asked] = {name: each for client in asking for name, each in client.asked.items()}
    reckoning = reckon(asked, log)
    told = server.lines[-1]
    said = re.fullmatch(r"(\d+) records logged, (\d+) dropped", told)
    wrong = [f"the server ended with {code}: {told}"] if code or not said else []
    if said:
        wrong += reckoning.wrong(kills, int(said[1]), int(said[2]))
    wrong += [f"a count of /metrics fell: {words}" for words in fell]
    taken = sorted(second for client in asking for second in client.seconds)
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    return Run(reckoning, ends - began, ended - ends, kills, int(reloads), told, wrong, p50, p99)


def _bundles(folder: Path) -> Path:
    """The link to one of two that differ in what they say of themselves only, so that both answer the clients alike."""
    files = serving_bundles.multiclass()
    serving = json.loads(files["serving.json"])
    for name in ("first", "second"):
        described = json.dumps(serving | {"release": name}).encode()
        serving_bundles.write(folder / name, files | {"serving.json": described})
    (folder / "bundle").symlink_to(folder / "first")
    return folder / "bundle"


def _reload(server: Running, link: Path, pause: float, stopping: threading.Event) -> None:
    """Move the link and say so, again and again."""
    for name in itertools.cycle(("second", "first")):
        if stopping.wait(pause) or server.process.poll() is not None:
            return
        moved = link.with_name("next")
        moved.symlink_to(link.with_name(name))
        moved.rename(link)
        server.process.send_signal(signal.SIGHUP)


def _killed(server: Running, until: float) -> tuple[int, list[str]]:
    """SIGKILL one worker after the other; how many, and which counts of /metrics fell meanwhile."""
    chosen = random.Random(7)
    kills, counts = 0, dict[str, float]()
    fell = []
    while time.monotonic() + _PAUSE < until:
        time.sleep(_PAUSE)
        children = _read(lambda: Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_bytes())
        if children:
            os.kill(int(chosen.choice(children.split())), signal.SIGKILL)
            kills += 1
        now = _totals(_scraped(server))
        fell += [f"{name} from {was} to {now[name]}" for name, was in counts.items() if name in now and now[name] < was]
        counts |= now
    time.sleep(max(0.0, until - time.monotonic()))
    return kills, fell


def _scraped(server: Running) -> bytes:
    return _read(lambda: server.ask("GET", "/metrics").body)


def _read(what: Callable[[], bytes]) -> bytes:
    """Nothing where the worker that was asked has just been killed."""
    try:
        return what()
    except (OSError, HTTPException):
        return b""


def _totals(text: bytes) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines if "_total" in name or "_count" in name}
