"""Load on one server of this machine: as much as it takes, and the same for all."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.serving.running import Server, connect

_SCRIPT = """
local bodies = {}
for line in io.lines("bodies.jsonl") do bodies[#bodies + 1] = line end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local turn = 0
request = function()
  turn = turn %% #bodies + 1
  return wrk.format(nil, "%s", nil, bodies[turn])
end
done = function(summary, latency, requests)
  local e = summary.errors
  print(string.format('found {"requests": %%d, "microseconds": %%d, "errors": %%d, "median": %%d, "p99": %%d}',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, kw_only=True)
class Full:
    """As many requests as `connections` ask one after the other. processor: the server's microseconds a request."""

    rate: float
    processor: float
    errors: int


def full(server: Server, folder: Path, *, connections: int, seconds: int) -> Full:
    """By wrk, with one thread; the bodies lie in `folder`/bodies.jsonl."""
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("wrk, which makes the load, is not there: apt-get install wrk")
    (folder / "load.lua").write_text(_SCRIPT % server.path)
    address = f"http://127.0.0.1:{server.port}"
    options = ("-t1", f"-c{connections}", f"-d{seconds}s", "-s", "load.lua")
    before = server.processor()
    done = subprocess.run([program, *options, address], cwd=folder, capture_output=True, text=True, check=True)
    used = server.processor() - before
    found = json.loads(
        next(line for line in done.stdout.splitlines() if line.startswith("found ")).removeprefix("found ")
    )
    return Full(
        rate=found["requests"] / found["microseconds"] * 1e6,
        processor=used / max(found["requests"], 1) * 1e6,
        errors=found["errors"],
    )


def paced(server: Server, bodies: Sequence[bytes], *, rate: float, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile, milliseconds, of requests sent `rate` times a second over one connection.

    A request is late from the moment it was due: a server that stands still makes those behind it wait too.
    """
    connection = connect(server.port)
    taken = []
    began = time.perf_counter()
    for turn in range(int(rate * seconds)):
        due = began + turn / rate
        time.sleep(max(due - time.perf_counter(), 0.0))
        server.ask(connection, bodies[turn % len(bodies)])
        taken.append((time.perf_counter() - due) * 1e3)
    connection.close()
    taken.sort()
    return taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
